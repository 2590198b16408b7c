# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Points whose convex hull is a solid, so that boxes around whole objects come from geometry, not from pixels."""

from __future__ import annotations

import functools
import itertools

import numpy as np

from . import shapes
from .config import ProbeWorldConfig
from .polyhedra import Plane
from .projection import to_camera, to_screen
from .scene import Scene
from .vocabulary import SHAPE_NAMES


def _circle(radius: float, height: float, count: int = 64) -> np.ndarray:
    angle = np.arange(count) / count * 2 * np.pi
    return np.stack([radius * np.cos(angle), np.full(count, height), radius * np.sin(angle)], 1)


def _ball(radius: float, height: float = 0.0, count: int = 500) -> np.ndarray:
    """A Fibonacci sphere: no surface point is farther than 0.1 radii from one of these."""
    y = 1 - (2 * np.arange(count) + 1) / count
    angle = np.arange(count) * np.pi * (3 - np.sqrt(5))
    ring = np.sqrt(1 - y * y)
    return radius * np.stack([ring * np.cos(angle), y, ring * np.sin(angle)], 1) + [0.0, height, 0.0]


def _corners(half: tuple[float, float, float]) -> np.ndarray:
    return np.array(list(itertools.product((-1.0, 1.0), repeat=3))) * half


def _vertices(planes: tuple[Plane, ...]) -> np.ndarray:
    """Corners of an intersection of half-spaces: meeting points of three planes that satisfy all others."""
    table = np.array(planes)
    found = []
    for triple in itertools.combinations(range(len(planes)), 3):
        part = table[list(triple)]
        if abs(np.linalg.det(part[:, :3])) > 1e-6:
            corner = np.linalg.solve(part[:, :3], part[:, 3])
            if (table[:, :3] @ corner <= table[:, 3] + 1e-6).all():
                found.append(corner)
    return np.unique(np.round(found, 6), axis=0)


def _torus() -> np.ndarray:
    major, minor = shapes.TORUS
    around, across = np.meshgrid(np.arange(48) / 48 * 2 * np.pi, np.arange(24) / 24 * 2 * np.pi)
    ring = major + minor * np.cos(across)
    return np.stack([ring * np.cos(around), ring * np.sin(around), minor * np.sin(across)], -1).reshape(-1, 3)


@functools.cache
def outline(kind: int) -> np.ndarray:
    """Local points (P, 3) on solid `kind` whose hull is its hull, within 0.5 % of its radius."""
    name = SHAPE_NAMES[kind]
    length, width = shapes.BEAM
    radius, height, _ = shapes.BALLS
    a, b, _, top = shapes.BOWL
    if name in ("octahedron", "pyramid", "wedge"):
        return _vertices({"octahedron": shapes.OCTAHEDRON, "pyramid": shapes.PYRAMID, "wedge": shapes.WEDGE}[name])
    parts = {
        "sphere": lambda: [_ball(1.0)],
        "cube": lambda: [_corners((shapes.CUBE,) * 3)],
        "panel": lambda: [_corners(shapes.PANEL)],
        "cylinder": lambda: [_circle(0.8, y) for y in shapes.CYLINDER[2:]],
        "cone": lambda: [_circle(0.95, -0.95), np.array([[0.0, 0.95, 0.0]])],
        "hourglass": lambda: [_circle(a + b * top, y) for y in (-top, top)],
        "torus": lambda: [_torus()],
        "capsule": lambda: [_ball(shapes.CAPSULE[0], y) for y in (-shapes.CAPSULE[1], shapes.CAPSULE[1])],
        "dumbbell": lambda: [_ball(radius, y) for y in (-height, height)],
        "cross": lambda: [_corners(tuple(np.roll((length, width, width), axis))) for axis in range(3)],
    }
    return np.concatenate(parts[name]())


def boxes(scene: Scene, config: ProbeWorldConfig) -> np.ndarray:
    """Boxes around whole solids, float32 (K, T, 4): x1, y1, x2, y2 normalised, clipped to [0, 1]; 0 in empty slots."""
    frames, slots = scene.position.shape[:2]
    out = np.zeros((slots, frames, 4), np.float32)
    for slot in np.flatnonzero(scene.active):
        local = outline(int(scene.kind[slot])) * scene.scale[slot]
        world = local @ scene.rotation[:, slot].transpose(0, 2, 1) + scene.position[:, None, slot]
        screen = to_screen(to_camera(scene, world), config)
        out[slot] = np.concatenate([screen.min(1), screen.max(1)], 1).clip(0.0, 1.0)
    return out
