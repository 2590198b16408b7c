# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""The room behind the solids: six textured planes with the solids' soft shadows."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from .packing import Packed
from .textures import SIDE, TEXELS_PER_METRE
from .vectors import Vector

_SHADE = 0.5
_SHIFT = SIDE.bit_length() - 1


class RoomHits:
    """Where rays meet the room.

    Attributes:
        depth: z-depth in metres.
        point: world coordinates.
        face: int32 index into `FACES`.
        on_x, on_y: 1.0 where the face is a side wall, or floor or ceiling.
    """

    def __init__(self, bounds: Sequence[Tensor], eye: Vector, direction: Vector) -> None:
        times = []
        for axis in range(3):
            inverse = 1.0 / direction[axis]
            low, high = bounds[2 * axis] - eye[axis], bounds[2 * axis + 1] - eye[axis]
            # From inside, the far crossing of each slab; a ray parallel to it gives +inf on one side.
            times.append(torch.maximum(low * inverse, high * inverse))
        self.depth = torch.minimum(torch.minimum(times[0], times[1]), times[2])
        self.point: Vector = tuple(e + self.depth * d for e, d in zip(eye, direction, strict=True))  # type: ignore[assignment]
        self.on_x = (times[0] == self.depth).float()
        self.on_y = (times[1] == self.depth).float() * (1.0 - self.on_x)
        ahead = [(part > 0).float() for part in direction]
        far = 2.0 + ahead[2]
        face = far + self.on_y * (ahead[1] - far) + self.on_x * (4.0 + ahead[0] - far)
        self.face = face.int()


def _blocked(square: Tensor, point: Vector, shadow: Sequence[Sequence[Tensor]]) -> Tensor:
    """How much light the solids take away, in [0, 1]: one soft disc per solid around its axis to the light."""
    x, y, z = point
    total = torch.zeros_like(x)
    for quadratic, gx, gy, gz, rest in shadow:
        cover = square * quadratic
        cover += rest
        for weight, part in ((gx, x), (gy, y), (gz, z)):
            cover += part * weight
        total += cover.clamp_(0.0, 1.0)
    return total.clamp_max_(1.0)


def shade_room(
    packed: Packed,
    hits: RoomHits,
    frame: Tensor,
    sun: Sequence[Tensor],
    shadow: Sequence[Sequence[Tensor]],
    texels: Sequence[Tensor],
) -> Tensor:
    """Colours (3, ...) of the room.

    Args:
        frame: int32 frame index of every ray, broadcastable.
        sun: components of the direction to the light, broadcastable.
        shadow: per slot the five shadow coefficients, broadcastable.
        texels: three uint8 (M,) texture planes.
    """
    x, y, z = hits.point
    row = (frame * 6 + hits.face).reshape(-1)
    table = packed.face.index_select(1, row).reshape(8, *x.shape)
    u = (x + hits.on_x * (z - x)) * TEXELS_PER_METRE + table[6]
    v = (hits.on_y * (z + y) - y) * TEXELS_PER_METRE + table[7]
    texel = (v.int() & (SIDE - 1)) << _SHIFT
    texel |= u.int() & (SIDE - 1)
    texel = texel.reshape(-1)
    texel += packed.face_texture.index_select(0, row)
    along = x * sun[0] + y * sun[1] + z * sun[2]
    square = x * x + y * y + z * z - along * along
    # A side wall turned away from the light sees no shadow.
    away = hits.on_x * ((hits.face == 4) != (sun[0] > 0)).float()
    light = 1.0 - (1.0 - away) * _SHADE * _blocked(square, hits.point, shadow)
    out = x.new_empty(3, *x.shape)
    for channel in range(3):
        value = texels[channel].index_select(0, texel).float().reshape(x.shape)
        value = (value * (1.0 / 255.0) - 0.5) * table[3 + channel] + table[channel]
        torch.mul(value, light, out=out[channel])
    return out
