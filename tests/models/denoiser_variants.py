# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Small denoisers of every build, and inputs that use everything a build accepts."""

from typing import Any

import torch

from hf_vdrep.models import WaltTransformer3DModel

BASE: dict[str, Any] = {
    "in_channels": 4,
    "num_layers": 4,
    "num_attention_heads": 2,
    "attention_head_dim": 8,
    "sample_frames": 3,
    "sample_size": 4,
    "spatial_window": (4, 4),
    "spatiotemporal_window": (2, 2),
}
VARIANTS: dict[str, dict[str, Any]] = {
    "video": {},
    "image": {"objective": "image"},
    "class": {"num_classes": 3},
    "text": {"text_dim": 6},
    "frames": {"frame_conditioning": True},
    "super": {"low_res_scale": 2},
    "separate": {"adaln_lora_rank": None},
    "patch": {"patch_size": 2, "sample_size": (4, 8), "spatial_window": (2, 4), "spatiotemporal_window": (1, 2)},
    "uneven": {"sample_size": (5, 6), "spatial_window": (4, 4), "spatiotemporal_window": (3, 5)},
    "everything": {"num_classes": 3, "text_dim": 6, "frame_conditioning": True, "low_res_scale": 2},
}


def build(variant: str, seed: int = 0, **changes: Any) -> WaltTransformer3DModel:
    """A denoiser with random weights everywhere: a fresh one is the zero function and would pass any test."""
    model = WaltTransformer3DModel(**BASE | VARIANTS[variant] | changes)
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator) * 0.15)
    return model.eval()


def inputs(model: WaltTransformer3DModel, batch: int = 2, seed: int = 1) -> dict[str, Any]:
    """Arguments of `forward` that give the model every condition it takes; the second sample has none of the text."""
    generator = torch.Generator().manual_seed(seed)
    config = model.config
    size = config.sample_size
    height, width = (size, size) if isinstance(size, int) else size
    shape = (batch, config.in_channels, config.sample_frames, height, width)

    def normal(*sizes: int) -> torch.Tensor:
        return torch.randn(sizes, generator=generator)

    given: dict[str, Any] = {
        "hidden_states": normal(*shape),
        "timestep": torch.tensor([200, 700])[:batch],
        "self_condition": normal(*shape),
        "image_mask": torch.tensor([False, True])[:batch],
    }
    if config.num_classes is not None:
        given["class_labels"] = torch.tensor([0, 2])[:batch]
    if config.text_dim is not None:
        given["encoder_hidden_states"] = normal(batch, 5, config.text_dim)
        mask = torch.tensor([[True, True, True, False, False], [False] * 5])
        given["encoder_attention_mask"] = mask[:batch]
    if config.frame_conditioning:
        given["frame_condition"] = normal(*shape)
        given["frame_mask"] = torch.tensor([[True, False, False], [True, True, False]])[:batch, : shape[2]]
    if config.low_res_scale is not None:
        scale = config.low_res_scale
        given["low_res"] = normal(*shape[:3], height // scale, width // scale)
        given["low_res_timestep"] = torch.tensor([3, 50])[:batch]
    return given
