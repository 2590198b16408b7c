# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Two sets of feature vectors, as the distances between distributions take them."""

import numpy as np

from .means import sorted_rows

Array = np.ndarray


def feature_sets(predictions: Array, references: Array, *, at_least: int) -> tuple[Array, Array]:
    """Both sets in double precision, their rows in an order of their own, so that the order of arrival has no part.

    Args:
        predictions: (N, D) features of generated samples.
        references: (M, D) features of real ones, from the same network.
        at_least: samples that each set needs.

    Raises:
        ValueError: not two matrices of the same width, too few samples, or entries that are not finite.
    """
    first, second = np.asarray(predictions), np.asarray(references)
    if first.ndim != 2 or second.ndim != 2 or first.shape[1] != second.shape[1] or not first.shape[1]:
        raise ValueError(
            f"predictions and references must be (N, D) and (M, D) with the same D, "
            f"got {first.shape} and {second.shape}"
        )
    for name, rows in (("predictions", first), ("references", second)):
        if len(rows) < at_least:
            raise ValueError(f"{name} must hold at least {at_least} samples, got {len(rows)}")
        if not np.isfinite(rows).all():
            raise ValueError(f"{name} must be finite, got NaN or infinity")
    return sorted_rows(first.astype(np.float64)), sorted_rows(second.astype(np.float64))
