# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""The middle frame: camera, solids and room, drawn from one distribution whatever the motion class.

A single middle frame therefore says nothing about the class. Positions are chosen on screen (fractions of the frame's
height, origin in the centre, v down) and lifted to metres through the middle frame's camera.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from .config import ProbeWorldConfig
from .rotations import about, camera_to_world
from .scene import SLOTS
from .shapes import EXTENTS
from .vocabulary import OBJECT_NAMES, SHAPE_NAMES

PANEL = SHAPE_NAMES.index("panel")
FLOOR_GAP = 0.03


@dataclasses.dataclass(eq=False)
class Layout:
    """The middle frame.

    Attributes:
        kind, active, scale: (K,) as in `Scene`.
        rotation: (K, 3, 3); position: (K, 3) metres.
        screen: (K, 2) centres on screen (u, v); depth: (K,) metres.
        side: (2,) signs of the occluder's offset from the main object on screen.
        yaw, pitch, roll: camera angles in degrees; eye: (3,) metres.
    """

    kind: np.ndarray
    active: np.ndarray
    scale: np.ndarray
    rotation: np.ndarray
    position: np.ndarray
    screen: np.ndarray
    depth: np.ndarray
    side: np.ndarray
    yaw: float
    pitch: float
    roll: float
    eye: np.ndarray

    def lift(self, screen: np.ndarray, depth: float, focal: float) -> np.ndarray:
        """World point (3,) seen at `screen` (u, v) in the middle frame at a z-depth."""
        camera = camera_to_world(self.yaw, self.pitch, self.roll)
        return self.eye + camera @ np.array([screen[0] / focal, screen[1] / focal, 1.0]) * depth


def _kinds(main: int, rng: np.random.Generator) -> np.ndarray:
    """Main object, panel, and two more categories, neither of which repeats the main object's."""
    others = [kind for kind in range(len(OBJECT_NAMES)) if kind != main]
    picks = (rng.random(2) * len(others)).astype(np.int64)
    return np.array([main, PANEL, others[picks[0]], others[picks[1]]])


def _orientation(kind: int, rng: np.random.Generator) -> np.ndarray:
    """Upright within a moderate tilt, so that a silhouette stays recognisable; tori and panels face the camera."""
    yaw, lean, tilt = rng.uniform(-1, 1), rng.uniform(-180, 180), rng.uniform(5, 20)
    yaw *= {"torus": 45.0, "panel": 20.0}.get(SHAPE_NAMES[kind], 180.0)
    tilt *= 0.25 if kind == PANEL else 1.0
    return about(1, lean) @ about(0, tilt) @ about(1, -lean) @ about(1, yaw)


def _heights(config: ProbeWorldConfig, rng: np.random.Generator) -> np.ndarray:
    """(K,) nominal projected heights; the panel is about as large as what it hides, the others stay smaller."""
    main = rng.uniform(*config.main_height)
    panel = np.clip(main * rng.uniform(0.9, 1.0), 0.36, 0.42)
    return np.array([main, panel, rng.uniform(0.22, 0.26), rng.uniform(0.12, 0.16)])


def _depths(reach: np.ndarray, jitter: np.ndarray) -> np.ndarray:
    """(K,) z-depths in metres. The main object must be able to pass behind the panel without touching it.

    Args:
        reach: (K,) bounding radius of a solid at 1 m, in metres; it grows with depth.
        jitter: (K,) in [-1, 1].
    """
    main = 2.3 + 0.2 * jitter[0]
    gap = 0.08 + 0.05 * jitter[1]
    panel = (main * (1 - 0.9 * reach[0]) - gap) / (1 + 0.45 * reach[1])
    return np.array([main, panel, main + 1.15 + 0.2 * jitter[2], 4.3 + 0.2 * jitter[3]])


def _places(side: np.ndarray, jitter: np.ndarray) -> np.ndarray:
    """(K, 2) centres on screen: panel in corner `side`, companion beside the main object, distractor opposite."""
    main = side * [0.02, -0.07] + jitter[0] * [0.04, 0.03]
    panel = main + side * [0.30, 0.32] + jitter[1] * 0.02
    companion = main + [-side[0] * 0.37, 0.02] + jitter[2] * [0.03, 0.06]
    distractor = np.array([side[0] * (0.2 + 0.18 * jitter[3, 0]), 0.08 * jitter[3, 1] - 0.22])
    return np.stack([main, panel, companion, distractor])


def sample_layout(config: ProbeWorldConfig, main: int, rng: np.random.Generator) -> Layout:
    """Draw the middle frame for a clip whose main object has category `main`."""
    kind = _kinds(main, rng)
    extents = [EXTENTS[SHAPE_NAMES[k]] for k in kind]
    half = np.array([extent.half_height for extent in extents])
    side = np.where(rng.random(2) < [0.5, 0.4], -1.0, 1.0)
    jitter = rng.uniform(-1, 1, (SLOTS, 3))
    per_depth = _heights(config, rng) / (2 * config.focal * half)  # scale of a solid at 1 m
    depth = _depths(per_depth * [extent.bound for extent in extents], jitter[:, 2])
    screen = _places(side, jitter[:, :2])
    angles = rng.uniform(-1, 1, 3)
    layout = Layout(
        kind=kind,
        active=np.array([True, True, True, rng.random() < config.distractor]),
        scale=per_depth * depth,
        rotation=np.stack([_orientation(k, rng) for k in kind]),
        position=np.zeros((SLOTS, 3)),
        screen=screen,
        depth=depth,
        side=side,
        yaw=5.0 * angles[0],
        pitch=-10.0 + 2.0 * angles[1],
        roll=1.5 * angles[2],
        eye=rng.uniform([-0.2, 1.6, -0.1], [0.2, 1.75, 0.1]),
    )
    for slot in range(SLOTS):
        layout.position[slot] = layout.lift(screen[slot], depth[slot], config.focal)
    # Room to fall: the same for every class, so that height does not give the class away.
    fall = np.array([0.5 * config.travel[1] * depth[0] / config.focal, 0.0, 0.05, 0.05])
    lowest = layout.scale * half * 1.05 + FLOOR_GAP + fall
    layout.position[:, 1] = np.maximum(layout.position[:, 1], lowest)
    return layout
