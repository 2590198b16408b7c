# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Rays against solids: bounding discs first, then one kernel call per category over all its rays of all clips.

A ray is (dx, dy, 1) in camera coordinates, so that its parameter is the z-depth. Indices are int32: they gather faster.
"""

from __future__ import annotations

import dataclasses
import math

import torch
from torch import Tensor

from .packing import Packed
from .scene import SLOTS
from .shapes import intersect, normal
from .vectors import Vector
from .vocabulary import SHAPE_NAMES


@dataclasses.dataclass(eq=False)
class SolidHits:
    """Nearest solid along R rays: z-depth (inf where none), slot (uint8), face code (uint8); (R,) each."""

    depth: Tensor
    slot: Tensor
    face: Tensor


@dataclasses.dataclass(eq=False)
class Pairs:
    """Rays that may meet a solid, sorted by category.

    Attributes:
        solid: int32 (L,), row of the solid in a frame.
        target: int64 (L,), slot * R + ray.
        dx, dy: (L,).
        spans: per category the half-open range of its pairs.
    """

    solid: Tensor
    target: Tensor
    dx: Tensor
    dy: Tensor
    spans: list[tuple[int, int]]


def _spans(counts: Tensor) -> list[tuple[int, int]]:
    ends = counts.cumsum(0).tolist()
    return list(zip([0, *ends[:-1]], ends, strict=True))


def grid_pairs(packed: Packed, axis: Tensor) -> Pairs:
    """Pairs of the pixel grid, whose directions along x and y are `axis` (W,); ray = (frame * W + row) * W + column."""
    side = len(axis)
    cx, cy, cz, rest = packed.centre.reshape(4, -1, 1, 1)
    along = cx * axis + (cy * axis[:, None] + cz)
    square = axis * axis + (axis * axis)[:, None] + 1.0
    # Signed squares: a solid behind the camera is no candidate.
    mask = (along.abs().mul_(along) > rest * square).reshape(-1, side * side)
    order = packed.kind.sort(stable=True).indices
    mask = mask.index_select(0, order)
    counts = mask.sum(1)
    flat = mask.reshape(-1).nonzero().squeeze(1)
    moved = (order - torch.arange(len(order), device=order.device)) * (side * side)
    target = flat + moved.repeat_interleave(counts)
    solid = order.int().repeat_interleave(counts)
    pixel = (target - (order * (side * side)).repeat_interleave(counts)).int()
    per_kind = counts.new_zeros(len(SHAPE_NAMES)).index_add_(0, packed.kind[order].long(), counts)
    dx, dy = axis.repeat(side), axis.repeat_interleave(side)
    return Pairs(solid, target, dx.index_select(0, pixel), dy.index_select(0, pixel), _spans(per_kind))


def list_pairs(packed: Packed, frame: Tensor, dx: Tensor, dy: Tensor) -> Pairs:
    """Pairs of R single rays of the int32 frames `frame`."""
    rays, square, masks = len(frame), dx * dx + dy * dy + 1.0, []
    for slot in range(SLOTS):
        cx, cy, cz, rest = packed.centre[:, slot].index_select(1, frame)
        along = cx * dx + cy * dy + cz
        masks.append(along.abs().mul_(along) > rest * square)
    picked = [mask.nonzero().squeeze(1) for mask in masks]
    ray = torch.cat(picked)
    target = torch.cat([index + slot * rays for slot, index in enumerate(picked)])
    solid = torch.cat([frame.index_select(0, index) + slot * packed.frames for slot, index in enumerate(picked)])
    kinds, order = packed.kind.index_select(0, solid).sort(stable=True)
    ray = ray.index_select(0, order).int()
    counts = torch.bincount(kinds, minlength=len(SHAPE_NAMES))
    solid, target = solid.index_select(0, order), target.index_select(0, order)
    return Pairs(solid, target, dx.index_select(0, ray), dy.index_select(0, ray), _spans(counts))


def local_rays(packed: Packed, solid: Tensor, dx: Tensor, dy: Tensor) -> tuple[Vector, Vector]:
    """Origins and directions in the frames of the given solids (rows)."""
    table = packed.local.index_select(1, solid)
    direction = tuple(table[axis] * dx + table[3 + axis] * dy + table[6 + axis] for axis in range(3))
    return (table[9], table[10], table[11]), direction  # type: ignore[return-value]


def nearest_solid(packed: Packed, pairs: Pairs, rays: int) -> SolidHits:
    """Nearest solid along each of `rays` rays."""
    depth = packed.local.new_full((SLOTS * rays,), math.inf)
    face = packed.kind.new_zeros(SLOTS * rays)
    for kind, (start, stop) in enumerate(pairs.spans):
        if start == stop:
            continue
        here = slice(start, stop)
        origin, direction = local_rays(packed, pairs.solid[here], pairs.dx[here], pairs.dy[here])
        t, code = intersect(kind, origin, direction)
        depth.scatter_(0, pairs.target[here], t)
        face.scatter_(0, pairs.target[here], code)
    return _closest(depth.reshape(SLOTS, rays), face.reshape(SLOTS, rays))


def _closest(depth: Tensor, face: Tensor) -> SolidHits:
    best, slot, code = depth[0], torch.zeros_like(face[0]), face[0]
    for index in range(1, SLOTS):
        closer = (depth[index] < best).to(torch.uint8)
        best = torch.minimum(best, depth[index])
        slot += closer * (index - slot)
        code = code + closer * (face[index] - code)
    return SolidHits(best, slot, code)


def normals(kinds: Tensor, point: Vector, face: Tensor, direction: Vector) -> Vector:
    """Unit normals in local frames of V hits on solids of mixed categories."""
    sorted_kinds, order = kinds.sort(stable=True)
    counts = torch.bincount(sorted_kinds, minlength=len(SHAPE_NAMES))
    parts = [part.index_select(0, order) for part in (*point, *direction)]
    codes = face.index_select(0, order)
    out = tuple(torch.empty_like(point[0]) for _ in range(3))
    for kind, (start, stop) in enumerate(_spans(counts)):
        if start == stop:
            continue
        here = [part[start:stop] for part in parts]
        found = normal(kind, tuple(here[:3]), codes[start:stop], tuple(here[3:]))  # type: ignore[arg-type]
        for target, part in zip(out, found, strict=True):
            target.scatter_(0, order[start:stop], part.to(target.dtype))
    return out  # type: ignore[return-value]
