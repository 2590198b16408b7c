# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""How alike two sets of features are: linear CKA with the unbiased estimator of HSIC (Song et al. 2012, eq. 5;
Kornblith et al. 2019; Nguyen et al. 2021, section 3)."""

from __future__ import annotations

import numpy as np

Array = np.ndarray


def linear_cka(first: Array, second: Array) -> float:
    """HSIC_1(K, L) / sqrt(HSIC_1(K, K) HSIC_1(L, L)) with K = X X^T, L = Y Y^T, both without their diagonals.

    Args:
        first: (N, D) features of N samples, N at least 4.
        second: (N, E) features of the same samples.

    Returns:
        1 for features that are equal up to rotation, shift and scale; about 0 for independent ones, whatever N, D
        and E; may fall slightly below 0.

    Raises:
        ValueError: too few samples, or other samples.
    """
    return cka_of(gram(first), gram(second))


def gram(features: Array) -> Array:
    """Inner products (N, N) of centred features (N, D), the diagonal set to 0.

    Raises:
        ValueError: fewer than 4 samples, or features that are not finite.
    """
    values = np.asarray(features, dtype=np.float64)
    if values.ndim != 2 or len(values) < 4 or not np.isfinite(values).all():
        raise ValueError(f"features must be finite (N, D) with N of at least 4, got {values.shape}")
    centred = values - values.mean(axis=0)
    products = centred @ centred.T
    np.fill_diagonal(products, 0.0)
    return products


def cka_of(first: Array, second: Array) -> float:
    """CKA of two Gram matrices as `gram` makes them."""
    if first.shape != second.shape:
        raise ValueError(f"first and second must hold the same samples, got {len(first)} and {len(second)}")
    scale = unbiased_hsic(first, first) * unbiased_hsic(second, second)
    return float(unbiased_hsic(first, second) / np.sqrt(scale)) if scale > 0 else float("nan")


def unbiased_hsic(first: Array, second: Array) -> float:
    """HSIC_1 of Gram matrices (N, N) with zero diagonals: [tr(KL) + 1'K1 1'L1 / ((n-1)(n-2)) - 2 1'KL1 / (n-2)] /
    (n (n-3))."""
    n = len(first)
    trace = float((first * second.T).sum())
    rows, columns = first.sum(axis=0), second.sum(axis=1)
    whole = float(rows.sum()) * float(columns.sum()) / ((n - 1) * (n - 2))
    mixed = 2.0 * float(rows @ columns) / (n - 2)
    return (trace + whole - mixed) / (n * (n - 3))


def jackknife(first: Array, second: Array, groups: int = 16) -> tuple[float, Array]:
    """CKA and its pseudo-values (groups,), whose mean is the jackknife estimate and whose spread is its uncertainty.

    Args:
        first, second: Gram matrices of the same samples.
        groups: parts of the samples that are left out in turn.

    Raises:
        ValueError: fewer samples than would leave 4.
    """
    count = len(first)
    if groups < 2 or count - -(-count // groups) < 4:
        raise ValueError(f"groups must leave at least 4 of {count} samples, got {groups}")
    whole, found = cka_of(first, second), []
    for part in range(groups):
        kept = np.arange(count) % groups != part
        rows = np.ix_(kept, kept)
        found.append(groups * whole - (groups - 1) * cka_of(first[rows], second[rows]))
    return whole, np.array(found)
