# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Per-sample values of a metric by its name, for paired tests; the same columns as the `evaluate` module takes."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from .boxes import box_track_scores
from .classification import class_balanced, top_k_correct
from .depth import depth_errors
from .pose import pose_errors
from .reconstruction import flicker, psnr, ssim
from .tracking import tracking_scores

Array = np.ndarray


def top_k_values(predictions: Array, references: Array, *, top_k: Sequence[int] = (1, 5)) -> dict[str, Array]:
    """`top_1`, `top_5` (any k asked for) as 0 or 1, and `per_class_mean` as `class_balanced` weighs it."""
    values = {f"top_{k}": top_k_correct(predictions, references, k).astype(np.float64) for k in top_k}
    values["per_class_mean"] = class_balanced(top_k_correct(predictions, references, 1), references)
    return values


def _depth(predictions: Array, references: Array, **options: float) -> dict[str, Array]:
    return depth_errors(predictions, references, **options)


def _poses(predictions: Array, references: Array, **options: Any) -> dict[str, Array]:
    return pose_errors(predictions, references, **options)


def _psnr(predictions: Array, references: Array) -> dict[str, Array]:
    return {"psnr": psnr(predictions, references)}


def _ssim(predictions: Array, references: Array) -> dict[str, Array]:
    return {"ssim": ssim(predictions, references)}


def _flicker(predictions: Array, references: Array) -> dict[str, Array]:
    return {"flicker": flicker(predictions, references)}


def _tracks(
    predictions: Array, predicted_visible: Array, references: Array, visible: Array, query_frames: Array, **options: Any
) -> dict[str, Array]:
    return tracking_scores(predictions, predicted_visible, references, visible, query_frames, **options)


def _boxes(
    predictions: Array, references: Array, present: Array, query_frames: Array | None = None, **options: Any
) -> dict[str, Array]:
    return box_track_scores(predictions, references, present, query_frames, **options)


_MEASURES: dict[str, Callable[..., dict[str, Array]]] = {
    "top_k_accuracy": top_k_values,
    "depth_error": _depth,
    "pose_error": _poses,
    "average_jaccard": _tracks,
    "box_iou": _boxes,
    "psnr": _psnr,
    "ssim": _ssim,
    "flicker": _flicker,
}


def per_sample(name: str, columns: Mapping[str, Array], **options: Any) -> dict[str, Array]:
    """Values of each sample, named as the module names its results.

    Args:
        name: a metric that is a mean over samples (distances between sets of features are not).
        columns: one row per sample. top_k_accuracy: predictions (N, K) scores, references (N,).
            depth_error: predictions and references (N, ...) metres. pose_error: predictions and references (N, 3, 4).
            average_jaccard: predictions and references (N, P, T, 2), predicted_visible and visible (N, P, T),
            query_frames (N, P). box_iou: predictions and references (N, K, T, 4), present (N, K, T) and, if wanted,
            query_frames (N, K). psnr, ssim, flicker: predictions and references (N, T, H, W, C).
        options: of the module's `compute`.

    Returns:
        float64 (N,) arrays. Their mean, NaN left out, is the module's result.

    Raises:
        ValueError: no such metric, or columns that the metric refuses.
    """
    if name not in _MEASURES:
        raise ValueError(f"name must be one of {sorted(_MEASURES)}, got {name!r}")
    return _MEASURES[name](**columns, **options)
