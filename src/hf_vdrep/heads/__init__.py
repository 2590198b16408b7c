# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""WALT with a readout on top, as transformers models: a trained probe saved and loaded like any other."""

from .._lazy import lazy_exports

_HOMES: dict[str, str] = {
    "HEADS": ".registry",
    "WaltBackbone": ".backbone",
    "WaltBoxTrackingOutput": ".outputs",
    "WaltCameraPoseOutput": ".outputs",
    "WaltForBoxTracking": ".box_tracking",
    "WaltForCameraPose": ".camera_pose",
    "WaltForDepthEstimation": ".depth_estimation",
    "WaltForImageClassification": ".classification",
    "WaltForPointTracking": ".point_tracking",
    "WaltForVideoClassification": ".classification",
    "WaltPointTrackingOutput": ".outputs",
    "WaltWithReadout": ".readout_model",
    "head_for": ".registry",
    "load_head": ".registry",
}

__getattr__, __dir__ = lazy_exports(__name__, _HOMES)
