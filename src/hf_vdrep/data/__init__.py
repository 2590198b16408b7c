# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Samples: one schema, the embedded world, real data sets, and the user's own photos and videos."""

from .._lazy import lazy_exports

_HOMES: dict[str, str] = {
    "apply_window": ".sample_window",
    "atomic_output": ".media_write",
    "list_streams": ".streams",
    "load_clip": ".media",
    "mean_softmax": ".multi_view",
    "open_stream": ".streams",
    "read_clip": ".media",
    "write_png": ".media_write",
    "write_video": ".video_write",
    "Clip": ".media",
    "ClipSampling": ".clip_sampling",
    "CropWindow": ".crop_window",
    "MediaError": ".media_kind",
    "ProbeWorld": ".probeworld",
    "ProbeWorldConfig": ".probeworld",
    "SampleStream": ".streams",
    "StreamSpec": ".streams",
}

__getattr__, __dir__ = lazy_exports(__name__, _HOMES)
