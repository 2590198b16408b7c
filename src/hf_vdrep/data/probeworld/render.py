# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Frames from scenes: one ray per pixel, on request three more where neighbouring pixels differ, then a soft lens."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import torch
from torch import Tensor

from .config import ProbeWorldConfig
from .lens import antialias, soften
from .packing import pack
from .passes import grid_pass, pixel_grid, surfaces
from .raycast import SolidHits
from .scene import Scene

NO_SOLID = 255


@dataclasses.dataclass(eq=False)
class Frames:
    """Rendered clips.

    Attributes:
        video: uint8 (B, T, H, W, 3).
        depth: float32 (B, T, H, W), z-depth in metres at pixel centres.
        instance: uint8 (B, T, H, W), slot of the visible solid, 255 for the room.
    """

    video: Tensor
    depth: Tensor
    instance: Tensor


def _seen(room: Tensor, solids: SolidHits, shape: tuple[int, ...]) -> tuple[Tensor, Tensor]:
    """Depth and instance of the nearest surfaces."""
    instance = solids.slot.masked_fill(solids.depth >= room, NO_SOLID)
    return torch.minimum(solids.depth, room).reshape(shape), instance.reshape(shape)


@torch.no_grad()
def render(
    scenes: Sequence[Scene],
    config: ProbeWorldConfig,
    texels: Sequence[Tensor],
    chunk: int = 8,
    dtype: torch.dtype = torch.float32,
) -> Frames:
    """Render B scenes on the device of the texture planes `texels`; `chunk` clips at a time share the kernels' tensors.

    The chunk is a matter of cache and memory alone: the pixels do not depend on it.

    Args:
        dtype: of all arithmetic; float64 tells how much of a pixel is rounding.
    """
    side, device = config.resolution, texels[0].device
    parts = []
    for start in range(0, len(scenes), chunk):
        group = scenes[start : start + chunk]
        packed = pack(group).to(device, dtype)
        axis = pixel_grid(config, packed.local)
        shape = (len(group), config.num_frames, side, side)
        colour, room, solids = grid_pass(packed, axis, texels)
        if config.antialias < 1.0:
            antialias(packed, colour, config, axis, texels)
        colour = soften(colour.clamp_(0.0, 1.0).reshape(3, -1, side, side), config.blur)
        video = (colour * 255.0 + 0.5).to(torch.uint8).reshape(3, *shape).permute(1, 2, 3, 4, 0)
        parts.append((video.contiguous(), *_seen(room, solids, shape)))
    return Frames(*(torch.cat(column) for column in zip(*parts, strict=True)))


@torch.no_grad()
def surfaces_of(scenes: Sequence[Scene], config: ProbeWorldConfig, chunk: int = 8) -> tuple[Tensor, Tensor]:
    """Depth and instance as in `Frames`, always on the CPU: labels are the same whatever device draws the pixels."""
    parts = []
    for start in range(0, len(scenes), chunk):
        group = scenes[start : start + chunk]
        room, solids = surfaces(pack(group), pixel_grid(config))
        parts.append(_seen(room.depth.reshape(-1), solids, (len(group), config.num_frames, *[config.resolution] * 2)))
    depth, instance = (torch.cat(column) for column in zip(*parts, strict=True))
    return depth, instance
