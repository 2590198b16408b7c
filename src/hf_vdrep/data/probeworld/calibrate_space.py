# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""How hard the tasks of space are: what the best constant answer scores, and how much there is to see."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..sample import Sample


def _overlap(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Intersection over union of boxes (..., 4)."""
    low, high = np.maximum(a[..., :2], b[..., :2]), np.minimum(a[..., 2:], b[..., 2:])
    inner = np.clip(high - low, 0, None).prod(-1)
    areas = [np.clip(box[..., 2:] - box[..., :2], 0, None).prod(-1) for box in (a, b)]
    return inner / np.maximum(areas[0] + areas[1] - inner, 1e-9)


def _turn(pose: np.ndarray) -> float:
    """Degrees between the first and the last view."""
    trace = np.trace(pose[0, :, :3].T @ pose[-1, :, :3])
    return float(np.rad2deg(np.arccos(np.clip((trace - 1) / 2, -1, 1))))


def space_floors(samples: Sequence[Sample]) -> dict[str, dict[str, float]]:
    """Scores of constant answers.

    Returns:
        depth: AbsRel of the median depth of all clips. camera_pose: median turn in degrees and way in metres from the
        first to the last frame, the errors of answering "none". point_tracks: share of visible points that a point
        standing still hits within 1/64 of the frame, after the first frame. box_tracks: IoU of a box standing still.
    """
    stacks: Mapping[str, Any] = {
        name: np.stack([np.asarray(sample[name]) for sample in samples])  # type: ignore[literal-required]
        for name in ("depth", "pose", "tracks", "visible", "boxes", "present")
    }
    depth, pose, tracks = stacks["depth"], stacks["pose"].astype(np.float64), stacks["tracks"]
    way = np.linalg.norm(pose[:, -1, :, 3] - pose[:, 0, :, 3], axis=1)
    moved = np.linalg.norm(tracks - tracks[:, :, :1], axis=-1)[:, :, 1:]
    still = _overlap(stacks["boxes"], stacks["boxes"][:, :, :1])[:, :, 1:]
    seen = stacks["present"][:, :, 1:] & stacks["present"][:, :, :1]
    return {
        "depth": {"abs_rel": float((np.abs(np.median(depth) - depth) / depth).mean())},
        "camera_pose": {
            "rotation": float(np.median([_turn(each) for each in pose])),
            "translation": float(np.median(way)),
        },
        "point_tracks": {"still_within_1_64": float(np.mean(moved[stacks["visible"][:, :, 1:]] < 1 / 64))},
        "box_tracks": {"still_iou": float(still[seen].mean())},
    }


def world_facts(samples: Sequence[Sample]) -> dict[str, float]:
    """What a clip holds: height of the main object in the middle frame (median, tenth percentile), solids per clip,
    shares of track points and boxes that are hidden or out of the frame at some time, nearest and farthest depth."""
    boxes = np.stack([np.asarray(sample["boxes"]) for sample in samples])
    middle = boxes[:, 0, boxes.shape[2] // 2]
    height = middle[:, 3] - middle[:, 1]
    drawn = (boxes != 0).any((2, 3))
    visible = np.stack([np.asarray(sample["visible"]) for sample in samples])
    unseen = np.stack([~np.asarray(sample["present"]).all(1) for sample in samples])
    depth = np.stack([np.asarray(sample["depth"]) for sample in samples])
    return {
        "main_height_median": float(np.median(height)),
        "main_height_tenth": float(np.quantile(height, 0.1)),
        "solids_per_clip": float(drawn.sum(1).mean()),
        "tracks_lost_at_some_time": float((~visible.all(2)).mean()),
        "boxes_unseen_at_some_time": float(np.mean(unseen[drawn])),
        "depth_least": float(depth.min()),
        "depth_most": float(depth.max()),
    }
