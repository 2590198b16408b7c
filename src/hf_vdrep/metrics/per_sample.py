# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Per-sample values of a metric by its name, for paired tests; the same columns as the `evaluate` module takes."""

from collections.abc import Mapping

import numpy as np

from .classification import top_k_correct
from .depth import depth_errors
from .tracking import tracking_scores

Array = np.ndarray


def per_sample(name: str, columns: Mapping[str, Array]) -> dict[str, Array]:
    """Values of each sample, named as the module names its results.

    Args:
        name: "top_k_accuracy", "depth_error" or "average_jaccard".
        columns: one row per sample. top_k_accuracy: predictions (N, K) scores, references (N,).
            depth_error: predictions and references (N, ...) metres. average_jaccard: predictions and references
            (N, P, T, 2), predicted_visible and visible (N, P, T), query_frames (N, P).

    Returns:
        float64 (N,) arrays. Their mean, NaN left out, is the module's result.
    """
    if name == "top_k_accuracy":
        scores, labels = columns["predictions"], columns["references"]
        return {f"top_{k}": top_k_correct(scores, labels, k).astype(np.float64) for k in (1, 5)}
    if name == "depth_error":
        return depth_errors(columns["predictions"], columns["references"])
    if name == "average_jaccard":
        return tracking_scores(
            columns["predictions"],
            columns["predicted_visible"],
            columns["references"],
            columns["visible"],
            columns["query_frames"],
        )
    raise ValueError(f"name must be 'top_k_accuracy', 'depth_error' or 'average_jaccard', got {name!r}")
