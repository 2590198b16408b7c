# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Run folders, read: what trained there, how far it is, how well it does."""

from ..._lazy import lazy_exports

_HOMES: dict[str, str] = {
    "RunFolder": ".folder",
    "find_runs": ".folder",
    "plot_folders": ".curves",
}

__getattr__, __dir__ = lazy_exports(__name__, _HOMES)
