# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Casting and colouring rays, the whole pixel grid at once or one by one, on the tables' device and in their dtype."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from .background import RoomHits, shade_room
from .config import ProbeWorldConfig
from .packing import Packed
from .raycast import SolidHits, grid_pairs, list_pairs, nearest_solid
from .shading import shade_solids
from .vectors import Vector


def pixel_grid(config: ProbeWorldConfig, like: Tensor | None = None) -> Tensor:
    """Direction component (d, 1) of pixel centres along one axis of the square frame, (W,), device and dtype `like`."""
    side = config.resolution
    device, dtype = ("cpu", torch.float32) if like is None else (like.device, like.dtype)
    return ((torch.arange(side, dtype=dtype, device=device) + 0.5) - 0.5 * side) / (config.focal * side)


def _view(parts: Tensor, shape: tuple[int, ...]) -> list[Tensor]:
    return [part.reshape(shape) for part in parts]


def _world_rays(camera: Tensor, shape: tuple[int, ...], dx: Tensor, dy: Tensor) -> tuple[Vector, Vector]:
    """Eyes and directions in world coordinates, from the columns (12, ...) of `Packed.camera`."""
    m = _view(camera, shape)
    x, y, z = (m[3 * axis] * dx + (m[3 * axis + 1] * dy + m[3 * axis + 2]) for axis in range(3))
    return (m[9], m[10], m[11]), (x, y, z)


def surfaces(packed: Packed, axis: Tensor) -> tuple[RoomHits, SolidHits]:
    """What the rays of the pixel grid meet: the room (N, H, W), and solids (N * H * W,)."""
    side, count = len(axis), packed.frames
    wide = (count, 1, 1)
    room = RoomHits(_view(packed.room, wide), *_world_rays(packed.camera, wide, axis, axis[:, None]))
    return room, nearest_solid(packed, grid_pairs(packed, axis), count * side * side)


def grid_pass(packed: Packed, axis: Tensor, texels: Sequence[Tensor]) -> tuple[Tensor, Tensor, SolidHits]:
    """Colours (3, N * H * W), depth of the room (N * H * W,) and solids at pixel centres."""
    side, count = len(axis), packed.frames
    wide = (count, 1, 1)
    hits, solids = surfaces(packed, axis)
    frame = torch.arange(count, dtype=torch.int32, device=axis.device)
    shadow = [_view(part, wide) for part in packed.shadow]
    colour = shade_room(packed, hits, frame.reshape(wide), _view(packed.sun, wide), shadow, texels).reshape(3, -1)
    depth = hits.depth.reshape(-1)
    shown = (solids.depth < depth).reshape(count, -1)
    visible = shown.reshape(-1).nonzero().squeeze(1)
    frame = frame.repeat_interleave(shown.sum(1))
    pixel = visible.int() - frame * (side * side)
    dx, dy = axis.repeat(side).index_select(0, pixel), axis.repeat_interleave(side).index_select(0, pixel)
    put(colour, visible, shade_solids(packed, solids, visible.int(), frame, dx, dy, texels))
    return colour, depth, solids


def put(colour: Tensor, where: Tensor, values: Tensor) -> None:
    """Write columns of `values` (3, V) to the places `where` (V,) of `colour` (3, R)."""
    for plane, part in zip(colour, values, strict=True):
        plane.scatter_(0, where, part)


def cast(packed: Packed, frame: Tensor, dx: Tensor, dy: Tensor) -> tuple[RoomHits, SolidHits]:
    """What R single rays (dx, dy, 1) of the given frames, int32 (R,), meet."""
    eye, direction = _world_rays(packed.camera.index_select(1, frame), (-1,), dx, dy)
    room = RoomHits(list(packed.room.index_select(1, frame)), eye, direction)
    return room, nearest_solid(packed, list_pairs(packed, frame, dx, dy), len(frame))


def list_pass(packed: Packed, frame: Tensor, dx: Tensor, dy: Tensor, texels: Sequence[Tensor]) -> Tensor:
    """Colours (3, R) of single rays."""
    room, solids = cast(packed, frame, dx, dy)
    sun = tuple(packed.sun.index_select(1, frame))
    shadow = [tuple(part.index_select(1, frame)) for part in packed.shadow]
    colour = shade_room(packed, room, frame, sun, shadow, texels)
    visible = (solids.depth < room.depth).nonzero().squeeze(1)
    small = visible.int()
    frame, dx, dy = (part.index_select(0, small) for part in (frame, dx, dy))
    put(colour, visible, shade_solids(packed, solids, small, frame, dx, dy, texels))
    return colour
