# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Names of everything ProbeWorld can contain. Order is the label order; appending is safe, reordering is not."""

OBJECT_NAMES: tuple[str, ...] = (
    "sphere",
    "cube",
    "cylinder",
    "cone",
    "torus",
    "capsule",
    "pyramid",
    "octahedron",
    "wedge",
    "cross",
    "dumbbell",
    "hourglass",
)

# What can be drawn: the categories, and the panel that things hide behind, which is furniture and no category.
SHAPE_NAMES: tuple[str, ...] = (*OBJECT_NAMES, "panel")

# Classes 2k and 2k + 1 are each other played backwards.
MOTION_NAMES: tuple[str, ...] = (
    "move left",
    "move right",
    "approach",
    "recede",
    "rise",
    "fall",
    "rotate clockwise",
    "rotate counter-clockwise",
    "hide behind",
    "emerge from behind",
    "come together",
    "move apart",
    "start moving",
    "stop moving",
    "camera pans left",
    "camera pans right",
)

PATTERN_NAMES: tuple[str, ...] = ("solid", "stripes", "checker", "dots", "noise", "gradient", "photograph")

# Surface patterns of solids by what a 64-pixel frame can tell apart; task 3's second factor.
PATTERN_STYLES: dict[str, tuple[str, ...]] = {
    "plain": ("solid", "gradient"),
    "striped": ("stripes",),
    "patchy": ("checker", "dots", "noise"),
    "photographic": ("photograph",),
}

# Texture families of floor and walls by what a 64-pixel frame can tell apart; task 2's factors.
SURFACE_FAMILIES: dict[str, tuple[str, ...]] = {
    "smooth": ("plain", "noise"),
    "striped": ("stripes",),
    "tiled": ("checker", "dots"),
    "grainy": ("photograph",),
}
SURFACES: tuple[str, ...] = tuple(SURFACE_FAMILIES)

# The factors of the appearance-led actions: by whom, where, and what is done.
OBJECT_GROUPS: dict[str, tuple[str, ...]] = {
    "round": ("sphere", "torus", "capsule"),
    "pointed": ("cone", "pyramid", "octahedron"),
    "boxy": ("cube", "wedge", "cross"),
    "turned": ("cylinder", "dumbbell", "hourglass"),
}
WALL_GROUPS: dict[str, tuple[str, ...]] = {
    "smooth": ("smooth",),
    "patterned": ("striped", "tiled"),
    "grainy": ("grainy",),
}
MEETINGS: tuple[str, ...] = ("hide behind", "emerge from behind", "come together", "move apart")
STAYS: tuple[str, ...] = ("rotate clockwise", "rotate counter-clockwise", "camera pans left", "camera pans right")

SCENE_NAMES: tuple[str, ...] = tuple(f"{floor} floor, {wall} wall" for floor in SURFACES for wall in SURFACES)
FINE_NAMES: tuple[str, ...] = tuple(f"{style} {name}" for name in OBJECT_NAMES for style in PATTERN_STYLES)
ACTION_COARSE_NAMES: tuple[str, ...] = tuple(
    f"{group} solid {verb}, {wall} wall"
    for verb in ("moves", "stays")
    for group in OBJECT_GROUPS
    for wall in WALL_GROUPS
)
ACTION_MANY_NAMES: tuple[str, ...] = tuple(
    f"{name} {verb}, {wall} wall"
    for verb in ("travels", "meets another", "stays")
    for name in OBJECT_NAMES
    for wall in WALL_GROUPS
)

# Classification tasks and the names of their classes.
TASK_NAMES: dict[str, tuple[str, ...]] = {
    "object": OBJECT_NAMES,
    "scene": SCENE_NAMES,
    "fine": FINE_NAMES,
    "action_coarse": ACTION_COARSE_NAMES,
    "action_many": ACTION_MANY_NAMES,
    "action_motion": MOTION_NAMES,
}

SPLITS: tuple[str, ...] = ("train", "validation", "test")


def reversed_motion(motion: int) -> int:
    """The class whose clips are this class's clips played backwards."""
    return motion ^ 1
