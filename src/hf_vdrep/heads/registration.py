# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Making the heads known to the auto classes of transformers by name; nothing is imported before somebody asks."""

import importlib
import sys
from typing import Any

from ..models.post_import import after_import
from ..models.registration import LazyClasses

_MAPPINGS = {
    "MODEL_FOR_BACKBONE_MAPPING": "WaltBackbone",
    "MODEL_FOR_DEPTH_ESTIMATION_MAPPING": "WaltForDepthEstimation",
    "MODEL_FOR_IMAGE_CLASSIFICATION_MAPPING": "WaltForImageClassification",
    "MODEL_FOR_VIDEO_CLASSIFICATION_MAPPING": "WaltForVideoClassification",
}


def register() -> None:
    """Register the heads, now or when transformers' auto classes are imported."""
    after_import("transformers.models.auto.modeling_auto", _register_heads)


def _register_heads() -> None:
    from ..models.configuration_walt import WaltConfig

    module = sys.modules["transformers.models.auto.modeling_auto"]
    for mapping, name in _MAPPINGS.items():
        getattr(module, mapping).register(WaltConfig, LazyClasses((name,), _ours), exist_ok=True)


def _ours(name: str) -> Any:
    return getattr(importlib.import_module("hf_vdrep.heads"), name)
