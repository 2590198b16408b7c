# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Names of the package hf_vdrep, which must be installed, for `trust_remote_code=True`."""

from hf_vdrep.heads import (
    WaltBackbone,
    WaltForDepthEstimation,
    WaltForImageClassification,
    WaltForVideoClassification,
)
from hf_vdrep.models import (
    AutoencoderWalt,
    WaltConfig,
    WaltImageProcessor,
    WaltModel,
    WaltPipeline,
    WaltTransformer3DModel,
    WaltVideoProcessor,
)

__all__ = [
    "AutoencoderWalt",
    "WaltBackbone",
    "WaltConfig",
    "WaltForDepthEstimation",
    "WaltForImageClassification",
    "WaltForVideoClassification",
    "WaltImageProcessor",
    "WaltModel",
    "WaltPipeline",
    "WaltTransformer3DModel",
    "WaltVideoProcessor",
]
