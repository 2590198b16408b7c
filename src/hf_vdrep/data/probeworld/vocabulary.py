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

SPLITS: tuple[str, ...] = ("train", "validation", "test")


def reversed_motion(motion: int) -> int:
    """The class whose clips are this class's clips played backwards."""
    return motion ^ 1
