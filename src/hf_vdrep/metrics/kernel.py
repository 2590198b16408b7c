# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Kernel distance between two sets of features (Binkowski et al. 2018, section 3: KID)."""

import numpy as np

from .feature_sets import feature_sets

Array = np.ndarray

SUBSETS, SUBSET_SIZE, DEGREE = 100, 1000, 3


def kernel_distance(
    predictions: Array, references: Array, *, subsets: int = SUBSETS, subset_size: int = SUBSET_SIZE, seed: int = 0
) -> dict[str, float]:
    """Unbiased squared MMD with the kernel (x . y / D + 1)^3, the mean over random subsets.

    Args:
        predictions: (N, D) features of generated samples, N at least 2.
        references: (M, D) features of real samples, M at least 2.
        subsets: how many subsets to draw, without replacement within each.
        subset_size: samples of each side in a subset; a side with no more than these enters whole.
        seed: of the draws. They depend on the features, not on the order in which the samples came.

    Returns:
        `kernel_distance`, lower is better; unbiased, so 0 on average between samples of one distribution and below 0 at
        times. `kernel_distance_std` over the subsets, 0 where both sides enter whole.

    Raises:
        ValueError: shapes disagree, too few samples, features that are not finite, or an argument out of range.
    """
    if subsets < 1 or subset_size < 2:
        raise ValueError(f"subsets must be at least 1 and subset_size at least 2, got {subsets} and {subset_size}")
    first, second = feature_sets(predictions, references, at_least=2)
    if max(len(first), len(second)) <= subset_size:
        return {"kernel_distance": unbiased_mmd(first, second), "kernel_distance_std": 0.0}
    rng = np.random.default_rng(seed)
    found = [unbiased_mmd(_draw(first, subset_size, rng), _draw(second, subset_size, rng)) for _ in range(subsets)]
    return {"kernel_distance": float(np.mean(found)), "kernel_distance_std": float(np.std(found))}


def unbiased_mmd(first: Array, second: Array) -> float:
    """Squared MMD of two sets (N, D) and (M, D), no sample paired with itself (Gretton et al. 2012, eq. 3)."""
    within = [
        (_kernel(rows, rows).sum() - _self_kernel(rows).sum()) / len(rows) / (len(rows) - 1) for rows in (first, second)
    ]
    return float(sum(within) - 2 * _kernel(first, second).mean())


def _kernel(first: Array, second: Array) -> Array:
    return (first @ second.T / first.shape[1] + 1) ** DEGREE


def _self_kernel(rows: Array) -> Array:
    return ((rows**2).sum(axis=1) / rows.shape[1] + 1) ** DEGREE


def _draw(rows: Array, size: int, rng: np.random.Generator) -> Array:
    return rows if len(rows) <= size else rows[rng.choice(len(rows), size, replace=False)]
