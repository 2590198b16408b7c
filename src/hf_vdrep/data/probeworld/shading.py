# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Colours of solids: pattern, Lambert light with a soft sky, a small highlight."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from .packing import Packed
from .patterns import mix
from .raycast import SolidHits, local_rays, normals
from .textures import SIDE
from .vectors import Vector, along, dot
from .vocabulary import PATTERN_NAMES

_PHOTOGRAPH = PATTERN_NAMES.index("photograph")


def _photographs(
    packed: Packed, solid: Tensor, place: list[Tensor], facing: Vector, texels: Sequence[Tensor]
) -> Tensor:
    """Photographs projected along the local axis that the surface faces most, (3, V) in [0, 1]."""
    nx, ny, nz = (part.abs() for part in facing)
    use_x, use_y = (nx > ny) & (nx > nz), (ny >= nx) & (ny > nz)
    u = torch.where(use_x, place[2], place[0])
    v = torch.where(use_y, place[2], -place[1])
    column, row = (((part + 16.0) * SIDE).int() & (SIDE - 1) for part in (u, v))
    texel = packed.photo.index_select(0, solid) + row * SIDE + column
    return torch.stack([plane.index_select(0, texel).float() * (1.0 / 255.0) for plane in texels])


def _highlight(light: Vector, facing: Vector, direction: Vector) -> Tensor:
    """Blinn's term to the 24th power."""
    scale = 1.0 / dot(direction, direction).sqrt()
    half: Vector = tuple(a - b * scale for a, b in zip(light, direction, strict=True))  # type: ignore[assignment]
    lobe = (dot(half, facing) / dot(half, half).sqrt()).clamp_min(0.0)
    lobe8 = ((lobe * lobe) * (lobe * lobe)) * ((lobe * lobe) * (lobe * lobe))
    return lobe8 * lobe8 * lobe8


def shade_solids(
    packed: Packed, hits: SolidHits, rays: Tensor, frame: Tensor, dx: Tensor, dy: Tensor, texels: Sequence[Tensor]
) -> Tensor:
    """Colours (3, V) of the rays `rays` (V,), all of which hit a solid.

    Args:
        hits: what all rays hit.
        frame: int32 (V,), frame of those rays; (dx, dy, 1) are their directions.
        texels: three uint8 (M,) texture planes.
    """
    solid = hits.slot.index_select(0, rays).int() * packed.frames + frame
    t, face = hits.depth.index_select(0, rays), hits.face.index_select(0, rays)
    origin, direction = local_rays(packed, solid, dx, dy)
    point = along(origin, direction, t)
    facing = normals(packed.kind.index_select(0, solid), point, face, direction)
    look = packed.look.index_select(1, solid)
    place = [dot((look[6 + 3 * i], look[7 + 3 * i], look[8 + 3 * i]), point) + look[15 + i] for i in range(3)]
    lean = mix(look[19], *place)
    colour = look[:3] + (look[3:6] - look[:3]) * lean
    photo = (look[19] == _PHOTOGRAPH).nonzero().squeeze(1)
    if len(photo):
        parts = [part.index_select(0, photo) for part in (*place, *facing)]
        side: Vector = (parts[3], parts[4], parts[5])
        picture = _photographs(packed, solid.index_select(0, photo), parts[:3], side, texels)
        tint = look[:3].index_select(1, photo)
        colour[:, photo] = (0.45 * tint + 0.75 * picture).clamp(0.0, 1.0)
    table = packed.light.index_select(1, solid)
    light: Vector = (table[0], table[1], table[2])
    sky = dot((table[3], table[4], table[5]), facing)
    lit = dot(light, facing).clamp_min(0.0) * 0.62 + sky * 0.12 + 0.40
    return colour * lit + look[18] * _highlight(light, facing, direction)
