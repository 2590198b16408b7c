# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""The pinhole camera: world points to the screen and back. The frame is square, its centre on the optical axis."""

from __future__ import annotations

import numpy as np

from .config import ProbeWorldConfig
from .scene import Scene


def intrinsics(config: ProbeWorldConfig) -> np.ndarray:
    """float32 (3, 3) in pixels; the centre of the top left pixel is (0.5, 0.5)."""
    side = config.resolution
    return np.array([[config.focal * side, 0, side / 2], [0, config.focal * side, side / 2], [0, 0, 1]], np.float32)


def to_camera(scene: Scene, points: np.ndarray) -> np.ndarray:
    """World points (T, ..., 3), one set per frame, in that frame's camera coordinates."""
    extra = points.ndim - 2
    shape = (len(points), *(1,) * extra)
    offset = points - scene.camera_position.reshape(*shape, 3)
    inverse = scene.camera_rotation.transpose(0, 2, 1).reshape(*shape, 3, 3)
    return (inverse @ offset[..., None])[..., 0]


def to_screen(points: np.ndarray, config: ProbeWorldConfig) -> np.ndarray:
    """Camera points (..., 3) in front of the camera as normalised x, y (..., 2); 0.5, 0.5 is the optical axis."""
    return points[..., :2] / np.maximum(points[..., 2:], 1e-3) * config.focal + 0.5
