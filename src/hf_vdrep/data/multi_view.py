# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Several looks at one video, and their common answer."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

_MARK = "#"


def view_id(clip: str, segment: int, view: int) -> str:
    """Name of one look: video, segment in time, crop in space."""
    return f"{clip}{_MARK}{segment}.{view}"


def clip_of(identifier: str) -> str:
    """The video of a look; a name without look is its own."""
    clip, mark, look = identifier.rpartition(_MARK)
    return clip if mark and look.replace(".", "", 1).isdigit() else identifier


def mean_softmax(logits: np.ndarray, ids: Sequence[str]) -> tuple[list[str], np.ndarray]:
    """Mean soft-max over the looks at each video, as V-JEPA evaluates (8x3 on Kinetics, 2x3 on Something-Something).

    Args:
        logits: (N, C), one row per look.
        ids: N names as a stream gives them.

    Returns:
        M videos in order of first appearance, and float64 (M, C) probabilities.

    Raises:
        ValueError: the numbers disagree.
    """
    logits = np.asarray(logits, dtype=np.float64)
    if logits.ndim != 2 or len(logits) != len(ids):
        raise ValueError(f"logits must be (N, C) with one row for each of {len(ids)} ids, got {logits.shape}")
    shifted = np.exp(logits - logits.max(axis=1, keepdims=True, initial=-np.inf))
    shares = shifted / shifted.sum(axis=1, keepdims=True)
    places = {clip: place for place, clip in enumerate(dict.fromkeys(clip_of(name) for name in ids))}
    rows = np.array([places[clip_of(name)] for name in ids], dtype=np.int64)
    sums = np.zeros((len(places), logits.shape[1]))
    np.add.at(sums, rows, shares)
    return list(places), sums / np.bincount(rows, minlength=len(places))[:, None]
