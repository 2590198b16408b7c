# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Top-k accuracy, per sample and in aggregate."""

from collections.abc import Sequence

import numpy as np

from .means import nan_mean

Array = np.ndarray


def top_k_correct(scores: Array, labels: Array, k: int = 1) -> Array:
    """Whether the true class is among the k highest scores.

    Ties are broken against the prediction: a class counts only if fewer than k classes score at least as high, so that
    constant scores are never right by the order of the columns.

    Args:
        scores: (N, K) logits or probabilities.
        labels: (N,) class indices in [0, K).
        k: at least 1; k >= K makes every sample right.

    Returns:
        bool (N,).

    Raises:
        ValueError: shapes disagree, a label is out of range or not an integer, scores are not finite, or k < 1.
    """
    scores, labels = np.asarray(scores), np.asarray(labels)
    if scores.ndim != 2 or labels.shape != scores.shape[:1]:
        raise ValueError(f"scores (N, K) and labels (N,) expected, got {scores.shape} and {labels.shape}")
    if k < 1:
        raise ValueError(f"k must be at least 1, got {k}")
    if not np.issubdtype(labels.dtype, np.integer):
        raise ValueError(f"labels must be integers, got {labels.dtype}")
    if labels.size and not (labels.min() >= 0 and labels.max() < scores.shape[1]):
        raise ValueError(f"labels must lie in [0, {scores.shape[1] - 1}], got {labels.min()}..{labels.max()}")
    if not np.isfinite(scores).all():
        raise ValueError("scores must be finite, got NaN or infinity")
    if k >= scores.shape[1]:
        return np.ones(labels.shape, dtype=bool)
    own = np.take_along_axis(scores, labels[:, None].astype(np.int64), axis=1)
    return (scores >= own).sum(axis=1) <= k


def class_balanced(correct: Array, labels: Array) -> Array:
    """Each sample's share in the mean over classes: right * N / (C * n_y), C the classes that occur, n_y of its own.

    The plain mean of these values is the mean over the classes of the accuracy within the class, so a paired bootstrap
    over samples serves it too. The weights stay those of the whole set in every resample: the interval is that of the
    accuracy within classes at these frequencies. Values above 1 are samples of rare classes.

    Args:
        correct: (N,) right or wrong.
        labels: (N,).

    Returns:
        float64 (N,).
    """
    correct, labels = np.asarray(correct, dtype=np.float64), np.asarray(labels)
    classes, index = np.unique(labels, return_inverse=True)
    return correct * len(labels) / (max(len(classes), 1) * np.bincount(index, minlength=1)[index])


def per_class_mean(correct: Array, labels: Array) -> float:
    """Mean over the classes that occur of the accuracy within the class; NaN without samples."""
    return nan_mean(class_balanced(correct, labels))


def top_k_accuracy_scores(scores: Array, labels: Array, top_k: Sequence[int] = (1, 5)) -> dict[str, float]:
    """Shares in [0, 1]: `top_1`, `top_5` (any k asked for) and `per_class_mean` of top-1.

    Args:
        scores: (N, K).
        labels: (N,).
        top_k: the k's to report.
    """
    report = {f"top_{k}": nan_mean(top_k_correct(scores, labels, k)) for k in top_k}
    report["per_class_mean"] = per_class_mean(top_k_correct(scores, labels, 1), labels)
    return report
