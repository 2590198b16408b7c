# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Ray intersections and normals of round solids: closed forms, and sphere tracing for the torus.

Conventions as in `polyhedra`. Square roots are exact in IEEE arithmetic, so they are allowed too.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from .polyhedra import Hit
from .vectors import Vector, dot, unit

_TORUS_STEPS = 28


def nearest(hits: Sequence[tuple[Tensor, int]]) -> Hit:
    """The nearest of several crossings, each with the code of its face."""
    best, code = hits[0][0], torch.full_like(hits[0][0], hits[0][1], dtype=torch.uint8)
    for t, face in hits[1:]:
        closer = t < best
        best = torch.where(closer, t, best)
        code = code.masked_fill(closer, face)
    return best, code


def sphere(origin: Vector, direction: Vector, radius: float = 1.0, height: float = 0.0) -> Tensor:
    """First crossing of a sphere around (0, height, 0), inf where missed."""
    ox, oy, oz = origin[0], origin[1] - height if height else origin[1], origin[2]
    a = dot(direction, direction)
    b = ox * direction[0] + oy * direction[1] + oz * direction[2]
    c = ox * ox + oy * oy + oz * oz - radius * radius
    disc = b * b - a * c
    t = (-b - disc.clamp_min(0.0).sqrt()) / a
    return torch.where((disc > 0) & (t > 0), t, math.inf)


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
    for face, cap in ((1, y0), (2, y1)):
        reach = a + b * cap
        if reach > 1e-6:
            t = (cap - oy) / dy
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
    """First crossing of a torus around the z axis: sphere tracing from its bounding ball."""
    (ox, oy, oz), (dx, dy, dz) = origin, direction
    speed = dot(direction, direction).sqrt()
    bound = major + minor + 0.01
    b = dot(origin, direction)
    disc = b * b - speed * speed * (dot(origin, origin) - bound * bound)
    t = ((-b - disc.clamp_min(0.0).sqrt()) / (speed * speed)).clamp_min(0.0)
    limit = (-b + disc.clamp_min(0.0).sqrt()) / (speed * speed)
    distance = torch.zeros_like(t)
    for _ in range(_TORUS_STEPS):
        x, y, z = ox + t * dx, oy + t * dy, oz + t * dz
        ring = (x * x + y * y).sqrt() - major
        distance = (ring * ring + z * z).sqrt() - minor
        t = torch.minimum(t + distance / speed, limit)
    hit = (distance < 2e-3) & (t < limit) & (disc > 0)
    return torch.where(hit, t, math.inf)


def frustum_normal(point: Vector, face: Tensor, a: float, b: float) -> Vector:
    """Unit normals of `frustum` with radius a + b y."""
    x, y, z = point
    side = unit((x, -(a + b * y) * b, z))
    zero, top, cap = torch.zeros_like(x), face == 2, (face == 1) | (face == 2)
    return (
        torch.where(cap, zero, side[0]),
        torch.where(cap, torch.where(top, 1.0, -1.0), side[1]),
        torch.where(cap, zero, side[2]),
    )


def torus_normal(point: Vector, major: float) -> Vector:
    """Unit normals of a torus around the z axis."""
    x, y, z = point
    shrink = 1.0 - major / (x * x + y * y).clamp_min(1e-12).sqrt()
    return unit((x * shrink, y * shrink, z))
