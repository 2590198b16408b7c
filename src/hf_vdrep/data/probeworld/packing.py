# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Scenes as flat tables that the ray-caster gathers from. Every row is computed from one scene alone."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from .scene import SLOTS, Scene
from .shapes import EXTENTS
from .textures import SIDE
from .vocabulary import SHAPE_NAMES

AMBIENT, DIFFUSE = 0.62, 0.45
OFFSET = 16.0 * SIDE  # keeps texture coordinates positive, so that truncation is floor
SHADOW_EDGE = 1.5  # squared distance, in radii, at which a soft shadow ends


@dataclasses.dataclass(eq=False)
class Packed:
    """B scenes of T frames with K slots as float32 tables; N = B * T frames, J = K * N solids in frames.

    Frame t of clip b is n = b * T + t; the solid in slot k of frame n has row k * N + n. What does not change over a
    clip is repeated, so that one index serves every table.

    Attributes:
        frames: N.
        kind: uint8 (J,), category.
        local: (12, J) camera rays to local rays: three columns of the matrix, then the origin.
        centre: (4, K, N): centre in the camera frame (x, y, z) and |centre|^2 - bound^2; +inf in an empty slot.
        light: (6, J) direction to the light and up, in local axes.
        look: (20, J) colours (6), pattern matrix (9), phase (3), gloss, pattern index.
        photo: int32 (J,), offset of the solid's photograph in the texel table.
        camera: (12, N) camera-to-world matrix by rows, then the eye.
        room: (6, N) bounds.
        face: (8, N * 6) lit base (3), lit amplitude (3), texture offset (2).
        face_texture: int32 (N * 6,), offset of the face's texture in the texel table.
        shadow: (K, 5, N) coefficients of |p|^2 - (p . sun)^2, p and 1: positive near a solid's axis to the light.
        sun: (3, N) direction to the light.
    """

    frames: int
    kind: Tensor
    local: Tensor
    centre: Tensor
    light: Tensor
    look: Tensor
    photo: Tensor
    camera: Tensor
    room: Tensor
    face: Tensor
    face_texture: Tensor
    shadow: Tensor
    sun: Tensor

    def to(self, device: str | torch.device, dtype: torch.dtype = torch.float32) -> Packed:
        """The same tables on a device, floating point as `dtype`."""
        moved: dict[str, Any] = {
            name: part.to(device, dtype if part.is_floating_point() else part.dtype)
            for name, part in vars(self).items()
            if isinstance(part, Tensor)
        }
        return dataclasses.replace(self, **moved)


def _local_rays(scene: Scene) -> np.ndarray:
    """(T, K, 12): columns of local-from-camera, then the eye in local coordinates."""
    inverse = scene.rotation.transpose(0, 1, 3, 2) / scene.scale[:, None, None]
    matrix = inverse @ scene.camera_rotation[:, None]
    origin = (inverse @ (scene.camera_position[:, None] - scene.position)[..., None])[..., 0]
    return np.concatenate([matrix.transpose(0, 1, 3, 2).reshape(*matrix.shape[:2], 9), origin], -1)


def _centres(scene: Scene) -> np.ndarray:
    """(T, K, 4): centre in the camera frame, squared length minus squared bound."""
    offset = scene.position - scene.camera_position[:, None]
    centre = (scene.camera_rotation.transpose(0, 2, 1)[:, None] @ offset[..., None])[..., 0]
    bound = np.array([EXTENTS[SHAPE_NAMES[k]].bound for k in scene.kind]) * scene.scale * 1.01
    rest = np.where(scene.active, (centre**2).sum(-1) - bound**2, np.inf)
    return np.concatenate([centre, rest[..., None]], -1)


def _lights(scene: Scene) -> np.ndarray:
    """(T, K, 6): light and up directions in local axes."""
    inverse = scene.rotation.transpose(0, 1, 3, 2)
    up = np.broadcast_to(inverse[..., :, 1], (*inverse.shape[:2], 3))
    return np.concatenate([inverse @ scene.light, up], -1)


def _looks(scene: Scene) -> np.ndarray:
    """(K, 20)."""
    m = scene.materials
    count = len(m.pattern)
    parts = [m.colours.reshape(count, 6), m.frequency.reshape(count, 9), m.phase, m.gloss[:, None], m.pattern[:, None]]
    return np.concatenate(parts, 1)


def _faces(scene: Scene) -> np.ndarray:
    """(6, 8): lit colours and texture offsets of the room's faces."""
    normals = np.array([[0, 1, 0], [0, -1, 0], [0, 0, 1], [0, 0, -1], [1, 0, 0], [-1, 0, 0]], dtype=np.float64)
    lit = AMBIENT + DIFFUSE * np.maximum(normals @ scene.light, 0.0)[:, None]
    room = scene.room
    return np.concatenate([room.base * lit, room.amplitude * lit, room.offset + OFFSET], 1)


def _shadows(scene: Scene) -> np.ndarray:
    """(T, K, 5). The squared distance of p to the axis through c along l is q(p) - q(c) - ..., linear in p beside q."""
    radius = np.array([EXTENTS[SHAPE_NAMES[k]].shadow for k in scene.kind]) * scene.scale
    inverse = np.where(scene.active, 1.0 / radius**2, 0.0)[:, None]
    along = scene.position @ scene.light
    linear = 2 * (along[..., None] * scene.light - scene.position)
    rest = (scene.position**2).sum(-1, keepdims=True) - (along**2)[..., None]
    softness = np.where(scene.active, SHADOW_EDGE, 0.0)[:, None]
    quadratic = np.broadcast_to(inverse, rest.shape)
    return np.concatenate([-quadratic, -linear * inverse, softness - rest * inverse], -1)


def _columns(rows: Sequence[np.ndarray]) -> Tensor:
    """(frames, columns) of every clip as float32 (columns, N)."""
    flat = np.concatenate([row.reshape(len(row), -1) for row in rows])
    return torch.from_numpy(np.ascontiguousarray(flat.T, dtype=np.float32))


def _solids(rows: Sequence[np.ndarray]) -> Tensor:
    """(T, K, columns) of every clip as float32 (columns, K * N)."""
    table = np.concatenate(rows).transpose(2, 1, 0)
    return torch.from_numpy(np.ascontiguousarray(table.reshape(table.shape[0], -1), dtype=np.float32))


def _still(row: np.ndarray, frames: int) -> np.ndarray:
    return np.broadcast_to(row, (frames, *row.shape))


def _texture_offsets(rows: Sequence[np.ndarray]) -> np.ndarray:
    return np.concatenate(rows).astype(np.int32) * (SIDE * SIDE)


def pack(scenes: Sequence[Scene]) -> Packed:
    """Tables of B scenes with the same number of frames."""
    length = len(scenes[0].position)
    kind = np.concatenate([_still(s.kind, length) for s in scenes])
    photo = _texture_offsets([_still(s.materials.texture, length) for s in scenes])
    face = np.concatenate([_still(_faces(s), length) for s in scenes]).reshape(-1, 8)
    camera = [np.concatenate([s.camera_rotation.reshape(length, 9), s.camera_position], 1) for s in scenes]
    shadow = np.concatenate([_shadows(s) for s in scenes]).transpose(1, 2, 0)
    return Packed(
        frames=len(kind),
        kind=torch.from_numpy(kind.T.reshape(-1).astype(np.uint8)),
        local=_solids([_local_rays(s) for s in scenes]),
        centre=_solids([_centres(s) for s in scenes]).reshape(4, SLOTS, -1),
        light=_solids([_lights(s) for s in scenes]),
        look=_solids([_still(_looks(s), length) for s in scenes]),
        photo=torch.from_numpy(photo.T.reshape(-1)),
        camera=_columns(camera),
        room=_columns([_still(s.room.bounds, length) for s in scenes]),
        face=torch.from_numpy(np.ascontiguousarray(face.T, dtype=np.float32)),
        face_texture=torch.from_numpy(_texture_offsets([_still(s.room.texture, length) for s in scenes]).reshape(-1)),
        shadow=torch.from_numpy(np.ascontiguousarray(shadow, dtype=np.float32)),
        sun=_columns([_still(s.light, length) for s in scenes]),
    )
