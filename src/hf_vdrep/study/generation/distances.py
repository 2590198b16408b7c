# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Distances between two sets of vectors, each with an interval."""

from collections.abc import Callable

import numpy as np

from ...metrics.frechet import frechet_distance
from ...metrics.kernel import kernel_distance
from ...metrics.manifold import precision_recall

Array = np.ndarray

GROUPS = 10
MEASURES = ("frechet_distance", "kernel_distance", "precision", "recall")
_LEAST = {"kernel_distance": -np.inf}  # unbiased, so negative at times; no other measure can be


def distances(generated: Array, real: Array, *, groups: int = GROUPS, seed: int = 0) -> dict[str, dict[str, float]]:
    """Frechet and kernel distance, precision and recall, with 95 % intervals.

    Bootstrap resamples would repeat samples, which alone raises a Frechet distance; the intervals are therefore those
    of the delete-a-group jackknife (Shao & Tu 1995, section 2.3), which never repeats one.

    Args:
        generated: (N, D) vectors.
        real: (M, D) vectors.
        groups: of the jackknife; at least 2.
        seed: of the division into groups.

    Returns:
        Measure -> {"value", "low", "high"}.
    """
    if groups < 2:
        raise ValueError(f"groups must be at least 2, got {groups}")
    values = _all(generated, real)
    rng = np.random.default_rng(seed)
    first, second = (rng.permutation(len(rows)) % groups for rows in (generated, real))
    left_out = [_all(generated[first != group], real[second != group]) for group in range(groups)]
    found = {}
    for name, value in values.items():
        spread = np.std([one[name] for one in left_out]) * np.sqrt(groups - 1)
        low, high = value - 1.96 * float(spread), value + 1.96 * float(spread)
        most = 1.0 if name in ("precision", "recall") else np.inf
        found[name] = {"value": value, "low": max(low, _LEAST.get(name, 0.0)), "high": min(high, most)}
    return found


def _all(generated: Array, real: Array) -> dict[str, float]:
    measures: dict[str, Callable[[], dict[str, float]]] = {
        "frechet_distance": lambda: {"frechet_distance": frechet_distance(generated, real)},
        "kernel_distance": lambda: {"kernel_distance": kernel_distance(generated, real)["kernel_distance"]},
        "shares": lambda: precision_recall(generated, real),
    }
    return {name: value for measure in measures.values() for name, value in measure().items()}
