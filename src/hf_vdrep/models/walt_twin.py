# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""The image twin of a video model: the same parameters, every block spatial (From Image to Video, §3)."""

from collections.abc import Mapping
from typing import Any

from .transformer_walt import WaltTransformer3DModel


def image_twin(config: Mapping[str, Any]) -> dict[str, Any]:
    """The config of I-WALT that belongs to a V-WALT config: spatial where that was spatiotemporal.

    Args:
        config: arguments of `WaltTransformer3DModel`, or the `config` of a model.

    Raises:
        ValueError: the config is an image model's already.
    """
    if config.get("objective", "video") != "video":
        raise ValueError(f"config must have objective='video', got {config['objective']!r}")
    return {name: value for name, value in config.items() if not name.startswith("_")} | {"objective": "image"}


def make_image_twin(model: WaltTransformer3DModel) -> WaltTransformer3DModel:
    """The image twin of `model` with a copy of its weights, name by name.

    Raises:
        ValueError: the model is an image model already.
    """
    twin = WaltTransformer3DModel(**image_twin(model.config))
    # Assigned, not copied in: the twin then has the precision and device of the model.
    twin.load_state_dict({name: value.clone() for name, value in model.state_dict().items()}, assign=True)
    return twin.train(model.training)
