# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""A denoiser for other latent sizes than it was trained on, its positions interpolated (WALT Table 6, 9:16)."""

from collections.abc import Sequence
from typing import Any

import torch

from .transformer_walt import WaltTransformer3DModel
from .walt_position import WaltRelativePositionBias, interpolate_line, interpolate_space
from .walt_windows import Grid, fit_window


@torch.no_grad()
def interpolate_positions(
    model: WaltTransformer3DModel,
    *,
    sample_frames: int | None = None,
    sample_size: int | Sequence[int] | None = None,
    spatial_window: Sequence[int] | None = None,
    spatiotemporal_window: Sequence[int] | None = None,
) -> WaltTransformer3DModel:
    """A model of another training grid with the weights of `model`, to start fine-tuning from.

    Space embeddings are interpolated bicubically, time embeddings linearly. A block's position bias is stretched
    where its window outgrows the old grid, and otherwise keeps the value of every offset.

    Args:
        model: trained denoiser; it is left as it is.
        sample_frames: latent frames; None keeps them.
        sample_size: latent height and width, one number or two; None keeps them.
        spatial_window: (h, w) in tokens; None keeps it.
        spatiotemporal_window: (h, w) in tokens; None keeps it.
    """
    asked = {
        "sample_frames": sample_frames,
        "sample_size": sample_size,
        "spatial_window": spatial_window,
        "spatiotemporal_window": spatiotemporal_window,
    }
    config: dict[str, Any] = {name: value for name, value in model.config.items() if not name.startswith("_")}
    resized = WaltTransformer3DModel(**config | {name: value for name, value in asked.items() if value is not None})
    weights = {name: value.clone() for name, value in model.state_dict().items()}
    height, width = resized.pos_embed_space.shape[:2]
    weights["pos_embed_space"] = interpolate_space(weights["pos_embed_space"], (height, width))
    weights["pos_embed_time"] = interpolate_line(weights["pos_embed_time"], resized.pos_embed_time.shape[0])
    for name, module in resized.named_modules():
        if isinstance(module, WaltRelativePositionBias):
            window = _window(resized.get_submodule(name.rsplit(".", 2)[0]), module.grid)
            old = model.get_submodule(name)
            weights[f"{name}.time"] = _resize_time(old, module.grid, window)
            weights[f"{name}.space"] = _resize_space(old, module.grid, window)
    resized.load_state_dict(weights, assign=True)
    return resized.train(model.training)


def _window(block: Any, grid: Grid) -> Grid:
    return fit_window(block.window, grid)


def _resize_time(old: WaltRelativePositionBias, grid: Grid, window: Grid) -> torch.Tensor:
    if window[0] > old.grid[0]:
        return interpolate_line(old.time, 2 * grid[0] - 1)
    return old.time[_nearest(old.grid[0], grid[0], old.time.device)]


def _resize_space(old: WaltRelativePositionBias, grid: Grid, window: Grid) -> torch.Tensor:
    table: torch.Tensor = old.space
    reached = (old.grid[1], old.grid[2])
    if window[1] > reached[0] or window[2] > reached[1]:
        reached = max(window[1], reached[0]), max(window[2], reached[1])
        table = interpolate_space(table, (2 * reached[0] - 1, 2 * reached[1] - 1), align_corners=True)
    rows = _nearest(reached[0], grid[1], table.device)
    columns = _nearest(reached[1], grid[2], table.device)
    return table[rows[:, None], columns[None, :]]


def _nearest(size: int, wanted: int, device: torch.device) -> torch.Tensor:
    """Where in a table over the offsets of `size` places those of `wanted` places stand, the outer ones at its edge."""
    return torch.arange(1 - wanted, wanted, device=device).clamp(1 - size, size - 1) + size - 1
