# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""The solids of the world, each in its own frame: y up, about one unit in radius.

Rays are planar tuples of tensors (x, y, z): origin, and an unnormalised direction.
"""

from __future__ import annotations

import dataclasses
import itertools
import math

import torch
from torch import Tensor

from .polyhedra import Hit, Plane, axis_normal, box, convex, plane_normal, union
from .round_solids import capsule, frustum, frustum_normal, nearest, sphere, torus, torus_normal
from .vectors import Vector, unit
from .vocabulary import SHAPE_NAMES

CYLINDER = (0.8, 0.0, -0.9, 0.9)  # radius = a + b y for y0 <= y <= y1
CONE = (0.475, -0.5, -0.95, 0.95)
BOWL = (0.10, 0.74, 0.0, 0.95)  # upper half of the hourglass
TORUS = (0.68, 0.30)
CAPSULE = (0.5, 0.5)  # radius, half length of the segment
BALLS = (0.44, 0.56, 0.17)  # radius, height of the centre, radius of the rod
CUBE = 0.8
PANEL = (0.85, 0.95, 0.08)
BEAM = (1.0, 0.34)  # half length and half width of each of the three beams of the cross


OCTAHEDRON: tuple[Plane, ...] = tuple((x, y, z, 1.1) for x, y, z in itertools.product((1.0, -1.0), repeat=3))
_SLOPE = 0.9 / 1.8
PYRAMID: tuple[Plane, ...] = (
    (0.0, -1.0, 0.0, 0.85),
    (1.0, _SLOPE, 0.0, 0.95 * _SLOPE),
    (-1.0, _SLOPE, 0.0, 0.95 * _SLOPE),
    (0.0, _SLOPE, 1.0, 0.95 * _SLOPE),
    (0.0, _SLOPE, -1.0, 0.95 * _SLOPE),
)
WEDGE: tuple[Plane, ...] = (
    (0.0, -1.0, 0.0, 0.75),
    (-1.0, 0.0, 0.0, 0.9),
    (1.6, 1.8, 0.0, 0.09),
    (0.0, 0.0, 1.0, 0.72),
    (0.0, 0.0, -1.0, 0.72),
)
_PLANES = {"octahedron": OCTAHEDRON, "pyramid": PYRAMID, "wedge": WEDGE}
_FRUSTA = {"cylinder": CYLINDER, "cone": CONE}
_BOXES = {
    "cube": ((CUBE, CUBE, CUBE),),
    "panel": (PANEL,),
    "cross": ((BEAM[0], BEAM[1], BEAM[1]), (BEAM[1], BEAM[0], BEAM[1]), (BEAM[1], BEAM[1], BEAM[0])),
}


def intersect(kind: int, origin: Vector, direction: Vector) -> Hit:
    """First crossing of solid `kind` with rays in its local frame.

    Returns:
        parameter along the direction, inf where missed, and a uint8 face code that `normal` understands.
    """
    name = SHAPE_NAMES[kind]
    if name in _BOXES:
        return union([box(origin, direction, half) for half in _BOXES[name]])
    if name in _PLANES:
        return convex(origin, direction, _PLANES[name])
    if name in _FRUSTA:
        return nearest(frustum(origin, direction, *_FRUSTA[name]))
    if name == "hourglass":
        return nearest(frustum(origin, direction, *BOWL) + frustum(origin, direction, *BOWL, flip=True))
    if name == "dumbbell":
        radius, height, rod = BALLS
        balls = [(sphere(origin, direction, radius, place), face) for face, place in enumerate((height, -height))]
        return nearest([*balls, (frustum(origin, direction, rod, 0.0, -height, height)[0][0], 2)])
    if name == "sphere":
        t = sphere(origin, direction)
    elif name == "capsule":
        t = capsule(origin, direction, *CAPSULE)
    else:
        t = torus(origin, direction, *TORUS)
    return t, torch.zeros_like(t, dtype=torch.uint8)


def normal(kind: int, point: Vector, face: Tensor, direction: Vector) -> Vector:
    """Outward unit normal of solid `kind` at a hit, in its local frame.

    Args:
        point: hit points, local frame.
        face: the code from `intersect`.
        direction: the ray's direction, local frame (boxes read the entered side from it).
    """
    name = SHAPE_NAMES[kind]
    x, y, z = point
    if name in _BOXES:
        return axis_normal(face, direction)
    if name in _PLANES:
        return plane_normal(_PLANES[name], face)
    if name in _FRUSTA:
        return frustum_normal(point, face, *_FRUSTA[name][:2])
    if name == "hourglass":
        lower = face >= 3
        nx, ny, nz = frustum_normal((x, y.abs(), z), face - 3 * lower.to(torch.uint8), *BOWL[:2])
        return nx, torch.where(lower, -ny, ny), nz
    if name == "dumbbell":
        centre = torch.where(face == 0, BALLS[1], torch.where(face == 1, -BALLS[1], y))
        return unit((x, y - centre, z))
    if name == "capsule":
        return unit((x, y - y.clamp(-CAPSULE[1], CAPSULE[1]), z))
    return torus_normal(point, TORUS[0]) if name == "torus" else unit(point)


@dataclasses.dataclass(frozen=True)
class Extent:
    """How much room a solid takes, in local units.

    Attributes:
        bound: radius of the bounding sphere around the origin.
        half_height: half of its upright height.
        shadow: radius of the ball whose soft shadow stands for the solid's.
    """

    bound: float
    half_height: float
    shadow: float


EXTENTS: dict[str, Extent] = {
    "sphere": Extent(1.0, 1.0, 1.0),
    "cube": Extent(CUBE * math.sqrt(3.0), 0.92, 1.0),
    "cylinder": Extent(math.hypot(0.8, 0.9), 0.95, 0.9),
    "cone": Extent(math.hypot(0.95, 0.95), 0.95, 0.8),
    "torus": Extent(sum(TORUS), 0.98, 0.8),
    "capsule": Extent(1.0, 1.0, 0.7),
    "pyramid": Extent(math.sqrt(2 * 0.81 + 0.85**2), 0.92, 0.8),
    "octahedron": Extent(1.1, 1.05, 0.75),
    "wedge": Extent(math.sqrt(0.9**2 + 0.85**2 + 0.72**2), 0.85, 0.8),
    "cross": Extent(math.sqrt(1.0 + 2 * 0.34**2), 1.0, 0.65),
    "dumbbell": Extent(1.0, 1.0, 0.55),
    "hourglass": Extent(math.hypot(0.95, 0.803), 0.95, 0.7),
    "panel": Extent(math.sqrt(sum(h * h for h in PANEL)), 0.95, 0.8),
}
