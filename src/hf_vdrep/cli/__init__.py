# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""The `hf-vdrep` command."""

from .._lazy import lazy_exports

_HOMES: dict[str, str] = {"main": ".main"}

__getattr__, __dir__ = lazy_exports(__name__, _HOMES)
