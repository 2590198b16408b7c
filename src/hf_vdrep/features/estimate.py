# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""How large an extraction will be, before it begins."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from ..backbones.base import Backbone
from .precision import autocast, autocast_name
from .storage_dtype import num_stored_bytes
from .token_statistics import statistics_bytes


@dataclass(frozen=True)
class CellEstimate:
    """One (layer, noise level): the shape of a sample's features and the bytes of all."""

    layer: int
    timestep: int | None
    shape: tuple[int, ...]
    num_bytes: int


def estimate(
    backbone: Backbone,
    example: torch.Tensor,
    num_samples: int,
    *,
    layers: Sequence[int | float | str],
    timesteps: Sequence[int | None],
    dtype: str = "float16",
    pool: int = 1,
    statistics: bool = False,
) -> list[CellEstimate]:
    """Sizes of every cell, from one forward pass of one sample.

    Args:
        backbone: the frozen model.
        example: uint8 (1, T, H, W, 3).
        num_samples: N of the whole extraction.
        layers, timesteps, dtype, pool, statistics: as in `extract_features`.

    Raises:
        ValueError: as `extract_features`, before anything is computed that is kept.

    Returns:
        One entry per cell, timestep-major. The tokenizer's latents, kept beside them, are `latents_bytes` more.
    """
    precision, indices = autocast_name("auto", backbone.device), backbone.resolve_layers(layers)
    backbone.check_timesteps(timesteps)
    with torch.inference_mode(), autocast(precision, backbone.device):
        inputs = backbone.prepare(example)
        # Every noise level has the shapes of the first.
        maps = backbone.extract(
            inputs, sample_ids=["estimate"], layers=list(dict.fromkeys(indices)), timesteps=timesteps[:1]
        )
    found = []
    for timestep in dict.fromkeys(timesteps):
        for features in maps:
            steps, height, width, channels = features.values.shape[1:]
            check_pool((height, width), pool)
            shape = (steps, height // pool, width // pool, channels)
            size = num_stored_bytes((num_samples, *shape), dtype)
            size += statistics_bytes((num_samples, *shape)) if statistics else 0
            found.append(CellEstimate(features.layer, timestep, shape, size))
    return found


def check_pool(grid: tuple[int, int], pool: int) -> None:
    """Raise ValueError unless squares of `pool` cells tile the grid (H', W')."""
    if grid[0] % pool or grid[1] % pool:
        raise ValueError(f"pool must divide the feature grid {grid}, got {pool}")


def latents_bytes(backbone: Backbone, example: torch.Tensor, num_samples: int) -> int:
    """Bytes of the tokenizer's latents, which an extraction keeps in float32; 0 for a model without a tokenizer."""
    if backbone.tokenizer is None:
        return 0
    cells = estimate(backbone.tokenizer, example, num_samples, layers=[0], timesteps=[None], dtype="float32")
    return sum(cell.num_bytes for cell in cells)
