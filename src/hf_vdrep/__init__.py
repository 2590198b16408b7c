# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Representations of image and video diffusion models."""

from ._lazy import lazy_exports
from .heads.registration import register as _register_heads
from .models.registration import register as _register_models

__version__ = "0.1.0"

_HOMES: dict[str, str] = {
    "AutoencoderWalt": ".models",
    "WaltBackbone": ".heads",
    "WaltConfig": ".models",
    "WaltForBoxTracking": ".heads",
    "WaltForCameraPose": ".heads",
    "WaltForDepthEstimation": ".heads",
    "WaltForImageClassification": ".heads",
    "WaltForPointTracking": ".heads",
    "WaltForVideoClassification": ".heads",
    "WaltModel": ".models",
    "WaltPipeline": ".models",
    "WaltTransformer3DModel": ".models",
    # diffusers loads a component through these bases, which it looks up on the package that holds the component.
    "DiffusionPipeline": "diffusers",
    "ModelMixin": "diffusers",
    "SchedulerMixin": "diffusers",
}

__getattr__, __dir__ = lazy_exports(__name__, _HOMES)

_register_models()
_register_heads()
