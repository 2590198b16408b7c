# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Classes of the six classification tasks, as functions of the scene graph.

The actor is the main object, slot 0. What one frame can say: `object`, `scene` and `fine` wholly; `action_motion`
nothing; of the two appearance-led action tasks everything but the motion group, which it can only guess: a reader of
single frames is right for at most 3/4 (`action_coarse`) and 1/2 (`action_many`) of the clips.
"""

from __future__ import annotations

from .scene import FACES, Scene
from .textures import FAMILIES
from .vocabulary import (
    ACTION_MANY_NAMES,
    MEETINGS,
    MOTION_NAMES,
    OBJECT_GROUPS,
    OBJECT_NAMES,
    PATTERN_NAMES,
    PATTERN_STYLES,
    STAYS,
    SURFACE_FAMILIES,
    SURFACES,
    WALL_GROUPS,
)

_FLOOR, _WALL = FACES.index("floor"), FACES.index("far wall")
_STYLE = {PATTERN_NAMES.index(name): i for i, names in enumerate(PATTERN_STYLES.values()) for name in names}
_SURFACE = {FAMILIES.index(name): i for i, names in enumerate(SURFACE_FAMILIES.values()) for name in names}
_WALL_GROUP = {SURFACES.index(name): i for i, names in enumerate(WALL_GROUPS.values()) for name in names}
_OBJECT_GROUP = {OBJECT_NAMES.index(name): i for i, names in enumerate(OBJECT_GROUPS.values()) for name in names}


def _wall_group(scene: Scene) -> int:
    return _WALL_GROUP[_SURFACE[int(scene.room.family[_WALL])]]


def scene_class(scene: Scene) -> int:
    """Index into `SCENE_NAMES`: surface of the floor x surface of the far wall."""
    return len(SURFACES) * _SURFACE[int(scene.room.family[_FLOOR])] + _SURFACE[int(scene.room.family[_WALL])]


def fine_class(scene: Scene) -> int:
    """Index into `FINE_NAMES`: category of the main object x style of its surface pattern."""
    return fine_class_of(int(scene.kind[0]), int(scene.materials.pattern[0]))


def fine_class_of(kind: int, pattern: int) -> int:
    """Index into `FINE_NAMES` of a category and a pattern, indices into `OBJECT_NAMES` and `PATTERN_NAMES`."""
    return len(PATTERN_STYLES) * kind + _STYLE[pattern]


def action_coarse_class(scene: Scene) -> int:
    """Index into `ACTION_COARSE_NAMES`: moves or stays x group of the actor x wall behind it."""
    stays = MOTION_NAMES[scene.motion] in STAYS
    group = _OBJECT_GROUP[int(scene.kind[0])]
    return (len(OBJECT_GROUPS) * int(stays) + group) * len(WALL_GROUPS) + _wall_group(scene)


def action_many_class(scene: Scene) -> int:
    """Index into `ACTION_MANY_NAMES`: travels, meets or stays x category of the actor x wall behind it."""
    name = MOTION_NAMES[scene.motion]
    motion = 2 if name in STAYS else int(name in MEETINGS)
    return (len(OBJECT_NAMES) * motion + int(scene.kind[0])) * len(WALL_GROUPS) + _wall_group(scene)


def coarse_of_many(many: int) -> int:
    """The class of `ACTION_COARSE_NAMES` that a class of `ACTION_MANY_NAMES` refines."""
    if not 0 <= many < len(ACTION_MANY_NAMES):
        raise ValueError(f"many must lie in [0, {len(ACTION_MANY_NAMES) - 1}], got {many}")
    rest, wall = divmod(many, len(WALL_GROUPS))
    motion, kind = divmod(rest, len(OBJECT_NAMES))
    return (len(OBJECT_GROUPS) * int(motion == 2) + _OBJECT_GROUP[kind]) * len(WALL_GROUPS) + wall
