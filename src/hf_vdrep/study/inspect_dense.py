# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Feature maps finer than a backbone's own grid, at the size that it was trained at.

A larger input would make a finer map too, but off the training grid: the windows of WALT would not see each other,
and their borders would show as seams. Here the input is shifted by fractions of a cell instead, and the maps are
interleaved ("shift and stitch"): every value is a feature of the backbone as it is probed.
"""

from dataclasses import dataclass

import torch

from ..backbones.base import Backbone
from ..backbones.feature_map import FeatureMap

_BATCH = 16


@dataclass(frozen=True)
class Tap:
    """Where and how features are taken.

    Attributes:
        layer: as `Backbone.extract` takes it.
        timestep: noise level; left out for backbones that use none.
        seed: seed of the first draw of the noise; the others follow it.
        draws: features are averaged over so many draws, at least 1.
        density: maps are so many times finer than the backbone's grid; divides its stride.
    """

    layer: int | float = 0.67
    timestep: int = 200
    seed: int = 0
    draws: int = 1
    density: int = 1

    def __post_init__(self) -> None:
        for name in ("draws", "density"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, got {getattr(self, name)}")


def dense_features(backbone: Backbone, frames: torch.Tensor, sample_id: str, tap: Tap) -> FeatureMap:
    """Features of one clip on a grid `tap.density` times as fine, averaged over draws of the noise.

    Args:
        backbone: a frozen model.
        frames: uint8 (T, H, W, 3).
        sample_id: fixes the noise; every shift draws its own.
        tap: where and how. Cell centres are right to within half a pixel.

    Returns:
        float32 values (1, T', H', W', C) on the CPU, with `stride` divided by the density.

    Raises:
        ValueError: a layer, timestep or clip that the backbone cannot take, a density that does not divide its
            stride, or features that are not finite.
    """
    shifted = _shifts(frames, tap.density, _stride(backbone, tap.density))
    taken = _extract(backbone, frames, shifted, sample_id, tap, tap.draws)
    values = _interleave(taken.values, tap.density)
    if not bool(torch.isfinite(values).all()):
        raise ValueError(f"features of {backbone.name} at block {taken.layer + 1} hold NaN or infinite values")
    stride = taken.stride // tap.density
    return FeatureMap(values, taken.layer, taken.timestep, taken.frame_spans, stride, taken.site)


def position_pattern(backbone: Backbone, frames: torch.Tensor, sample_id: str, tap: Tap) -> torch.Tensor:
    """What features hold because of their place, whatever is seen there.

    The clip is rolled around by whole cells, so that every part of the picture visits places all over the grid, and
    the features are averaged at each place over rolls and time.

    Returns:
        float32 (H', W', C) of mean zero, on the grid of `dense_features`.
    """
    stride = _stride(backbone, 1)
    rolls = [_rolls(size, stride) for size in frames.shape[1:3]]
    taken = _extract(backbone, frames, [(row, column) for row in rolls[0] for column in rolls[1]], sample_id, tap, 1)
    pattern = taken.values.mean((0, 1))
    pattern = pattern - pattern.mean((0, 1))
    return pattern.repeat_interleave(tap.density, 0).repeat_interleave(tap.density, 1)


def _extract(
    backbone: Backbone,
    frames: torch.Tensor,
    views: list[tuple[torch.Tensor, torch.Tensor]],
    sample_id: str,
    tap: Tap,
    draws: int,
) -> FeatureMap:
    """Features (views, T', h, w, C) of the clip seen through each pair of rows and columns, the mean of `draws`."""
    timestep = tap.timestep if backbone.uses_timestep else None
    count = draws if backbone.uses_timestep else 1
    parts: list[torch.Tensor] = []
    for first in range(0, len(views), _BATCH):
        batch = torch.stack([frames[:, rows][:, :, columns] for rows, columns in views[first : first + _BATCH]])
        names = [f"{sample_id}#{first + index}" if len(views) > 1 else sample_id for index in range(len(batch))]
        inputs = backbone.prepare(batch)
        for draw in range(count):
            (drawn,) = backbone.extract(
                inputs, sample_ids=names, layers=[tap.layer], timesteps=[timestep], seed=tap.seed + draw
            )
            share = drawn.values.float().cpu() / count
            parts[first // _BATCH :] = [parts[-1] + share if draw else share]
    return FeatureMap(torch.cat(parts), drawn.layer, drawn.timestep, drawn.frame_spans, drawn.stride, drawn.site)


def _stride(backbone: Backbone, density: int) -> int:
    stride = int(getattr(backbone, "stride", 1))
    if density > 1 and stride % density:
        raise ValueError(f"density must divide the {stride} pixels of a cell of {backbone.name}, got {density}")
    return stride


def _shifts(frames: torch.Tensor, density: int, stride: int) -> list[tuple[torch.Tensor, torch.Tensor]]:
    """Rows and columns of the shifted clips; the border is repeated where a shift looks beyond it."""
    offsets = [(2 * place + 1) * stride // (2 * density) - stride // 2 for place in range(density)]
    rows, columns = (
        [(torch.arange(size) + offset).clamp(0, size - 1) for offset in offsets] for size in frames.shape[1:3]
    )
    return [(row, column) for row in rows for column in columns]


def _rolls(size: int, stride: int) -> list[torch.Tensor]:
    """Indices that roll an axis around by about a quarter, whole cells each."""
    step = max(1, size // stride // 4) * stride
    return [(torch.arange(size) + offset) % size for offset in range(0, size, step)]


def _interleave(values: torch.Tensor, density: int) -> torch.Tensor:
    """(density ** 2, T', h, w, C) of the shifted clips to (1, T', h * density, w * density, C)."""
    _, steps, height, width, channels = values.shape
    grid = values.reshape(density, density, steps, height, width, channels).permute(2, 3, 0, 4, 1, 5)
    return grid.reshape(1, steps, height * density, width * density, channels)
