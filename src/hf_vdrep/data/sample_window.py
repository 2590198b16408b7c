# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""A crop window applied to a sample: pixels, points, boxes, depth and camera move together."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor

from .crop_window import CropWindow
from .sample import Sample

MIN_BOX_AREA = 0.005
"""Boxes with less than this share of the crop are dropped (Waymo protocol, papers.md section 9)."""


def apply_window(sample: Mapping[str, Any], window: CropWindow, *, min_box_area: float = MIN_BOX_AREA) -> Sample:
    """Crop, resize and perhaps mirror a sample.

    A track that leaves the frame keeps its position, outside [0, 1], and is not visible there; nor is one whose
    position is no number, which becomes 0. Boxes are clipped to
    the frame; what is left of one must have `min_box_area` of it, or the object is absent in that frame and its box
    zero. Depth is taken by nearest neighbour and stays in metres; what is no finite positive number becomes 0.

    Args:
        sample: of the schema, at the window's source size; other entries pass as they are.
        window: the rectangle.
        min_box_area: share of the output's area, in [0, 1].

    Raises:
        ValueError: the pictures are not of the window's source size.
    """
    moved: dict[str, Any] = dict(sample)
    if "video" in sample:
        moved["video"] = torch.from_numpy(np.stack([window.picture(frame.numpy()) for frame in sample["video"]]))
    if "image" in sample:
        moved["image"] = torch.from_numpy(window.picture(sample["image"].numpy()))
    for name in ("depth", "instance"):
        if name in sample:
            moved[name] = window.grid(sample[name])
    if "depth" in moved:
        moved["depth"] = valid_depth(moved["depth"])
    if "intrinsics" in sample:
        moved["intrinsics"] = window.intrinsics(sample["intrinsics"])
    if "pose" in sample:
        moved["pose"] = window.pose(sample["pose"])
    if "tracks" in sample:
        tracks = window.points(sample["tracks"])
        moved["visible"] = sample["visible"] & inside(tracks)
        # A hidden place counts nowhere, but no number times zero is still no number.
        moved["tracks"] = torch.where(torch.isfinite(tracks), tracks, torch.zeros_like(tracks))
    if "boxes" in sample:
        boxes, present = clip_boxes(window.boxes(sample["boxes"]), sample["present"], min_box_area)
        moved["boxes"], moved["present"] = boxes, present
    return cast(Sample, moved)


def valid_depth(depth: Tensor, nearest: float = 0.0, farthest: float = float("inf")) -> Tensor:
    """Metres with 0 wherever `nearest` < depth < `farthest` does not hold, NaN included."""
    return torch.where((depth > nearest) & (depth < farthest), depth, torch.zeros_like(depth))


def inside(points: Tensor) -> Tensor:
    """bool (...): whether normalised (..., 2) points lie in the frame; NaN does not."""
    return ((points >= 0) & (points <= 1)).all(dim=-1)


def clip_boxes(boxes: Tensor, present: Tensor, min_area: float) -> tuple[Tensor, Tensor]:
    """Boxes cut to [0, 1], and which are still there: those of at least `min_area` and more than none.

    Args:
        boxes: (..., 4) normalised x1, y1, x2, y2.
        present: bool (...).
        min_area: share of the frame.

    Returns:
        Boxes, zero where absent, and bool (...).
    """
    clipped = boxes.clamp(0, 1)
    area = (clipped[..., 2] - clipped[..., 0]) * (clipped[..., 3] - clipped[..., 1])
    kept = present & torch.isfinite(boxes).all(dim=-1) & (area > 0) & (area >= min_area)
    return torch.where(kept[..., None], clipped, torch.zeros_like(clipped)), kept
