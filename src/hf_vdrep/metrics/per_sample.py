# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""The former home of `per_sample`."""

from .samples import per_sample

__all__ = ["per_sample"]
