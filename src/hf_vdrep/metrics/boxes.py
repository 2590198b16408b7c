# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Overlap of tracked boxes with the true ones, per clip (papers.md section 10, box tracking)."""

import numpy as np

from .means import nan_mean

Array = np.ndarray

AGGREGATIONS = ("clip", "track", "pooled")


def box_areas(boxes: Array) -> Array:
    """(..., 4) corners -> (...) areas, 0 where a box is empty or inside out."""
    sides = np.maximum(boxes[..., 2:] - boxes[..., :2], 0.0)
    return sides[..., 0] * sides[..., 1]


def intersection_over_union(first: Array, second: Array) -> Array:
    """IoU of axis-aligned boxes, |A and B| / |A or B|.

    Args:
        first, second: (..., 4), the low corner before the high one, x first in both or y first in both.

    Returns:
        float64 (...) in [0, 1]; 0 with an empty or inside-out box, NaN where both boxes are.
    """
    first, second = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
    low, high = np.maximum(first[..., :2], second[..., :2]), np.minimum(first[..., 2:], second[..., 2:])
    shared = box_areas(np.concatenate([low, high], axis=-1))
    with np.errstate(invalid="ignore"):
        return shared / (box_areas(first) + box_areas(second) - shared)


def box_track_scores(
    predicted: Array,
    target: Array,
    present: Array,
    query_frames: Array | None = None,
    *,
    aggregation: str = "clip",
) -> dict[str, Array]:
    """Mean IoU of each clip over its objects and the frames after the one in which the box was given.

    Args:
        predicted: (B, K, T, 4), low corner before high corner, in the unit of `target`.
        target: (B, K, T, 4). A present box of no area has no overlap to measure and does not count.
        present: bool (B, K, T), whether the object is there; absent ones do not count, whatever their boxes hold.
        query_frames: int (B, K) frame in which each object's box is given, 0 by default. It and the frames before it
            never count; a frame past the end takes the object (padding) out.
        aggregation: "clip" takes the mean over all (object, frame) pairs of the clip, "track" first over each object's
            frames and then over the objects.

    Returns:
        float64 (B,) in [0, 1]: `mean_iou`, and `iou_after_occlusion` over those pairs alone where the object was
        absent at some time since the query. NaN where nothing counts.

    Raises:
        ValueError: shapes disagree, a counted box is not finite, or an argument is out of range.
    """
    if aggregation not in AGGREGATIONS[:2]:
        raise ValueError(f"aggregation must be one of {AGGREGATIONS[:2]} for single clips, got {aggregation!r}")
    overlap, counted, after = counted_overlaps(predicted, target, present, query_frames)
    scores = {}
    for name, mask in (("mean_iou", counted), ("iou_after_occlusion", after)):
        per_track = mask.sum(axis=2)
        total = np.where(mask, overlap, 0.0).sum(axis=2)
        if aggregation == "clip":
            scores[name] = _quotient(total.sum(axis=1), per_track.sum(axis=1))
        else:
            scores[name] = _quotient(
                np.nan_to_num(_quotient(total, per_track)).sum(axis=1), (per_track > 0).sum(axis=1)
            )
    return scores


def counted_overlaps(
    predicted: Array, target: Array, present: Array, query_frames: Array | None = None
) -> tuple[Array, Array, Array]:
    """IoU of every (object, frame) pair, which pairs count, and which of them follow an absence.

    Args:
        predicted, target, present, query_frames: as `box_track_scores`.

    Returns:
        float64, bool and bool (B, K, T).
    """
    predicted, target = np.asarray(predicted, dtype=np.float64), np.asarray(target, dtype=np.float64)
    present = np.asarray(present, dtype=bool)
    queries = np.zeros(present.shape[:2], dtype=np.int64) if query_frames is None else np.asarray(query_frames)
    _check(predicted, target, present, queries)
    later = np.arange(present.shape[2]) > queries[..., None]
    there = present & later
    counted = there & ~(box_areas(target) == 0)
    for name, boxes in (("predicted", predicted), ("target", target)):
        if not np.isfinite(boxes[counted]).all():
            raise ValueError(f"{name} boxes must be finite where the object is present, got NaN or infinity")
    gone = np.logical_or.accumulate(later & ~present, axis=2)
    return intersection_over_union(predicted, target), counted, counted & gone


def mean_box_scores(
    predicted: Array,
    target: Array,
    present: Array,
    query_frames: Array | None = None,
    *,
    aggregation: str = "clip",
) -> dict[str, float]:
    """Scores of a set of clips: the mean over clips of `box_track_scores`, or over all pairs of the set at once.

    Args:
        predicted, target, present, query_frames: as `box_track_scores`.
        aggregation: "clip", "track" (Perception Test), or "pooled": every (object, frame) pair of the set weighs the
            same, so that long clips with many objects count for more.
    """
    if aggregation != "pooled":
        scores = box_track_scores(predicted, target, present, query_frames, aggregation=aggregation)
        return {name: nan_mean(values) for name, values in scores.items()}
    overlap, counted, after = counted_overlaps(predicted, target, present, query_frames)
    return {"mean_iou": nan_mean(overlap[counted]), "iou_after_occlusion": nan_mean(overlap[after])}


def _quotient(total: Array, count: Array) -> Array:
    with np.errstate(invalid="ignore"):
        return total / count.astype(np.float64)


def _check(predicted: Array, target: Array, present: Array, queries: Array) -> None:
    if present.ndim != 3 or predicted.shape != (*present.shape, 4) or target.shape != predicted.shape:
        raise ValueError(
            f"predicted and target (B, K, T, 4) with present (B, K, T) expected, "
            f"got {predicted.shape}, {target.shape}, {present.shape}"
        )
    if queries.shape != present.shape[:2]:
        raise ValueError(f"query_frames must be (B, K) = {present.shape[:2]}, got {queries.shape}")
    if queries.size and queries.min() < 0:
        raise ValueError(f"query_frames must be at least 0, got {queries.min()}")
