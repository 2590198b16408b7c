# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""What the solids are, said independently of the code: which points lie inside, in local coordinates."""

from collections.abc import Callable

import numpy as np

Inside = Callable[[np.ndarray], np.ndarray]


def _box(half: tuple[float, float, float]) -> Inside:
    return lambda p: (np.abs(p) <= half).all(-1)


def _ball(radius: float, height: float = 0.0) -> Inside:
    return lambda p: ((p - [0.0, height, 0.0]) ** 2).sum(-1) <= radius**2


def _turned(profile: Callable[[np.ndarray], np.ndarray], low: float, high: float) -> Inside:
    """Solid of revolution about y with the given radius at each height."""

    def inside(p: np.ndarray) -> np.ndarray:
        y = p[..., 1]
        return (np.hypot(p[..., 0], p[..., 2]) <= profile(y)) & (y >= low) & (y <= high)

    return inside


def _any(*parts: Inside) -> Inside:
    return lambda p: np.any([part(p) for part in parts], axis=0)


def _pyramid(p: np.ndarray) -> np.ndarray:
    x, y, z = np.moveaxis(p, -1, 0)
    return (y >= -0.85) & (np.maximum(np.abs(x), np.abs(z)) <= 0.9 * (0.95 - y) / 1.8)


def _wedge(p: np.ndarray) -> np.ndarray:
    x, y, z = np.moveaxis(p, -1, 0)
    ramp = 0.85 + (x + 0.9) * (-0.75 - 0.85) / 1.8  # from (-0.9, 0.85) down to (0.9, -0.75)
    return (y >= -0.75) & (x >= -0.9) & (y <= ramp) & (np.abs(z) <= 0.72)


def _torus(p: np.ndarray) -> np.ndarray:
    return (np.hypot(p[..., 0], p[..., 1]) - 0.68) ** 2 + p[..., 2] ** 2 <= 0.30**2


INSIDE: dict[str, Inside] = {
    "sphere": _ball(1.0),
    "cube": _box((0.8, 0.8, 0.8)),
    "cylinder": _turned(lambda y: np.full_like(y, 0.8), -0.9, 0.9),
    "cone": _turned(lambda y: 0.95 * (0.95 - y) / 1.9, -0.95, 0.95),
    "torus": _torus,
    "capsule": _any(_ball(0.5, 0.5), _ball(0.5, -0.5), _turned(lambda y: np.full_like(y, 0.5), -0.5, 0.5)),
    "pyramid": _pyramid,
    "octahedron": lambda p: np.abs(p).sum(-1) <= 1.1,
    "wedge": _wedge,
    "cross": _any(_box((1.0, 0.34, 0.34)), _box((0.34, 1.0, 0.34)), _box((0.34, 0.34, 1.0))),
    "dumbbell": _any(_ball(0.44, 0.56), _ball(0.44, -0.56), _turned(lambda y: np.full_like(y, 0.17), -0.56, 0.56)),
    "hourglass": _turned(lambda y: 0.10 + 0.74 * np.abs(y), -0.95, 0.95),
    "panel": _box((0.85, 0.95, 0.08)),
}
