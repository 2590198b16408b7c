# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""The columns of the comparison: floors, the twins, and the reference above them."""

from dataclasses import dataclass


@dataclass(frozen=True)
class System:
    """One column.

    Attributes:
        key: its name in configs and result rows.
        label: its name in tables and figures.
        role: "chance" (sees no input), "floor", "twin" or "reference".
        note: one sentence for readers.
    """

    key: str
    label: str
    role: str
    note: str


SYSTEMS: tuple[System, ...] = (
    System("chance", "no input", "chance", "The best constant answer: what the labels alone give away."),
    System("pixels", "pixels", "floor", "Patch means of the raw pixels, in place of features."),
    System("latents", "latents", "floor", "The tokenizer's latents, with no transformer on top."),
    System("random", "random", "floor", "V-WALT's architecture with random weights."),
    System("i-walt", "I-WALT", "twin", "The image model: same blocks, same parameters, every block spatial."),
    System("v-walt", "V-WALT", "twin", "The video model: every second block attends over time."),
    System("reference", "end to end", "reference", "A small network trained end to end on pixels and labels."),
)

_BY_KEY = {system.key: system for system in SYSTEMS}

FLOORS: tuple[str, ...] = tuple(system.key for system in SYSTEMS if system.role == "floor")
TWINS: tuple[str, ...] = ("i-walt", "v-walt")


def system(key: str) -> System:
    """The column of that key."""
    if key not in _BY_KEY:
        raise ValueError(f"system must be one of {sorted(_BY_KEY)}, got {key!r}")
    return _BY_KEY[key]
