# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Which clips of a split belong to a task: all, but for the fine-grained task, which is long-tailed in train.

Pixels are the same for every task; a task only leaves clips out. Membership is a pure function of (config, split,
index), so that a longer list begins with every shorter one. For the task "fine":

- The 48 classes have a rank, drawn from the seed. Train keeps a clip of rank r with probability 10^(-r / 47): an
  exponential tail, as in CIFAR-LT (Cui et al. 2019, §5.1), on top of the world's own frequencies. Validation and test
  thin out frequent classes to the rate of the rarest; classes of the tail, which show fewer palettes there, stay up
  to three times rarer.
- The last third of the ranks is the tail. A class of the tail shows each of the ten palettes in one split only, so
  that a combination of category, pattern and colours that is tested was never trained on.
"""

from __future__ import annotations

import functools
import hashlib
import itertools
from typing import TYPE_CHECKING

import numpy as np

from .classes import fine_class, fine_class_of
from .palettes import PALETTES
from .scene import Scene
from .surfaces import pattern_names
from .vocabulary import FINE_NAMES, OBJECT_NAMES, PATTERN_NAMES, PATTERN_STYLES, SPLITS, TASK_NAMES

if TYPE_CHECKING:
    from .world import ProbeWorld

IMBALANCE = 10.0
TAIL = len(FINE_NAMES) // 3
TASKS: tuple[str, ...] = (*TASK_NAMES, "depth", "camera_pose", "point_tracks", "box_tracks")
_PALETTES_PER_SPLIT = {"train": 3, "validation": 3, "test": 4}
_TEST_RATE = 0.8  # below 1, so that the tail, which sees fewer palettes, can keep up
_RANKS_STREAM, _ROLL_STREAM = 0x7A11, 0x5E1EC7


@functools.lru_cache(maxsize=8)
def fine_ranks(seed: int) -> np.ndarray:
    """(48,) rank of every fine class: 0 is the most frequent in train, the last `TAIL` ranks are the rare ones."""
    return np.random.default_rng([seed, _RANKS_STREAM]).permutation(len(FINE_NAMES))


def tail_palettes(seed: int, fine: int, split: str) -> tuple[int, ...]:
    """Palettes that the rare class `fine` shows in a split; the splits' sets are disjoint."""
    order = np.random.default_rng([seed, _RANKS_STREAM, fine]).permutation(len(PALETTES))
    start = sum(_PALETTES_PER_SPLIT[name] for name in SPLITS[: SPLITS.index(split)])
    return tuple(sorted(order[start : start + _PALETTES_PER_SPLIT[split]].tolist()))


@functools.lru_cache(maxsize=8)
def _frequencies(photographs: bool) -> np.ndarray:
    """(48,) the world's own probabilities of the fine classes."""
    styles = {name: place for place, names in enumerate(PATTERN_STYLES.values()) for name in names}
    out = np.zeros((len(OBJECT_NAMES), len(PATTERN_STYLES)))
    for kind in range(len(OBJECT_NAMES)):
        names = pattern_names(kind, photographs)
        for name in names:
            out[kind, styles[name]] += 1.0 / (len(names) * len(OBJECT_NAMES))
    return out.reshape(-1)


@functools.lru_cache(maxsize=16)
def _keep(seed: int, split: str, photographs: bool) -> np.ndarray:
    """(48,) probability of keeping a clip whose palette its class may show."""
    ranks, frequency = fine_ranks(seed), _frequencies(photographs)
    if split == "train":
        rate = IMBALANCE ** (-ranks / (len(ranks) - 1))
    else:
        least = frequency[frequency > 0].min()
        rate = _TEST_RATE * np.divide(least, frequency, out=np.zeros(len(ranks)), where=frequency > 0)
    share = np.where(ranks >= len(ranks) - TAIL, _PALETTES_PER_SPLIT[split] / len(PALETTES), 1.0)
    return np.minimum(rate / share, 1.0)


def in_fine(scene: Scene, seed: int, photographs: bool) -> bool:
    """Whether a clip belongs to the fine-grained task."""
    return _chosen(fine_class(scene), scene.palette, scene.split, scene.index, seed, photographs)


def _chosen(fine: int, palette: int, split: str, index: int, seed: int, photographs: bool) -> bool:
    if fine_ranks(seed)[fine] >= len(FINE_NAMES) - TAIL and palette not in tail_palettes(seed, fine, split):
        return False
    roll = np.random.default_rng([seed, SPLITS.index(split), _ROLL_STREAM, index]).random()
    return bool(roll < _keep(seed, split, photographs)[fine])


@functools.cache
def membership_digest() -> str:
    """Hexadecimal digest of the rule itself: it changes where `in_fine` would choose other clips of the same world.

    Taken over one draw of every category, pattern and palette in every split, with and without photographs.
    """
    pairs = [fine_class_of(*pair) for pair in itertools.product(range(len(OBJECT_NAMES)), range(len(PATTERN_NAMES)))]
    cases = itertools.product(SPLITS, (False, True), range(len(PALETTES)), pairs)
    chosen = [
        _chosen(fine, palette, split, index, 0, photographs)
        for index, (split, photographs, palette, fine) in enumerate(cases)
    ]
    return hashlib.sha256(bytes(pairs) + np.packbits(chosen).tobytes()).hexdigest()


def task_indices(world: ProbeWorld, task: str, size: int | None = None) -> list[int]:
    """Clips of `world` that belong to `task`, in rising order.

    Args:
        task: one of `TASKS`.
        size: how many; None means all in the world. A world's size costs nothing: make it as large as needed.

    Raises:
        ValueError: unknown task, or the world holds fewer than `size`.
    """
    if task not in TASKS:
        raise ValueError(f"task must be one of {TASKS}, got {task!r}")
    if size is not None and size < 1:
        raise ValueError(f"size must be positive, got {size}")
    found: list[int] = []
    photographs = bool(world.config.photographs)
    for index in range(len(world)):
        if len(found) == size:
            break
        if task != "fine" or in_fine(world.scene(index), world.config.seed, photographs):
            found.append(index)
    if size is not None and len(found) < size:
        raise ValueError(
            f"size must be at most {len(found)}, the clips for {task!r} in a world of {len(world)}, got {size}"
        )
    return found
