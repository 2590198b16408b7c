# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""TAP-Vid point tracking metrics, per clip (TAP-Vid, arXiv 2211.03726, section 3; papers.md section 10).

With E the evaluated (track, frame) pairs and within_d = ||p' - p||^2 < d^2 in a 256x256 raster:
J_d = #E{within_d, visible, said visible} / (#E{visible} + #E{said visible and (hidden or not within_d)}), and
Average Jaccard is the mean of J_d over d in {1, 2, 4, 8, 16} pixels.
"""

import numpy as np

Array = np.ndarray

RASTER = 256.0
THRESHOLDS = (1, 2, 4, 8, 16)
QUERY_MODES = ("first", "strided")


def evaluated_pairs(query_frames: Array, num_frames: int, query_mode: str = "first") -> Array:
    """Which (track, frame) pairs count: 'first' those after the query frame, 'strided' all but the query frame.

    Args:
        query_frames: int (..., N) frame in which each track's query point is given.
        num_frames: T.
        query_mode: "first" or "strided".

    Returns:
        bool (..., N, T).
    """
    if query_mode not in QUERY_MODES:
        raise ValueError(f"query_mode must be one of {QUERY_MODES}, got {query_mode!r}")
    frames = np.arange(num_frames)
    query_frames = np.asarray(query_frames)[..., None]
    return frames > query_frames if query_mode == "first" else frames != query_frames


def tracking_scores(
    predicted: Array,
    predicted_visible: Array,
    tracks: Array,
    visible: Array,
    query_frames: Array,
    *,
    query_mode: str = "first",
) -> dict[str, Array]:
    """TAP-Vid scores of each clip, all in [0, 1].

    Args:
        predicted: (B, N, T, 2) x, y normalised to [0, 1]; positions outside are compared where they lie.
        predicted_visible: bool (B, N, T).
        tracks: (B, N, T, 2) true x, y, normalised; whatever stands where the point is hidden is ignored.
        visible: bool (B, N, T).
        query_frames: int (B, N), at least 0; T or more takes a track (padding) out of the evaluation.
        query_mode: "first" (frames before the query never count) or "strided".

    Returns:
        float64 (B,): `average_jaccard`, `delta_avg`, `occlusion_accuracy`, and `jaccard_d`, `within_d` for each d.
        Every quotient is the clip's own: other clips of the batch have no part in it. NaN where a quotient has nothing
        to count: all three where nothing is evaluated, `delta_avg` where no point is visible, `average_jaccard` where
        none is visible and none is said to be (it is 0 where one is said to be).

    Raises:
        ValueError: shapes disagree, a position counted is not finite, or an argument is out of range.
    """
    predicted, tracks = np.asarray(predicted, dtype=np.float64), np.asarray(tracks, dtype=np.float64)
    said, visible = np.asarray(predicted_visible, dtype=bool), np.asarray(visible, dtype=bool)
    _check_shapes(predicted, said, tracks, visible, np.asarray(query_frames))
    counted = evaluated_pairs(query_frames, visible.shape[-1], query_mode)
    visible, said = visible & counted, said & counted
    for name, positions in (("predicted", predicted), ("tracks", tracks)):
        if not np.isfinite(positions[visible]).all():
            raise ValueError(f"{name} must be finite where the point is visible, got NaN or infinity")
    scores: dict[str, Array] = {}
    with np.errstate(invalid="ignore", divide="ignore"):
        squared = (((predicted - tracks) * RASTER) ** 2).sum(axis=-1)
        truth = visible.sum(axis=(1, 2))
        for d in THRESHOLDS:
            within = squared < d**2
            hits = (within & visible & said).sum(axis=(1, 2))
            false_alarms = (said & ~(visible & within)).sum(axis=(1, 2))
            scores[f"jaccard_{d}"] = hits / (truth + false_alarms)
            scores[f"within_{d}"] = (within & visible).sum(axis=(1, 2)) / truth
        scores["occlusion_accuracy"] = (counted & (said == visible)).sum(axis=(1, 2)) / counted.sum(axis=(1, 2))
    scores["average_jaccard"] = np.mean([scores[f"jaccard_{d}"] for d in THRESHOLDS], axis=0)
    scores["delta_avg"] = np.mean([scores[f"within_{d}"] for d in THRESHOLDS], axis=0)
    return scores


def _check_shapes(predicted: Array, said: Array, tracks: Array, visible: Array, query_frames: Array) -> None:
    expected = visible.shape
    if visible.ndim != 3 or predicted.shape != (*expected, 2) or tracks.shape != predicted.shape:
        raise ValueError(
            f"predicted and tracks (B, N, T, 2) with visible (B, N, T) expected, "
            f"got {predicted.shape}, {tracks.shape}, {visible.shape}"
        )
    if said.shape != expected or query_frames.shape != expected[:2]:
        raise ValueError(
            f"predicted_visible must be {expected} and query_frames {expected[:2]}, "
            f"got {said.shape} and {query_frames.shape}"
        )
    if query_frames.size and query_frames.min() < 0:
        raise ValueError(f"query_frames must be at least 0, got {query_frames.min()}")
