# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""The middle frame: camera, solids and room, drawn from one distribution whatever the motion class.

A single middle frame therefore says nothing about the class. Positions are chosen on screen (fractions of the frame's
height, origin in the centre, v down) and lifted to metres through the middle frame's camera.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from .config import ProbeWorldConfig
from .palettes import PALETTES, Palette, rgb
from .rotations import about, camera_to_world
from .scene import SLOTS, Materials, Room
from .shapes import EXTENTS
from .textures import FAMILIES, TextureLibrary
from .vocabulary import OBJECT_NAMES, PATTERN_NAMES, SHAPE_NAMES

PANEL = SHAPE_NAMES.index("panel")
# Bodies of revolution turn invisibly unless their pattern breaks the symmetry.
ROUND_KINDS: tuple[int, ...] = tuple(
    OBJECT_NAMES.index(name) for name in ("sphere", "cylinder", "cone", "capsule", "dumbbell", "hourglass")
)
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

    def lift(self, u: float, v: float, depth: float, focal: float) -> np.ndarray:
        """World point (3,) seen at (u, v) in the middle frame at a z-depth."""
        camera = camera_to_world(self.yaw, self.pitch, self.roll)
        return self.eye + camera @ np.array([u / focal, v / focal, 1.0]) * depth


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


def sample_layout(config: ProbeWorldConfig, main: int, rng: np.random.Generator) -> Layout:
    """Draw the middle frame for a clip whose main object has category `main`."""
    kind = _kinds(main, rng)
    extents = [EXTENTS[SHAPE_NAMES[k]] for k in kind]
    side = np.where(rng.random(2) < [0.5, 0.4], -1.0, 1.0)
    jitter = rng.uniform(-1, 1, (SLOTS, 3))
    height = np.zeros(SLOTS)
    height[0] = rng.uniform(*config.main_height)
    height[1] = np.clip(height[0] * rng.uniform(0.9, 1.0), 0.36, 0.42)
    height[2] = rng.uniform(0.22, 0.26)
    height[3] = rng.uniform(0.12, 0.16)
    half = np.array([extent.half_height for extent in extents])
    per_depth = height / (2 * config.focal * half)  # scale of a solid at 1 m
    depth = np.zeros(SLOTS)
    depth[0] = 2.3 + 0.2 * jitter[0, 2]
    reach = [extent.bound for extent in extents]
    # The main object must pass behind the occluder without touching it.
    gap = 0.08 + 0.05 * jitter[1, 2]
    depth[1] = (depth[0] * (1 - 0.9 * per_depth[0] * reach[0]) - gap) / (1 + 0.45 * per_depth[1] * reach[1])
    depth[2] = depth[0] + 1.15 + 0.2 * jitter[2, 2]
    depth[3] = 4.3 + 0.2 * jitter[3, 2]
    screen = np.zeros((SLOTS, 2))
    screen[0] = side * [0.02, -0.07] + jitter[0, :2] * [0.04, 0.03]
    screen[1] = screen[0] + side * [0.30, 0.32] + jitter[1, :2] * 0.02
    screen[2] = screen[0] + [-side[0] * 0.37, 0.02] + jitter[2, :2] * [0.03, 0.06]
    screen[3] = [side[0] * (0.2 + 0.18 * jitter[3, 0]), 0.08 * jitter[3, 1] - 0.22]  # not on the companion's side
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
        layout.position[slot] = layout.lift(*screen[slot], depth[slot], config.focal)
    # Room to fall: the same for every class, so that height does not give the class away.
    fall = np.array([0.5 * config.travel[1] * depth[0] / config.focal, 0.0, 0.05, 0.05])
    lowest = layout.scale * half * 1.05 + FLOOR_GAP + fall
    layout.position[:, 1] = np.maximum(layout.position[:, 1], lowest)
    return layout


def _pattern(kind: int, photographs: bool, roll: float) -> int:
    names = ["stripes", "checker", "dots", "noise", "gradient", "stripes"]
    if kind not in ROUND_KINDS:
        names.append("solid")
    if photographs:
        names.append("photograph")
    return PATTERN_NAMES.index(names[int(roll * len(names))])


def sample_materials(
    kind: np.ndarray, palette: Palette, library: TextureLibrary, rng: np.random.Generator
) -> Materials:
    """Patterns and colours of the solids: two contrasting colours of the palette each, periods of 9 to 16 pixels."""
    photographs = library.members("photograph")
    rolls = rng.random((SLOTS, 4))
    pattern = np.array([_pattern(int(k), len(photographs) > 0, rolls[i, 0]) for i, k in enumerate(kind)])
    accents = np.stack([rgb(code) for code in palette.objects])[rng.permutation(len(palette.objects))]
    # The main object takes the colour of the first three that stands out most against the wall.
    best = int(np.argmax(((accents[:3] - rgb(palette.wall)) ** 2).sum(1)))
    accents[[0, best]] = accents[[best, 0]]
    first = accents[:SLOTS].copy()
    light, dark = np.array([0.97, 0.94, 0.86]), np.array([0.10, 0.11, 0.16])
    # The panel is furniture: the side walls' colour, darker or lighter, with faint stripes.
    pattern[1] = PATTERN_NAMES.index("stripes")
    first[1] = rgb(palette.side) * 0.72 if rgb(palette.side).mean() > 0.5 else 0.35 + 0.65 * rgb(palette.side)
    bright = first @ [0.3, 0.59, 0.11]
    partner = np.where((bright > 0.5)[:, None], dark * 0.6 + 0.4 * accents[[4, 5, 4, 5]] * 0.8, light)
    partner[1] = first[1] * 0.86
    angles = rng.uniform(-1, 1, (SLOTS, 3))
    # The first pattern axis stays within 50 degrees of the horizontal: a spin about the vertical always shows.
    axes = about(2, 50 * angles[:, 0]) @ about(0, 40 * angles[:, 2]) @ about(1, 180 * angles[:, 1])
    frequency = np.array([1.0, 1.0, 0.62, 0.95, 0.62, 0.26, 0.3])[pattern] * rng.uniform(0.85, 1.15, SLOTS)
    texture = (
        photographs[(rolls[:, 1] * len(photographs)).astype(np.int64)] if len(photographs) else np.zeros(SLOTS, int)
    )
    photo = pattern == PATTERN_NAMES.index("photograph")
    axes[photo] = np.eye(3)
    return Materials(
        pattern=pattern,
        colours=np.stack([first, partner], 1),
        frequency=axes * frequency[:, None, None],
        phase=rng.uniform(0, 1, (SLOTS, 3)),
        gloss=np.where(rolls[:, 2] < 0.5, 0.35 * rolls[:, 3], 0.0),
        texture=texture,
    )


def sample_room(palette: Palette, library: TextureLibrary, rng: np.random.Generator) -> Room:
    """Walls around the middle frame's layout, floor at y = 0; every ray ends within 8 m."""
    bounds = rng.uniform([-3.2, 2.4, 0.0, 3.6, -6.0, 2.0], [-2.4, 3.2, 0.0, 3.8, -5.2, 2.2])
    weight = np.array([0.16, 0.16, 0.14, 0.14, 0.16, 0.24])
    present = np.array([len(library.members(name)) > 0 for name in FAMILIES])
    weight = weight * present / (weight * present).sum()
    families = rng.choice(len(FAMILIES), size=3, p=weight)  # floor, far wall, side walls
    side = 0 if rng.random() < 0.6 else families[2]
    chosen = np.array([families[0], 0, families[1], 0, side, side])
    picks = rng.random(6)
    members = [library.members(FAMILIES[f]) for f in chosen]
    texture = np.array([m[int(p * len(m))] for m, p in zip(members, picks, strict=True)])
    wall, sides, floor = rgb(palette.wall), rgb(palette.side), rgb(palette.floor)
    base = np.stack([floor, 0.5 + 0.5 * wall, wall, wall, sides, sides])
    base = np.clip(base + rng.uniform(-0.04, 0.04, (6, 3)), 0.0, 1.0)
    contrast = np.array([0.30, 0.1, 0.30, 0.1, 0.22, 0.22])[:, None] * rng.uniform(0.7, 1.1)
    tint = np.where((chosen == FAMILIES.index("photograph"))[:, None], 1.5, 1.0) * (
        0.6 + 0.4 * base / base.max(1, keepdims=True)
    )
    texture[5] = texture[4]
    return Room(bounds, texture, base, contrast * tint, np.floor(rng.uniform(0, 256, (6, 2))))


def sample_palette(rng: np.random.Generator) -> Palette:
    """One of the hand-made palettes."""
    return PALETTES[int(rng.integers(len(PALETTES)))]
