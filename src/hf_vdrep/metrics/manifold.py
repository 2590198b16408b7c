# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Precision and recall of generated samples (Kynkaanniemi et al. 2019, section 2).

The manifold of a set is the union of balls around its samples, each as wide as the distance to the k-th nearest other
sample. Precision is the share of generated samples within the real manifold, recall the reverse.
"""

from collections.abc import Iterator

import numpy as np

from .feature_sets import feature_sets

Array = np.ndarray

NEIGHBOURS = 3

# Of the largest squared distance: what rounding may add to |x|^2 + |y|^2 - 2 x . y.
_ROUNDING = 1e-12
_BLOCK = 1024


def precision_recall(predictions: Array, references: Array, *, neighbours: int = NEIGHBOURS) -> dict[str, float]:
    """Shares in [0, 1], higher is better.

    Args:
        predictions: (N, D) features of generated samples, N above `neighbours`.
        references: (M, D) features of real samples, M above `neighbours`.
        neighbours: k; the paper uses 3 with 50,000 samples a side.

    Returns:
        `precision` (are generated samples real?) and `recall` (are real samples covered?). A sample on the rim of a
        ball is within it.

    Raises:
        ValueError: shapes disagree, too few samples, features that are not finite, or `neighbours` below 1.
    """
    if neighbours < 1:
        raise ValueError(f"neighbours must be at least 1, got {neighbours}")
    first, second = feature_sets(predictions, references, at_least=neighbours + 1)
    # Distances do not change, and small numbers round less.
    centre = second.mean(axis=0)
    first, second = first - centre, second - centre
    return {
        "precision": _share_within(first, second, neighbours),
        "recall": _share_within(second, first, neighbours),
    }


def _share_within(samples: Array, manifold: Array, neighbours: int) -> float:
    """Share of `samples` in the union of the balls around the rows of `manifold`."""
    # The nearest to a row is the row itself: the k-th other one stands at place k.
    radii = np.concatenate([np.partition(d, neighbours, axis=1)[:, neighbours] for d in _squared(manifold, manifold)])
    slack = _ROUNDING * max(float((samples**2).sum(axis=1).max()), float((manifold**2).sum(axis=1).max()))
    return float(np.concatenate([(d <= radii + slack).any(axis=1) for d in _squared(samples, manifold)]).mean())


def _squared(first: Array, second: Array) -> Iterator[Array]:
    """Squared distances, a block of rows of `first` at a time: (block, M)."""
    norms = (second**2).sum(axis=1)
    for start in range(0, len(first), _BLOCK):
        rows = first[start : start + _BLOCK]
        yield np.maximum((rows**2).sum(axis=1)[:, None] + norms - 2 * rows @ second.T, 0.0)
