# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Tiny models of every kind with weights that make every path count, and what they take."""

from typing import Any

import torch

from hf_vdrep import heads
from hf_vdrep.models import WaltConfig, WaltModel

torch.set_num_threads(1)

VAE = {
    "latent_channels": 4,
    "block_out_channels": (8, 8, 8, 16),
    "layers_per_block": (0, 0, 1, 0),
    "mid_block_layers": 0,
    "temporal_kernel_sizes": (1, 1, 3, 3),
    "norm_num_groups": 4,
    "latents_mean": [0.1, -0.2, 0.3, 0.0],
    "latents_std": [0.5, 1.5, 1.0, 2.0],
}
DENOISER = {
    "in_channels": 4,
    "num_layers": 3,
    "num_attention_heads": 2,
    "attention_head_dim": 8,
    "sample_frames": 3,
    "sample_size": 4,
    "spatial_window": (4, 4),
    "spatiotemporal_window": (2, 2),
}
FRAMES, SIDE, LAYERS, WIDTH = 9, 32, 3, 16
CLASSES: dict[str, Any] = {
    "model": WaltModel,
    "backbone": heads.WaltBackbone,
    "image_classification": heads.WaltForImageClassification,
    "video_classification": heads.WaltForVideoClassification,
    "depth": heads.WaltForDepthEstimation,
    "camera_pose": heads.WaltForCameraPose,
    "point_tracking": heads.WaltForPointTracking,
    "box_tracking": heads.WaltForBoxTracking,
}
HEADS = [name for name in CLASSES if name not in ("model", "backbone")]


def scatter(model: torch.nn.Module, seed: int = 0) -> torch.nn.Module:
    """Random weights everywhere: fresh heads are zero and would pass any test."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator) * 0.2)
    return model.eval()


def make_config(**changes: Any) -> WaltConfig:
    return WaltConfig(vae_config=VAE, transformer_config=DENOISER, **changes)


def make(name: str, **changes: Any) -> Any:
    """A model of a kind with random weights everywhere."""
    if name == "depth":  # a sixteenth of the pixels: the decoder is the slow part
        changes = {"depth_stride": 4, **changes}
    return scatter(CLASSES[name](make_config(**changes)))


def inputs_of(name: str, batch: int = 2) -> dict[str, torch.Tensor]:
    """What a kind takes, without labels."""
    generator = torch.Generator().manual_seed(1)
    clip = torch.rand(batch, FRAMES, 3, SIDE, SIDE, generator=generator) * 2 - 1
    if name in ("model", "backbone", "image_classification"):
        return {"pixel_values": clip[:, 0]}
    extra: dict[str, torch.Tensor] = {}
    if name == "point_tracking":
        extra["query_points"] = torch.rand(batch, 5, 2, generator=generator)
    if name == "box_tracking":
        corner = torch.rand(batch, 3, 2, generator=generator) * 0.5
        extra["query_boxes"] = torch.cat([corner, corner + 0.3], dim=-1)
    return {"pixel_values_videos": clip, **extra}


def labels_of(name: str, batch: int = 2) -> dict[str, torch.Tensor]:
    """Labels of a head."""
    generator = torch.Generator().manual_seed(2)
    shapes = {
        "depth": (batch, FRAMES, SIDE, SIDE),
        "camera_pose": (batch, 3, 4),
        "point_tracking": (batch, 5, FRAMES, 2),
        "box_tracking": (batch, 3, FRAMES, 4),
    }
    if name not in shapes:
        return {"labels": torch.arange(batch) % 2}
    values = torch.rand(shapes[name], generator=generator)
    if name == "box_tracking":
        values = torch.cat([values[..., :2] * 0.5, values[..., :2] * 0.5 + 0.3], dim=-1)
    return {"labels": values + 0.5 if name == "depth" else values}


def answer(output: Any) -> torch.Tensor:
    """The head's main result."""
    for name in ("logits", "predicted_depth", "tracks", "boxes", "last_hidden_state"):
        if output.get(name) is not None:
            return output[name]
    return output.feature_maps[-1]
