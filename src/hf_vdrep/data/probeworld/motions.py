# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""The sixteen motion templates, anchored at the middle frame.

Eight templates are written forwards; the eight twins are the same paths played backwards, so that time reversal is
exact by construction. Time tau runs from -1 to 1 and is 0 at the middle frame, where every path passes through the
layout that it was given.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from .config import ProbeWorldConfig
from .layout import Layout
from .rotations import about, camera_to_world
from .scene import SLOTS


@dataclasses.dataclass(eq=False)
class Paths:
    """Poses per frame: rotation (T, K, 3, 3), position (T, K, 3), camera rotation (T, 3, 3) and position (T, 3)."""

    rotation: np.ndarray
    position: np.ndarray
    camera_rotation: np.ndarray
    camera_position: np.ndarray


@dataclasses.dataclass(eq=False)
class _Draft:
    """What a template may change: shifts (T, K, 3) metres, spin (T,) and pan (T,) degrees."""

    shift: np.ndarray
    spin: np.ndarray
    pan: np.ndarray


def _ramp(tau: np.ndarray, begin: float, soft: float = 0.35) -> np.ndarray:
    """At rest until `begin`, then smoothly up to a constant speed; 0 to 1, minus its value at tau = 0."""

    def path(at: np.ndarray) -> np.ndarray:
        u = np.maximum(at - begin, 0.0) / (1.0 - begin)
        return np.where(u < soft, u * u / (2 * soft), u - soft / 2) / (1.0 - soft / 2)

    return path(tau) - path(np.zeros(1))


def _forward(
    template: int, config: ProbeWorldConfig, layout: Layout, tau: np.ndarray, rng: np.random.Generator
) -> _Draft:
    """Paths of template 0..7, each the first class of its pair."""
    draft = _Draft(np.zeros((len(tau), SLOTS, 3)), np.zeros(len(tau)), np.zeros(len(tau)))
    # All templates draw all numbers: nothing but the template differs between classes.
    bend, length, turn, angle, begin, hidden = rng.uniform(-1, 1), rng.random(), rng.random(), *rng.random(3)
    ease = tau + 0.22 * bend * tau**2
    to_metres = layout.depth[0] / config.focal
    travel = np.interp(length, [0, 1], config.travel) * to_metres
    right = camera_to_world(layout.yaw, 0.0, 0.0)[:, 0]
    up = np.array([0.0, 1.0, 0.0])
    sight = layout.position[0] - layout.eye
    sight = sight / np.linalg.norm(sight)
    main = draft.shift[:, 0]
    if template == 0:
        main -= 0.5 * travel * ease[:, None] * right
    elif template == 1:
        main -= 0.5 * np.interp(length, [0, 1], config.approach) * layout.depth[0] * ease[:, None] * sight
    elif template == 2:
        main += 0.5 * travel * ease[:, None] * up
    elif template == 3:
        draft.spin = -0.5 * np.interp(turn, [0, 1], config.spin) * ease
    elif template == 4:
        goal = layout.lift(layout.screen[1], layout.depth[0] + 0.12, config.focal) - layout.position[0]
        last, first = 0.88 + 0.08 * hidden, -0.2
        main += (0.5 * (last - first) * tau + 0.5 * (last + first) * tau**2)[:, None] * goal
    elif template == 5:
        towards = -layout.side[0] * right
        main += 0.46 * travel * ease[:, None] * towards
        draft.shift[:, 2] -= 0.46 * travel * layout.depth[2] / layout.depth[0] * ease[:, None] * towards
    elif template == 6:
        away = np.arctan2(layout.side[1], -layout.side[0])  # screen direction opposite to the occluder, v down
        heading = away + np.deg2rad(125.0) * (2 * angle - 1)
        path = _ramp(tau, -0.3 + 0.4 * begin)[:, None]
        main += 0.72 * travel * path * (np.cos(heading) * right + np.sin(heading) * up)
    else:
        draft.pan = 0.5 * np.interp(turn, [0, 1], config.pan) * ease
    return draft


def sample_paths(motion: int, config: ProbeWorldConfig, layout: Layout, rng: np.random.Generator) -> Paths:
    """Poses of everything over the clip for class `motion`, through the layout in the middle frame."""
    tau = np.linspace(-1.0, 1.0, config.num_frames)
    draft = _forward(motion // 2, config, layout, tau, rng)
    drift = rng.normal(size=(SLOTS, 3))
    drift *= (np.array([0.0, 0.0, 0.025, 0.04]) / np.linalg.norm(drift, axis=1))[:, None]
    position = layout.position + draft.shift + tau[:, None, None] * drift
    rotation = np.broadcast_to(layout.rotation, (len(tau), SLOTS, 3, 3)).copy()
    rotation[:, 0] = about(1, draft.spin) @ layout.rotation[0]
    heading = rng.normal(size=3) * [1.0, 0.6, 0.8]
    heading *= 0.5 * rng.uniform(*config.camera_shift) / np.linalg.norm(heading)
    bend, turn, sway = rng.uniform(-0.3, 0.3), rng.uniform(-1, 1, 3), rng.normal(size=3) * 0.01
    smooth = tau + bend * tau**2
    turn = turn * [0.5, 0.25, 0.25] * config.camera_turn
    camera_rotation = camera_to_world(
        layout.yaw + turn[0] * smooth + draft.pan, layout.pitch + turn[1] * smooth, layout.roll + turn[2] * smooth
    )
    camera_position = layout.eye + tau[:, None] * heading + (tau**2)[:, None] * sway
    paths = Paths(rotation, position, camera_rotation, camera_position)
    if motion % 2:
        paths = Paths(rotation[::-1], position[::-1], camera_rotation[::-1], camera_position[::-1])
    return paths
