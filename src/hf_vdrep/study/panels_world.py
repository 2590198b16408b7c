# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""A contact sheet of ProbeWorld clips with all their labels."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch

from ..data.probeworld.vocabulary import TASK_NAMES
from .panels import DEPTH_COLOURS, INK, SOFT, Board
from .panels_world_marks import draw_boxes, draw_camera, draw_tracks, faded

_MARGIN, _LABELS, _GAP, _SIDE = 0.4, 2.62, 0.05, 1.42
_HEAD, _BETWEEN = 1.0, 0.34
_KEYS = {"scene": "place", "action_coarse": "action", "action_many": "in detail", "action_motion": "motion"}
_WORDS = "boxes: dashed where nothing of the object shows · tracks: hollow where hidden, with their last frames"


def world_sheet(samples: Sequence[Mapping[str, Any]], title: str, columns: int = 5, points: int = 32) -> np.ndarray:
    """Draw every clip three times: with boxes, with point tracks, as depth; class names and the camera's path beside.

    Args:
        samples: as `ProbeWorld` gives them, at least one.
        title: shown above.
        columns: frames per clip, spread over it.
        points: tracks drawn per clip, at most.

    Returns:
        uint8 (H, W, 3).

    Raises:
        ValueError: there are no samples.
    """
    if not samples:
        raise ValueError("samples must hold at least one sample, got none")
    frames = np.linspace(0, len(samples[0]["video"]) - 1, columns).round().astype(int).tolist()
    block = 3 * (_SIDE + _GAP) - _GAP
    width = _MARGIN * 2 + _LABELS + columns * (_SIDE + _GAP) - _GAP
    board = Board(width, _HEAD + len(samples) * (block + _BETWEEN) - _BETWEEN + _MARGIN)
    board.text(_MARGIN, 0.3, title, 15, weight="bold")
    board.text(_MARGIN, 0.62, _WORDS, 8, SOFT)
    limits = _depth_limits(samples)
    for row, sample in enumerate(samples):
        y = _HEAD + row * (block + _BETWEEN)
        _words(board, y, sample)
        draw_camera(board, _MARGIN, y + 1.72, 1.3, sample)
        board.text(_MARGIN, y + 3.17, "depth in metres", 7.5, SOFT)
        board.scale(_MARGIN, y + 3.38, block - 3.38, limits, DEPTH_COLOURS, {})
        for column, frame in enumerate(frames):
            x = _MARGIN + _LABELS + column * (_SIDE + _GAP)
            if row == 0:
                board.text(x, y - 0.06, f"frame {frame}", 7.5, SOFT, va="bottom")
            _column(board, x, y, sample, frame, points, limits)
    return board.pixels()


def _column(
    board: Board, x: float, y: float, sample: Mapping[str, Any], frame: int, points: int, limits: tuple[float, float]
) -> None:
    """Boxes, tracks and depth of one frame, one below the other."""
    picture = np.asarray(sample["video"][frame])
    options = {"interpolation": "lanczos", "extent": (0, 1, 1, 0)}
    image = board.picture(x, y, _SIDE, _SIDE, picture, **options)
    draw_boxes(image.axes, sample, frame)
    image = board.picture(x, y + _SIDE + _GAP, _SIDE, _SIDE, faded(picture), **options)
    draw_tracks(image.axes, sample, frame, points)
    depth = np.ma.masked_equal(np.asarray(sample["depth"][frame]), 0)
    colours = {"cmap": DEPTH_COLOURS, "vmin": limits[0], "vmax": limits[1]}
    board.picture(x, y + 2 * (_SIDE + _GAP), _SIDE, _SIDE, depth, **colours)


def _words(board: Board, y: float, sample: Mapping[str, Any]) -> None:
    """Names of all classes; the fine-grained class, which holds the object's, is the heading."""
    name = TASK_NAMES["fine"][sample["fine"]]
    seen = TASK_NAMES["object"][sample["object"]]
    board.text(_MARGIN, y - 0.03, name, 11.5, INK, weight="bold")
    board.text(_MARGIN, y + 0.22, sample["id"].replace("probeworld-", ""), 7, SOFT)
    lines = [(key, TASK_NAMES[task][sample[task]]) for task, key in _KEYS.items()]
    if not name.endswith(seen):
        lines.insert(0, ("largest", seen))
    for row, (key, value) in enumerate(lines):
        board.text(_MARGIN, y + 0.50 + 0.19 * row, key, 7, SOFT)
        board.text(_MARGIN + 0.56, y + 0.50 + 0.19 * row, value, 7, INK)


def _depth_limits(samples: Sequence[Mapping[str, Any]]) -> tuple[float, float]:
    """1 % and 99 % of the valid depths of all clips, so that a colour is one distance on the whole sheet."""
    valid = torch.cat([torch.as_tensor(s["depth"]).flatten() for s in samples])
    valid = valid[valid > 0].sort().values
    if not len(valid):
        return 0.0, 1.0
    low, high = (float(valid[round(quantile * (len(valid) - 1))]) for quantile in (0.01, 0.99))
    return low, max(high, low + 1e-3)
