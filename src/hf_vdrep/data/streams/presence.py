# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Which clips of boxes make a sample: the Waymo construction (papers.md section 9)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class PresenceRules:
    """InternVideo-Next's reading of the 4DS description; counts are for 16 frames.

    Attributes:
        most_objects: objects in the first frame, at least one.
        least_share: of the frames in which each must be present.
        least_together: frames in which all must be present at once.
        longest_gap: frames in a row in which one may be absent.
        least_area: share of the crop below which a box is absent.
        apart: frames between the starts of two clips.
    """

    most_objects: int = 25
    least_share: float = 0.7
    least_together: int = 10
    longest_gap: int = 5
    least_area: float = 0.005
    apart: int = 3


def objects_of(present: np.ndarray, rules: PresenceRules) -> np.ndarray | None:
    """Rows of the objects that a clip keeps, or None where it is no sample.

    Objects are those of the first frame that are present often enough and with no long gap; the clip counts where
    one to `most_objects` of them are left and all are present together often enough.

    Args:
        present: bool (K, T).
        rules: the construction.
    """
    kept = [row for row in np.flatnonzero(present[:, 0]) if _steady(present[row], rules)]
    if not 1 <= len(kept) <= rules.most_objects:
        return None
    together = int(present[kept].all(axis=0).sum())
    return np.array(kept) if together >= min(rules.least_together, present.shape[1]) else None


def _steady(present: np.ndarray, rules: PresenceRules) -> bool:
    return present.mean() >= rules.least_share and longest_gap(present) <= rules.longest_gap


def longest_gap(present: np.ndarray) -> int:
    """Longest run of False in bool (T,)."""
    longest = run = 0
    for there in present:
        run = 0 if there else run + 1
        longest = max(longest, run)
    return longest
