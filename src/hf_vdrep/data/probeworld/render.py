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
# Rays per kernel call: what a CPU's cache holds, and what fills a GPU.
_RAYS = {"cpu": 8 * 17 * 64 * 64}
_RAYS_ELSEWHERE = 128 * 17 * 64 * 64


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


def clips_at_once(config: ProbeWorldConfig, device: torch.device) -> int:
    """How many clips share the kernels' tensors: a matter of speed and memory alone."""
    rays = _RAYS.get(device.type, _RAYS_ELSEWHERE)
    return min(max(rays // (config.num_frames * config.resolution**2), 1), 128)


def _seen(room: Tensor, solids: SolidHits, shape: tuple[int, ...]) -> tuple[Tensor, Tensor]:
    """Depth and instance of the nearest surfaces."""
    instance = solids.slot.masked_fill(solids.depth >= room, NO_SOLID)
    return torch.minimum(solids.depth, room).reshape(shape), instance.reshape(shape)


@torch.no_grad()
def render(
    scenes: Sequence[Scene],
    config: ProbeWorldConfig,
    texels: Sequence[Tensor],
    chunk: int | None = None,
    dtype: torch.dtype = torch.float32,
) -> Frames:
    """Render B scenes on the device of the texture planes `texels`.

    Args:
        chunk: clips that share the kernels' tensors, by default `clips_at_once`; the pixels do not depend on it.
        dtype: of all arithmetic; float64 tells how much of a pixel is rounding.
    """
    side, device = config.resolution, texels[0].device
    chunk = chunk or clips_at_once(config, device)
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
def surfaces_of(scenes: Sequence[Scene], config: ProbeWorldConfig) -> tuple[Tensor, Tensor]:
    """Depth and instance as in `Frames`, always on the CPU: labels are the same whatever device draws the pixels."""
    chunk, parts = clips_at_once(config, torch.device("cpu")), []
    for start in range(0, len(scenes), chunk):
        group = scenes[start : start + chunk]
        room, solids = surfaces(pack(group), pixel_grid(config))
        parts.append(_seen(room.depth.reshape(-1), solids, (len(group), config.num_frames, *[config.resolution] * 2)))
    depth, instance = (torch.cat(column) for column in zip(*parts, strict=True))
    return depth, instance
