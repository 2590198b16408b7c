# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Planar 3-vectors: tuples of equal tensors (x, y, z), which vectorise better than a last axis of three."""

from __future__ import annotations

from torch import Tensor

Vector = tuple[Tensor, Tensor, Tensor]


def dot(a: Vector, b: Vector) -> Tensor:
    """Inner product."""
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]


def along(origin: Vector, direction: Vector, t: Tensor) -> Vector:
    """Points origin + t * direction."""
    return origin[0] + t * direction[0], origin[1] + t * direction[1], origin[2] + t * direction[2]


def unit(v: Vector) -> Vector:
    """Vectors of length 1; zero stays zero."""
    inverse = 1.0 / dot(v, v).clamp_min(1e-12).sqrt()
    return v[0] * inverse, v[1] * inverse, v[2] * inverse
