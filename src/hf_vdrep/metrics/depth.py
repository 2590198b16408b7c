# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Depth errors per sample: AbsRel, RMSE, delta1 over the valid pixels (papers.md section 10)."""

import numpy as np

from .means import nan_mean

Array = np.ndarray

MIN_DEPTH, MAX_DEPTH = 1e-3, 10.0


def depth_errors(
    predicted: Array, target: Array, *, min_depth: float = MIN_DEPTH, max_depth: float = MAX_DEPTH
) -> dict[str, Array]:
    """Errors of each sample over its own valid pixels, `min_depth < target < max_depth` (strict).

    Args:
        predicted: (N, ...) metres, finite.
        target: (N, ...) metres, 0 or NaN where unknown.
        min_depth, max_depth: range of valid targets in metres (ScanNet protocol: 0.001 and 10).

    Returns:
        float64 arrays (N,): `abs_rel` mean |p - d| / d; `rmse` in metres; `delta_1` share of pixels with
        max(p/d, d/p) < 1.25 (a prediction <= 0 never counts). NaN for a sample without a valid pixel.

    Raises:
        ValueError: shapes disagree, a prediction is not finite, or `min_depth` is negative or not below `max_depth`.
    """
    if not 0 <= min_depth < max_depth:
        raise ValueError(f"min_depth must lie in [0, max_depth), got {min_depth} and max_depth {max_depth}")
    predicted, target = np.asarray(predicted, dtype=np.float64), np.asarray(target, dtype=np.float64)
    if predicted.shape != target.shape or predicted.ndim < 2:
        raise ValueError(f"predicted and target must share a shape (N, ...), got {predicted.shape} and {target.shape}")
    predicted, target = predicted.reshape(len(predicted), -1), target.reshape(len(target), -1)
    if not np.isfinite(predicted).all():
        raise ValueError("predicted must be finite, got NaN or infinity")
    valid = (target > min_depth) & (target < max_depth)
    safe = np.where(valid, target, 1.0)
    error = np.where(valid, np.abs(predicted - safe), 0.0)
    positive = np.maximum(predicted, 1e-9)
    close = valid & (np.maximum(positive / safe, safe / positive) < 1.25)
    with np.errstate(invalid="ignore"):
        count = valid.sum(axis=1).astype(np.float64)
        return {
            "abs_rel": (error / safe).sum(axis=1) / count,
            "rmse": np.sqrt((error**2).sum(axis=1) / count),
            "delta_1": close.sum(axis=1) / count,
        }


def mean_depth_errors(predicted: Array, target: Array, **limits: float) -> dict[str, float]:
    """Mean over the samples of `depth_errors`; samples without a valid pixel are left out (NaN if none is left)."""
    return {name: nan_mean(values) for name, values in depth_errors(predicted, target, **limits).items()}
