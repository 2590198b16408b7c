# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Studies: the comparison of the twins, and single clips inspected."""

from .._lazy import lazy_exports

_HOMES: dict[str, str] = {
    "CompareConfig": ".compare",
    "CompareResults": ".compare",
}

__getattr__, __dir__ = lazy_exports(__name__, _HOMES)
