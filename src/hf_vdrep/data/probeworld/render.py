# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Frames from scenes: one ray per pixel, on request three more where neighbouring pixels differ, then a soft lens."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import torch
from torch import Tensor

from .background import RoomHits, shade_room
from .config import ProbeWorldConfig
from .packing import Packed, pack
from .raycast import SolidHits, grid_pairs, list_pairs, nearest_solid
from .scene import Scene
from .shading import shade_solids
from .vectors import Vector

NO_SOLID = 255
# Three samples around the centre, which is known already: four levels at any edge's slope.
_SUBPIXELS = ((-0.1, -0.36), (0.36, 0.08), (-0.26, 0.28))


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


def pixel_grid(config: ProbeWorldConfig) -> Tensor:
    """Direction component (d, 1) of pixel centres along one axis of the square frame, (W,)."""
    side = config.resolution
    return ((torch.arange(side, dtype=torch.float32) + 0.5) - 0.5 * side) / (config.focal * side)


def _view(parts: Tensor, shape: tuple[int, ...]) -> list[Tensor]:
    return [part.reshape(shape) for part in parts]


def _world_rays(camera: Tensor, shape: tuple[int, ...], dx: Tensor, dy: Tensor) -> tuple[Vector, Vector]:
    """Eyes and directions in world coordinates, from the columns (12, ...) of `Packed.camera`."""
    m = _view(camera, shape)
    x, y, z = (m[3 * axis] * dx + (m[3 * axis + 1] * dy + m[3 * axis + 2]) for axis in range(3))
    return (m[9], m[10], m[11]), (x, y, z)


def _grid_pass(packed: Packed, axis: Tensor, texels: Sequence[Tensor]) -> tuple[Tensor, Tensor, SolidHits]:
    """Colours (3, N * H * W), depth (N * H * W,) and solids at pixel centres."""
    side, count = len(axis), packed.frames
    wide = (count, 1, 1)
    hits = RoomHits(_view(packed.room, wide), *_world_rays(packed.camera, wide, axis, axis[:, None]))
    frame = torch.arange(count, dtype=torch.int32)
    shadow = [_view(part, wide) for part in packed.shadow]
    colour = shade_room(packed, hits, frame.reshape(wide), _view(packed.sun, wide), shadow, texels).reshape(3, -1)
    solids = nearest_solid(packed, grid_pairs(packed, axis), count * side * side)
    depth = hits.depth.reshape(-1)
    shown = (solids.depth < depth).reshape(count, -1)
    visible = shown.reshape(-1).nonzero().squeeze(1)
    frame = frame.repeat_interleave(shown.sum(1))
    pixel = visible.int() - frame * (side * side)
    dx, dy = axis.repeat(side).index_select(0, pixel), axis.repeat_interleave(side).index_select(0, pixel)
    _put(colour, visible, shade_solids(packed, solids, visible.int(), frame, dx, dy, texels))
    return colour, depth, solids


def _put(colour: Tensor, where: Tensor, values: Tensor) -> None:
    for plane, part in zip(colour, values, strict=True):
        plane.scatter_(0, where, part)


def cast(packed: Packed, frame: Tensor, dx: Tensor, dy: Tensor) -> tuple[RoomHits, SolidHits]:
    """What R single rays (dx, dy, 1) of the given frames, int32 (R,), meet."""
    eye, direction = _world_rays(packed.camera.index_select(1, frame), (-1,), dx, dy)
    room = RoomHits(list(packed.room.index_select(1, frame)), eye, direction)
    return room, nearest_solid(packed, list_pairs(packed, frame, dx, dy), len(frame))


def _list_pass(packed: Packed, frame: Tensor, dx: Tensor, dy: Tensor, texels: Sequence[Tensor]) -> Tensor:
    """Colours (3, R) of single rays."""
    room, solids = cast(packed, frame, dx, dy)
    sun = tuple(packed.sun.index_select(1, frame))
    shadow = [tuple(part.index_select(1, frame)) for part in packed.shadow]
    colour = shade_room(packed, room, frame, sun, shadow, texels)
    visible = (solids.depth < room.depth).nonzero().squeeze(1)
    small = visible.int()
    frame, dx, dy = (part.index_select(0, small) for part in (frame, dx, dy))
    _put(colour, visible, shade_solids(packed, solids, small, frame, dx, dy, texels))
    return colour


def _edges(colour: Tensor, side: int, threshold: float) -> Tensor:
    """Flat indices of pixels that differ from a neighbour by more than `threshold` in some channel."""
    image = colour.reshape(3, -1, side, side)
    flags = torch.zeros(image.shape[1:], dtype=torch.bool)
    across = ((image[..., 1:] - image[..., :-1]).abs() > threshold).any(0)
    down = ((image[..., 1:, :] - image[..., :-1, :]).abs() > threshold).any(0)
    flags[..., 1:] |= across
    flags[..., :-1] |= across
    flags[..., 1:, :] |= down
    flags[..., :-1, :] |= down
    return flags.reshape(-1).nonzero().squeeze(1)


def _antialias(
    packed: Packed, colour: Tensor, config: ProbeWorldConfig, axis: Tensor, texels: Sequence[Tensor]
) -> None:
    """Replace the colour of edge pixels by the mean of their centre's and three more rays, in place."""
    side = config.resolution
    flagged = _edges(colour, side, config.antialias)
    if len(flagged) == 0:
        return
    row = torch.div(flagged, side, rounding_mode="floor")
    frame = torch.div(row, side, rounding_mode="floor")
    offsets = torch.tensor(_SUBPIXELS) / (config.focal * side)
    x = (axis.index_select(0, flagged - row * side) + offsets[:, :1]).reshape(-1)
    y = (axis.index_select(0, row - frame * side) + offsets[:, 1:]).reshape(-1)
    fine = _list_pass(packed, frame.int().repeat(3), x, y, texels).clamp_(0.0, 1.0).reshape(3, 3, -1)
    centre = colour.index_select(1, flagged).clamp_(0.0, 1.0)
    _put(colour, flagged, ((centre + fine[:, 0]) + (fine[:, 1] + fine[:, 2])) * 0.25)


def _soften(image: Tensor, weight: float) -> Tensor:
    """The lens: every pixel takes `weight` of each neighbour, along both axes; (3, N, H, W), edges repeated.

    Sums of two shifted planes, not a convolution, so that it rounds alike everywhere.
    """
    if not weight:
        return image
    for axis in (2, 3):
        side = image.shape[axis]
        before = torch.cat([image.narrow(axis, 0, 1), image.narrow(axis, 0, side - 1)], axis)
        after = torch.cat([image.narrow(axis, 1, side - 1), image.narrow(axis, side - 1, 1)], axis)
        image = image * (1.0 - 2.0 * weight) + (before + after) * weight
    return image


@torch.no_grad()
def render(scenes: Sequence[Scene], config: ProbeWorldConfig, texels: Sequence[Tensor], chunk: int = 8) -> Frames:
    """Render B scenes with the texture planes `texels`; `chunk` clips at a time share the kernels' tensors.

    The chunk is a matter of cache alone: the pixels do not depend on it.
    """
    side = config.resolution
    axis = pixel_grid(config)
    parts = []
    for start in range(0, len(scenes), chunk):
        group = scenes[start : start + chunk]
        packed = pack(group)
        shape = (len(group), config.num_frames, side, side)
        colour, room, solids = _grid_pass(packed, axis, texels)
        if config.antialias < 1.0:
            _antialias(packed, colour, config, axis, texels)
        colour = _soften(colour.clamp_(0.0, 1.0).reshape(3, -1, side, side), config.blur)
        video = (colour * 255.0 + 0.5).to(torch.uint8).reshape(3, *shape).permute(1, 2, 3, 4, 0)
        instance = solids.slot.masked_fill(solids.depth >= room, NO_SOLID)
        depth = torch.minimum(solids.depth, room)
        parts.append((video.contiguous(), depth.reshape(shape), instance.reshape(shape)))
    return Frames(*(torch.cat(column) for column in zip(*parts, strict=True)))
