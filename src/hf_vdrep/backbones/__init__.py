# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""One contract over every frozen model: samples in, feature maps out."""

from .._lazy import lazy_exports

_HOMES: dict[str, str] = {
    "Backbone": ".base",
    "FeatureMap": ".feature_map",
    "LatentBackbone": ".floors",
    "DenoiserBackbone": ".denoisers",
    "EncoderBackbone": ".encoders",
    "PixelBackbone": ".floors",
    "WaltBackbone": ".walt",
    "causal_frame_spans": ".frame_spans",
    "open_backbone": ".registry",
    "sample_noise": ".noise",
}

__getattr__, __dir__ = lazy_exports(__name__, _HOMES)
