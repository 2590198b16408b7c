# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Tracks and boxes that a clip's first frame shows, in arrays of one size."""

from __future__ import annotations

import torch
from torch import Tensor

from .report import NothingToSee


def tracks_at_start(tracks: Tensor, visible: Tensor, count: int) -> dict[str, Tensor]:
    """The first `count` tracks that are visible in the first frame, padded with ones that never are.

    The tracker is asked about points of the first frame (papers.md section 8.3), so a track that starts later has no
    query.

    Args:
        tracks: float32 (N, T, 2).
        visible: bool (N, T).
        count: rows of the result.

    Raises:
        NothingToSee: no track is visible in the first frame.
    """
    rows = torch.nonzero(visible[:, 0])[:, 0][:count] if len(tracks) else torch.zeros(0, dtype=torch.long)
    if not len(rows):
        raise NothingToSee("no point track is visible in the first frame of the crop")
    return {"tracks": _padded(tracks[rows], count), "visible": _padded(visible[rows], count)}


def boxes_at_start(boxes: Tensor, present: Tensor, count: int) -> dict[str, Tensor]:
    """The first `count` objects that are present in the first frame, padded with ones that never are.

    Args:
        boxes: float32 (K, T, 4).
        present: bool (K, T).
        count: rows of the result.

    Raises:
        NothingToSee: no object is present in the first frame.
    """
    rows = torch.nonzero(present[:, 0])[:, 0][:count] if len(boxes) else torch.zeros(0, dtype=torch.long)
    if not len(rows):
        raise NothingToSee("no box is present in the first frame of the crop")
    return {"boxes": _padded(boxes[rows], count), "present": _padded(present[rows], count)}


def _padded(values: Tensor, count: int) -> Tensor:
    rest = values.new_zeros((count - len(values), *values.shape[1:]))
    return torch.cat([values, rest])
