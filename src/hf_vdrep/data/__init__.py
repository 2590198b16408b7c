# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Samples: one schema, the embedded world, and the user's own photos and videos."""

from .._lazy import lazy_exports

_HOMES: dict[str, str] = {
    "Clip": ".media",
    "MediaError": ".media_kind",
    "ProbeWorld": ".probeworld",
    "ProbeWorldConfig": ".probeworld",
    "atomic_output": ".media_write",
    "load_clip": ".media",
    "read_clip": ".media",
    "write_png": ".media_write",
    "write_video": ".video_write",
}

__getattr__, __dir__ = lazy_exports(__name__, _HOMES)
