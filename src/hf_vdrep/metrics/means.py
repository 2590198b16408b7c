# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Means that do not depend on the order of the samples, so neither on batches nor on processes."""

import math

import numpy as np

Array = np.ndarray


def nan_mean(values: Array) -> float:
    """Mean of the entries that are numbers, rounded once (`math.fsum`); NaN, silently, where there are none."""
    values = np.asarray(values, dtype=np.float64).ravel()
    kept = values[~np.isnan(values)]
    if not kept.size:
        return float("nan")
    # fsum refuses infinity minus infinity; the plain sum gives the IEEE answer.
    total = math.fsum(kept) if np.isfinite(kept).all() else float(kept.sum())
    return total / kept.size


def sorted_rows(rows: Array) -> Array:
    """(N, D) with its rows in an order of their own (that of their bytes): the same whatever order they came in."""
    rows = np.ascontiguousarray(rows)
    if rows.size == 0:
        return rows
    as_bytes = rows.view(np.dtype((np.void, rows.itemsize * rows.shape[1]))).ravel()
    return rows[np.argsort(as_bytes, kind="stable")]
