# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""What surfaces look like: patterns and colours of the solids, textures and colours of the room."""

from __future__ import annotations

import numpy as np

from .palettes import PALETTES, Palette, rgb
from .rotations import about
from .scene import SLOTS, Materials, Room
from .textures import FAMILIES, TextureLibrary
from .vocabulary import PATTERN_NAMES, SHAPE_NAMES

# Bodies of revolution turn invisibly unless their pattern breaks the symmetry.
ROUND_KINDS: tuple[int, ...] = tuple(
    SHAPE_NAMES.index(name) for name in ("sphere", "cylinder", "cone", "capsule", "dumbbell", "hourglass")
)
_LIGHT, _DARK = np.array([0.97, 0.94, 0.86]), np.array([0.10, 0.11, 0.16])
# Pattern periods per local unit, in the order of PATTERN_NAMES; a local unit is about 13 pixels of a 64-pixel frame.
_FREQUENCY = np.array([1.0, 1.0, 0.62, 0.95, 0.62, 0.26, 0.3])
_FAMILY_WEIGHT = np.array([0.16, 0.16, 0.14, 0.14, 0.16, 0.24])  # in the order of FAMILIES
_CONTRAST = np.array([0.15, 0.06, 0.15, 0.06, 0.11, 0.11])  # in the order of FACES


def pattern_names(kind: int, photographs: bool) -> list[str]:
    """The patterns that a solid of category `kind` may have, all equally likely; a name may stand twice."""
    names = ["stripes", "checker", "dots", "noise", "gradient", "stripes"]
    if kind not in ROUND_KINDS:
        names.append("solid")
    if photographs:
        names.append("photograph")
    return names


def _pattern(kind: int, photographs: bool, roll: float) -> int:
    names = pattern_names(kind, photographs)
    return PATTERN_NAMES.index(names[int(roll * len(names))])


def _colours(palette: Palette, order: np.ndarray) -> np.ndarray:
    """(K, 2, 3): a colour of the palette per solid, and a light or dark partner."""
    accents = np.stack([rgb(code) for code in palette.objects])[order]
    # The main object takes the colour of the first three that stands out most against the wall.
    best = int(np.argmax(((accents[:3] - rgb(palette.wall)) ** 2).sum(1)))
    accents[[0, best]] = accents[[best, 0]]
    first = accents[:SLOTS].copy()
    # The panel is furniture: the side walls' colour, darker or lighter, with faint stripes.
    side = rgb(palette.side)
    first[1] = side * 0.72 if side.mean() > 0.5 else 0.35 + 0.65 * side
    bright = first @ [0.3, 0.59, 0.11]
    dark = _DARK * 0.6 + 0.4 * accents[[4, 5, 4, 5]] * 0.8
    partner = np.where((bright > 0.5)[:, None], dark, _LIGHT)
    # Half the contrast: what an 8x tokenizer cannot hold would only blur.
    partner = 0.5 * (partner + first)
    partner[1] = first[1] * 0.86
    return np.stack([first, partner], 1)


def sample_materials(
    kind: np.ndarray, palette: Palette, library: TextureLibrary, rng: np.random.Generator
) -> Materials:
    """Patterns and colours of the solids: two contrasting colours of the palette each, periods of 9 to 16 pixels."""
    photographs = library.members("photograph")
    rolls = rng.random((SLOTS, 4))
    pattern = np.array([_pattern(int(k), len(photographs) > 0, rolls[i, 0]) for i, k in enumerate(kind)])
    colours = _colours(palette, rng.permutation(len(palette.objects)))
    pattern[1] = PATTERN_NAMES.index("stripes")
    angles = rng.uniform(-1, 1, (SLOTS, 3))
    # The first pattern axis stays within 50 degrees of the horizontal: a spin about the vertical always shows.
    axes = about(2, 50 * angles[:, 0]) @ about(0, 40 * angles[:, 2]) @ about(1, 180 * angles[:, 1])
    frequency = _FREQUENCY[pattern] * rng.uniform(0.85, 1.15, SLOTS)
    texture = (
        photographs[(rolls[:, 1] * len(photographs)).astype(np.int64)] if len(photographs) else np.zeros(SLOTS, int)
    )
    photo = pattern == PATTERN_NAMES.index("photograph")
    axes[photo] = np.eye(3)
    return Materials(
        pattern=pattern,
        colours=colours,
        frequency=axes * frequency[:, None, None],
        phase=rng.uniform(0, 1, (SLOTS, 3)),
        gloss=np.where(rolls[:, 2] < 0.5, 0.35 * rolls[:, 3], 0.0),
        texture=texture,
    )


def _families(library: TextureLibrary, rng: np.random.Generator) -> np.ndarray:
    """(6,) texture family of every face; near wall and ceiling are plain, side walls often."""
    weight = _FAMILY_WEIGHT * [len(library.members(name)) > 0 for name in FAMILIES]
    floor, far, side = rng.choice(len(FAMILIES), size=3, p=weight / weight.sum())
    side = 0 if rng.random() < 0.6 else side
    return np.array([floor, 0, far, 0, side, side])


def sample_room(palette: Palette, library: TextureLibrary, rng: np.random.Generator) -> Room:
    """Walls around the middle frame's layout, floor at y = 0; every ray ends within 8 m."""
    bounds = rng.uniform([-3.2, 2.4, 0.0, 3.6, -6.0, 2.0], [-2.4, 3.2, 0.0, 3.8, -5.2, 2.2])
    chosen = _families(library, rng)
    members = [library.members(FAMILIES[f]) for f in chosen]
    texture = np.array([m[int(p * len(m))] for m, p in zip(members, rng.random(6), strict=True)])
    texture[5] = texture[4]
    wall, side = rgb(palette.wall), rgb(palette.side)
    base = np.stack([rgb(palette.floor), 0.5 + 0.5 * wall, wall, wall, side, side])
    base = np.clip(base + rng.uniform(-0.04, 0.04, (6, 3)), 0.0, 1.0)
    contrast = _CONTRAST[:, None] * rng.uniform(0.7, 1.1)
    tint = 0.6 + 0.4 * base / base.max(1, keepdims=True)
    boost = np.where(chosen == FAMILIES.index("photograph"), 1.5, 1.0)[:, None]
    return Room(bounds, texture, chosen, base, contrast * (boost * tint), np.floor(rng.uniform(0, 256, (6, 2))))


def sample_palette(rng: np.random.Generator) -> int:
    """Index of one of the hand-made palettes."""
    return int(rng.integers(len(PALETTES)))
