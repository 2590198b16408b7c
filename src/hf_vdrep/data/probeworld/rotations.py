# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Small rotation matrices from angles in degrees, batched over leading dimensions."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike


def about(axis: int, degrees: ArrayLike) -> np.ndarray:
    """Right-handed rotation about x (0), y (1) or z (2); (...,) degrees to (..., 3, 3)."""
    angle = np.deg2rad(np.asarray(degrees, dtype=np.float64))
    out = np.zeros((*angle.shape, 3, 3))
    i, j = (axis + 1) % 3, (axis + 2) % 3
    out[..., axis, axis] = 1.0
    out[..., i, i] = out[..., j, j] = np.cos(angle)
    out[..., j, i] = np.sin(angle)
    out[..., i, j] = -out[..., j, i]
    return out


def camera_to_world(yaw: ArrayLike, pitch: ArrayLike, roll: ArrayLike) -> np.ndarray:
    """Camera (x right, y down, z forward) to world (y up, forward is -z at zero angles).

    Positive yaw turns left, positive pitch looks up, positive roll tilts the head to its left. (...,) to (..., 3, 3).
    """
    flip = np.diag([1.0, -1.0, -1.0])
    return about(1, yaw) @ about(0, pitch) @ about(2, roll) @ flip
