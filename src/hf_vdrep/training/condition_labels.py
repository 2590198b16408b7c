# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""What ProbeWorld's training clips are of, for training under a condition: a class, or a few words."""

import os
from pathlib import Path
from typing import Any

import numpy as np

from ..data.sample import CLASS_LABELS
from .pool import source_key


def class_count(condition: str) -> int | None:
    """Classes of a label of ProbeWorld; None for a condition that is no label."""
    from ..data.probeworld import TASK_NAMES

    return len(TASK_NAMES[condition]) if condition in CLASS_LABELS else None


def open_labels(world: Any, folder: Path, *, name: str, chunk: int = 32) -> np.ndarray:
    """int64 (size, 6): the class labels of every clip in the order of `CLASS_LABELS`, drawn once and kept.

    Args:
        world: a `ProbeWorld`.
        folder: where labels live, beside the rendered clips.
        name: for humans, e.g. the split.
        chunk: clips at a time.
    """
    size = len(world)
    path = folder / f"labels-{name}-{size}-{source_key(world)}.npy"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        rows = []
        for start in range(0, size, chunk):
            samples = world.batch(range(start, min(start + chunk, size)))
            rows += [[int(sample[label]) for label in CLASS_LABELS] for sample in samples]
        temporary = path.with_name(f".{path.name}.{os.getpid()}")
        with temporary.open("wb") as file:
            np.save(file, np.asarray(rows, np.int64))
        os.replace(temporary, path)
    return np.load(path)


def captions(labels: np.ndarray) -> list[str]:
    """A few words on each clip, such as "cube, move left": its most visible solid and its motion.

    Args:
        labels: (size, 6) of `open_labels`.
    """
    from ..data.probeworld import TASK_NAMES

    solid, motion = CLASS_LABELS.index("object"), CLASS_LABELS.index("action_motion")
    names, motions = TASK_NAMES["object"], TASK_NAMES["action_motion"]
    return [f"{names[row[solid]]}, {motions[row[motion]]}" for row in labels]
