# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""The solids: exact ray intersections and normals in each solid's own frame.

Local frames are y-up and about one unit in radius. Rays are planar tuples of tensors (x, y, z), origin plus parameter
times an unnormalised direction. Only +, -, *, /, sqrt and comparisons are used: they round the same way in every
vector width, so a pixel never depends on which other pixels share its tensor.
"""

from __future__ import annotations

import dataclasses
import itertools
import math
from collections.abc import Sequence

import torch
from torch import Tensor

from .vocabulary import SHAPE_NAMES

Vector = tuple[Tensor, Tensor, Tensor]
Hit = tuple[Tensor, Tensor]  # parameter (inf where missed), face code (uint8)

CYLINDER = (0.8, 0.0, -0.9, 0.9)  # radius = a + b y for y0 <= y <= y1
CONE = (0.475, -0.5, -0.95, 0.95)
BOWL = (0.10, 0.74, 0.0, 0.95)  # upper half of the hourglass
TORUS = (0.68, 0.30)
CAPSULE = (0.5, 0.5)  # radius, half length of the segment
BALLS = (0.44, 0.56, 0.17)  # radius, height of the centre, radius of the rod
CUBE = 0.8
PANEL = (0.85, 0.95, 0.08)
BEAM = (1.0, 0.34)  # half length and half width of each of the three beams of the cross

Plane = tuple[float, float, float, float]  # a x + b y + c z <= h
OCTAHEDRON: tuple[Plane, ...] = tuple((*signs, 1.1) for signs in itertools.product((1.0, -1.0), repeat=3))
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


def _dot(a: Vector, b: Vector) -> Tensor:
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]


def _at(origin: Vector, direction: Vector, t: Tensor) -> Vector:
    return tuple(o + t * d for o, d in zip(origin, direction, strict=True))  # type: ignore[return-value]


def _linear(plane: Plane, v: Vector) -> Tensor | None:
    total: Tensor | None = None
    for weight, part in zip(plane[:3], v, strict=True):
        if weight != 0.0:
            term = part if weight == 1.0 else part * weight
            total = term if total is None else total + term
    return total


def _nearest(hits: Sequence[tuple[Tensor, int]]) -> Hit:
    best, code = hits[0][0], torch.full(hits[0][0].shape, hits[0][1], dtype=torch.uint8)
    for t, face in hits[1:]:
        closer = t < best
        best = torch.where(closer, t, best)
        code = code.masked_fill(closer, face)
    return best, code


def sphere(origin: Vector, direction: Vector, radius: float = 1.0, height: float = 0.0) -> Tensor:
    """First crossing of a sphere around (0, height, 0), inf where missed."""
    ox, oy, oz = origin[0], origin[1] - height if height else origin[1], origin[2]
    a = _dot(direction, direction)
    b = ox * direction[0] + oy * direction[1] + oz * direction[2]
    c = ox * ox + oy * oy + oz * oz - radius * radius
    disc = b * b - a * c
    t = (-b - disc.clamp_min(0.0).sqrt()) / a
    return torch.where((disc > 0) & (t > 0), t, math.inf)


def convex(origin: Vector, direction: Vector, planes: Sequence[Plane]) -> Hit:
    """First crossing of an intersection of half-spaces; the face code is the index of the entered plane."""
    near = torch.full_like(origin[0], -math.inf)
    far = torch.full_like(origin[0], math.inf)
    face = torch.zeros(origin[0].shape, dtype=torch.uint8)
    for index, plane in enumerate(planes):
        slope = _linear(plane, direction)
        t = (plane[3] - _linear(plane, origin)) / slope
        entering = slope < 0
        later = entering & (t > near)
        near = torch.where(later, t, near)
        face = face.masked_fill(later, index)
        far = torch.where(entering, far, torch.minimum(far, t))
    return torch.where((near < far) & (near > 0), near, math.inf), face


def box(origin: Vector, direction: Vector, half: tuple[float, float, float]) -> Hit:
    """First crossing of a box around the origin; the face code is the entered axis."""
    near, far, face = None, None, None
    for axis, (o, d, h) in enumerate(zip(origin, direction, half, strict=True)):
        inverse = 1.0 / d
        middle, reach = -o * inverse, inverse.abs() * h
        enter, leave = middle - reach, middle + reach
        if near is None:
            near, far, face = enter, leave, torch.zeros(o.shape, dtype=torch.uint8)
            continue
        face = face.masked_fill(enter > near, axis)
        near, far = torch.maximum(near, enter), torch.minimum(far, leave)
    return torch.where((near < far) & (near > 0), near, math.inf), face


def frustum(
    origin: Vector, direction: Vector, a: float, b: float, y0: float, y1: float, flip: bool = False
) -> list[tuple[Tensor, int]]:
    """Crossings of the solid of revolution with radius a + b y between y0 and y1: side (0), bottom (1), top (2)."""
    (ox, oy, oz), (dx, dy, dz) = origin, direction
    if flip:
        oy, dy = -oy, -dy
    radius, slope = a + b * oy, b * dy
    qa = dx * dx + dz * dz - slope * slope
    qb = ox * dx + oz * dz - slope * radius
    qc = ox * ox + oz * oz - radius * radius
    disc = qb * qb - qa * qc
    root = disc.clamp_min(0.0).sqrt()
    hits = []
    for t in ((-qb - root) / qa, (-qb + root) / qa):
        y = oy + t * dy
        ok = (disc > 0) & (t > 0) & (y > y0) & (y < y1)
        hits.append((torch.where(ok, t, math.inf), 3 if flip else 0))
    for face, y in ((1, y0), (2, y1)):
        reach = a + b * y
        if reach > 1e-6:
            t = (y - oy) / dy
            x, z = ox + t * dx, oz + t * dz
            ok = (t > 0) & (x * x + z * z < reach * reach)
            hits.append((torch.where(ok, t, math.inf), face + 3 if flip else face))
    return hits


def capsule(origin: Vector, direction: Vector, radius: float, half: float) -> Tensor:
    """First crossing of a capsule along y, inf where missed."""
    (ox, oy, oz), (dx, dy, dz) = origin, direction
    a, b = dx * dx + dz * dz, ox * dx + oz * dz
    disc = b * b - a * (ox * ox + oz * oz - radius * radius)
    t = (-b - disc.clamp_min(0.0).sqrt()) / a
    y = oy + t * dy
    side = torch.where((disc > 0) & (t > 0) & (y.abs() < half), t, math.inf)
    ends = torch.minimum(sphere(origin, direction, radius, half), sphere(origin, direction, radius, -half))
    return torch.minimum(side, ends)


def torus(origin: Vector, direction: Vector, major: float, minor: float) -> Tensor:
    """First crossing of a torus around the z axis: sphere tracing, then Newton steps on the distance."""
    (ox, oy, oz), (dx, dy, dz) = origin, direction
    speed = _dot(direction, direction).sqrt()
    bound = major + minor + 0.01
    b = _dot(origin, direction)
    disc = b * b - speed * speed * (_dot(origin, origin) - bound * bound)
    t = ((-b - disc.clamp_min(0.0).sqrt()) / (speed * speed)).clamp_min(0.0)
    limit = (-b + disc.clamp_min(0.0).sqrt()) / (speed * speed)
    distance = torch.zeros_like(t)
    for _ in range(28):
        x, y, z = ox + t * dx, oy + t * dy, oz + t * dz
        ring = (x * x + y * y).sqrt() - major
        distance = (ring * ring + z * z).sqrt() - minor
        t = torch.minimum(t + distance / speed, limit)
    hit = (distance < 2e-3) & (t < limit) & (disc > 0)
    return torch.where(hit, t, math.inf)


def intersect(kind: int, origin: Vector, direction: Vector) -> Hit:
    """First crossing of solid `kind` with rays in its local frame.

    Returns:
        parameter along the direction, inf where missed, and a uint8 face code that `normal` understands.
    """
    name = SHAPE_NAMES[kind]
    if name == "cube":
        return box(origin, direction, (CUBE, CUBE, CUBE))
    if name == "panel":
        return box(origin, direction, PANEL)
    if name in _PLANES:
        return convex(origin, direction, _PLANES[name])
    if name in _FRUSTA:
        return _nearest(frustum(origin, direction, *_FRUSTA[name]))
    if name == "hourglass":
        return _nearest(frustum(origin, direction, *BOWL) + frustum(origin, direction, *BOWL, flip=True))
    if name == "cross":
        return _cross(origin, direction)
    if name == "dumbbell":
        radius, height, rod = BALLS
        rods = frustum(origin, direction, rod, 0.0, -height, height)[0]
        return _nearest(
            [
                (sphere(origin, direction, radius, height), 0),
                (sphere(origin, direction, radius, -height), 1),
                (rods[0], 2),
            ]
        )
    if name == "sphere":
        t = sphere(origin, direction)
    elif name == "capsule":
        t = capsule(origin, direction, *CAPSULE)
    else:
        t = torus(origin, direction, *TORUS)
    return t, torch.zeros(t.shape, dtype=torch.uint8)


def _cross(origin: Vector, direction: Vector) -> Hit:
    length, width = BEAM
    best, code = box(origin, direction, (length, width, width))
    for half in ((width, length, width), (width, width, length)):
        t, face = box(origin, direction, half)
        code = torch.where(t < best, face, code)
        best = torch.minimum(best, t)
    return best, code


_PLANES = {"octahedron": OCTAHEDRON, "pyramid": PYRAMID, "wedge": WEDGE}
_FRUSTA = {"cylinder": CYLINDER, "cone": CONE}


def _unit(v: Vector) -> Vector:
    inverse = 1.0 / _dot(v, v).clamp_min(1e-12).sqrt()
    return v[0] * inverse, v[1] * inverse, v[2] * inverse


def _plane_normal(planes: Sequence[Plane], face: Tensor) -> Vector:
    table = torch.tensor([plane[:3] for plane in planes])
    table = table / table.square().sum(1, keepdim=True).sqrt()
    return tuple(table[:, axis][face.long()] for axis in range(3))  # type: ignore[return-value]


def _axis_normal(point: Vector, face: Tensor, direction: Vector) -> Vector:
    zero = torch.zeros_like(point[0])
    return tuple(torch.where(face == axis, -d.sign(), zero) for axis, d in enumerate(direction))  # type: ignore[return-value]


def _frustum_normal(point: Vector, face: Tensor, a: float, b: float) -> Vector:
    x, y, z = point
    side = _unit((x, -(a + b * y) * b, z))
    zero, top, cap = torch.zeros_like(x), face == 2, (face == 1) | (face == 2)
    return (
        torch.where(cap, zero, side[0]),
        torch.where(cap, torch.where(top, 1.0, -1.0), side[1]),
        torch.where(cap, zero, side[2]),
    )


def normal(kind: int, point: Vector, face: Tensor, direction: Vector) -> Vector:
    """Outward unit normal of solid `kind` at a hit, in its local frame.

    Args:
        point: hit points, local frame.
        face: the code from `intersect`.
        direction: the ray's direction, local frame (boxes read the entered side from it).
    """
    name = SHAPE_NAMES[kind]
    x, y, z = point
    if name in ("cube", "cross", "panel"):
        return _axis_normal(point, face, direction)
    if name in _PLANES:
        return _plane_normal(_PLANES[name], face)
    if name in _FRUSTA:
        return _frustum_normal(point, face, *_FRUSTA[name][:2])
    if name == "hourglass":
        lower = face >= 3
        nx, ny, nz = _frustum_normal((x, y.abs(), z), face - 3 * lower.to(torch.uint8), *BOWL[:2])
        return nx, torch.where(lower, -ny, ny), nz
    if name == "dumbbell":
        centre = torch.where(face == 0, BALLS[1], torch.where(face == 1, -BALLS[1], y))
        return _unit((x, y - centre, z))
    if name == "capsule":
        return _unit((x, y - y.clamp(-CAPSULE[1], CAPSULE[1]), z))
    if name == "torus":
        shrink = 1.0 - TORUS[0] / (x * x + y * y).clamp_min(1e-12).sqrt()
        return _unit((x * shrink, y * shrink, z))
    return _unit(point)


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
