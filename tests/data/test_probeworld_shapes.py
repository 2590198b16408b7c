# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Ray intersections against occupancy functions that were written down separately, and against closed forms."""

import numpy as np
import pytest
import torch
from implicit_solids import INSIDE

from hf_vdrep.data.probeworld.outlines import outline
from hf_vdrep.data.probeworld.shapes import EXTENTS, intersect, normal
from hf_vdrep.data.probeworld.vocabulary import OBJECT_NAMES, SHAPE_NAMES

COUNT, STEPS = 300, 1500


def _rays(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Rays from a shell of radius 3 to points around the solid; directions are not unit vectors."""
    rng = np.random.default_rng(seed)
    origin = rng.normal(size=(COUNT, 3))
    origin *= 3.0 / np.linalg.norm(origin, axis=1, keepdims=True)
    target = rng.uniform(-1, 1, (COUNT, 3)) * 1.1
    return origin, (target - origin) * rng.uniform(0.5, 2.0, (COUNT, 1))


def _planar(v: np.ndarray) -> tuple[torch.Tensor, ...]:
    return tuple(torch.from_numpy(np.ascontiguousarray(v[:, axis], dtype=np.float32)) for axis in range(3))


def _hits(name: str, origin: np.ndarray, direction: np.ndarray) -> tuple[np.ndarray, torch.Tensor, torch.Tensor]:
    t, face = intersect(SHAPE_NAMES.index(name), _planar(origin), _planar(direction))
    return t.numpy().astype(np.float64), t, face


def _marched(name: str, origin: np.ndarray, direction: np.ndarray) -> tuple[np.ndarray, float]:
    """Parameter of the first of many points along each ray that lies inside (inf where none), and the step."""
    ts = np.linspace(0.0, 8.0, STEPS)
    points = origin[:, None] + ts[None, :, None] * direction[:, None]
    inside = INSIDE[name](points)
    return np.where(inside.any(1), ts[inside.argmax(1)], np.inf), ts[1]


def test_twelve_categories_and_every_shape_has_its_truth():
    assert len(OBJECT_NAMES) == 12 and set(INSIDE) == set(SHAPE_NAMES) == set(EXTENTS)


@pytest.mark.parametrize("name", SHAPE_NAMES)
def test_first_crossing_agrees_with_marching_through_the_occupancy(name):
    origin, direction = _rays(1)
    t, _, _ = _hits(name, origin, direction)
    marched, step = _marched(name, origin, direction)
    found = np.isfinite(marched)
    assert np.isfinite(t[found]).all()
    assert (t[found] <= marched[found] + 1e-3).all()
    # Marching can step over a grazed corner, but then it says nothing about a nearer crossing.
    late = marched[found] - t[found] > step + 4e-3
    assert late.mean() < 0.03
    assert (np.isfinite(t) & ~found).mean() < 0.03


@pytest.mark.parametrize("name", SHAPE_NAMES)
def test_hits_lie_on_the_surface(name):
    origin, direction = _rays(2)
    t, _, _ = _hits(name, origin, direction)
    hit = np.isfinite(t)
    assert hit.mean() > 0.1
    speed = np.linalg.norm(direction, axis=1)
    before = origin + (t - 6e-3 / speed)[:, None] * direction
    after = origin + (t + 6e-3 / speed)[:, None] * direction
    assert not INSIDE[name](before[hit]).any()
    # A ray that clips an edge is already out again.
    assert INSIDE[name](after[hit]).mean() > 0.97


@pytest.mark.parametrize("name", SHAPE_NAMES)
def test_normals_separate_inside_from_outside(name):
    origin, direction = _rays(3)
    t, _, face = _hits(name, origin, direction)
    hit = np.flatnonzero(np.isfinite(t))
    point = origin[hit] + t[hit, None] * direction[hit]
    found = normal(SHAPE_NAMES.index(name), _planar(point), face[hit], _planar(direction[hit]))
    facing = torch.stack(found, 1).numpy().astype(np.float64)
    np.testing.assert_allclose(np.linalg.norm(facing, axis=1), 1.0, atol=1e-4)
    # The torus is traced to 2e-3, so that grazing hits may look away from the ray by as little.
    assert ((facing * direction[hit]).sum(1) / np.linalg.norm(direction[hit], axis=1) < 0.09).all()
    offset = np.random.default_rng(4).normal(size=(len(hit), 3))
    offset /= np.linalg.norm(offset, axis=1, keepdims=True)
    side = (offset * facing).sum(1)
    clear = np.abs(side) > 0.35
    inside = INSIDE[name](point + 0.012 * offset)
    assert (inside == (side < 0))[clear].mean() > 0.95


def test_sphere_parameter_is_the_quadratic_root():
    origin, direction = _rays(5)
    t, _, _ = _hits("sphere", origin, direction)
    a = (direction**2).sum(1)
    b = 2 * (origin * direction).sum(1)
    disc = b * b - 4 * a * ((origin**2).sum(1) - 1.0)
    expected = np.where(disc > 0, (-b - np.sqrt(np.maximum(disc, 0))) / (2 * a), np.inf)
    clear = np.abs(disc) > 1e-3
    np.testing.assert_allclose(t[clear], expected[clear], rtol=2e-4)


@pytest.mark.parametrize("name", SHAPE_NAMES)
def test_outline_hugs_the_solid_and_bound_contains_it(name):
    points = outline(SHAPE_NAMES.index(name))
    assert INSIDE[name](points * 0.999).all() or name in ("torus", "dumbbell", "capsule", "wedge")
    cloud = np.random.default_rng(6).uniform(-1.2, 1.2, (40000, 3))
    cloud = cloud[INSIDE[name](cloud)]
    assert np.linalg.norm(cloud, axis=1).max() <= EXTENTS[name].bound
    for heading in np.random.default_rng(7).normal(size=(20, 3)):
        heading /= np.linalg.norm(heading)
        reach = (points @ heading).max()
        assert (cloud @ heading).max() <= reach + 0.01
        assert reach <= EXTENTS[name].bound + 1e-6
