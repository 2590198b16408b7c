# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Ray intersections and normals of solids with flat faces: exact, as intersections of slabs and half-spaces.

A hit is (t, face): the parameter along the unnormalised direction, inf where missed, and a uint8 code of the face.
Only +, -, *, / and comparisons are used: they round the same way in every vector width, so a pixel never depends on
which other pixels share its tensor.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from .vectors import Vector

Hit = tuple[Tensor, Tensor]
Plane = tuple[float, float, float, float]  # a x + b y + c z <= h


def _linear(plane: Plane, v: Vector) -> Tensor:
    terms = [part if weight == 1.0 else part * weight for weight, part in zip(plane[:3], v, strict=True) if weight]
    total = terms[0]
    for term in terms[1:]:
        total = total + term
    return total


def convex(origin: Vector, direction: Vector, planes: Sequence[Plane]) -> Hit:
    """First crossing of an intersection of half-spaces; the face code is the index of the entered plane."""
    near = torch.full_like(origin[0], -math.inf)
    far = torch.full_like(origin[0], math.inf)
    face = torch.zeros_like(origin[0], dtype=torch.uint8)
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
    spans = []
    for o, d, h in zip(origin, direction, half, strict=True):
        inverse = 1.0 / d
        middle, reach = -o * inverse, inverse.abs() * h
        spans.append((middle - reach, middle + reach))
    near, far = spans[0]
    face = torch.zeros_like(near, dtype=torch.uint8)
    for axis, (enter, leave) in enumerate(spans[1:], start=1):
        face = face.masked_fill(enter > near, axis)
        near, far = torch.maximum(near, enter), torch.minimum(far, leave)
    return torch.where((near < far) & (near > 0), near, math.inf), face


def union(hits: Sequence[Hit]) -> Hit:
    """The nearest of several hits."""
    best, code = hits[0]
    for t, face in hits[1:]:
        code = torch.where(t < best, face, code)
        best = torch.minimum(best, t)
    return best, code


def plane_normal(planes: Sequence[Plane], face: Tensor) -> Vector:
    """Unit normals of the planes that `convex` entered."""
    table = torch.tensor([plane[:3] for plane in planes], device=face.device)
    table = table / table.square().sum(1, keepdim=True).sqrt()
    x, y, z = table.T.index_select(1, face.int())
    return x, y, z


def axis_normal(face: Tensor, direction: Vector) -> Vector:
    """Unit normals of the faces that `box` entered, which look against the ray."""
    x, y, z = ((face == axis).float() * -d.sign() for axis, d in enumerate(direction))
    return x, y, z
