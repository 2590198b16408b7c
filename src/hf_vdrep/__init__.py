# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Representations of image and video diffusion models."""

from ._lazy import lazy_exports

__version__ = "0.1.0"

_HOMES: dict[str, str] = {}

__getattr__, __dir__ = lazy_exports(__name__, _HOMES)
