# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""A contact sheet of ProbeWorld clips with their labels drawn over them."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from matplotlib import colormaps
from matplotlib.collections import LineCollection

from ..data.probeworld.vocabulary import MOTION_NAMES, OBJECT_NAMES
from .panels import DEPTH_COLOURS, INK, SOFT, Board

_MARGIN, _LABELS, _GAP, _SIDE = 0.35, 1.75, 0.06, 1.35
_HEAD, _BETWEEN = 1.0, 0.22
_TAIL = 5  # frames of its past that a point drags along


def world_sheet(samples: Sequence[Mapping[str, Any]], title: str, columns: int = 5, points: int = 32) -> np.ndarray:
    """Draw every clip twice: with its point tracks, and as depth.

    Args:
        samples: with `id`, `video`, `object`, `action_motion`, `depth`, `tracks` and `visible`, as `ProbeWorld` gives.
        title: shown above.
        columns: frames per clip, spread over it.
        points: tracks drawn per clip, at most.

    Returns:
        uint8 (H, W, 3).
    """
    frames = np.linspace(0, len(samples[0]["video"]) - 1, columns).round().astype(int).tolist()
    block = 2 * (_SIDE + _GAP) + _BETWEEN
    width = _MARGIN * 2 + _LABELS + columns * (_SIDE + _GAP) - _GAP
    board = Board(width, _HEAD + len(samples) * block - _BETWEEN + 0.3)
    board.text(_MARGIN, 0.26, title, 15, weight="bold")
    words = "point tracks: filled where visible, hollow where hidden, with their last frames · depth in metres"
    board.text(_MARGIN, 0.57, words, 8, SOFT)
    limits = _depth_limits(samples)
    for row, sample in enumerate(samples):
        y = _HEAD + row * block
        _labels(board, y, sample)
        board.text(_MARGIN, y + _SIDE + _GAP + 0.02, "depth", 8, SOFT)
        board.scale(_MARGIN, y + _SIDE + _GAP + 0.27, _SIDE - 0.3, limits, DEPTH_COLOURS, {})
        for column, frame in enumerate(frames):
            x = _MARGIN + _LABELS + column * (_SIDE + _GAP)
            if row == 0:
                board.text(x, y - 0.07, f"frame {frame}", 8, SOFT, va="bottom")
            picture = np.asarray(sample["video"][frame])
            image = board.picture(x, y, _SIDE, _SIDE, picture, interpolation="lanczos", extent=(0, 1, 1, 0))
            _draw_tracks(image.axes, sample, frame, points)
            depth = np.ma.masked_equal(np.asarray(sample["depth"][frame]), 0)
            options = {"cmap": DEPTH_COLOURS, "vmin": limits[0], "vmax": limits[1]}
            board.picture(x, y + _SIDE + _GAP, _SIDE, _SIDE, depth, **options)
    return board.pixels()


def _labels(board: Board, y: float, sample: Mapping[str, Any]) -> None:
    board.text(_MARGIN, y + 0.02, OBJECT_NAMES[sample["object"]], 10, INK, weight="bold")
    board.text(_MARGIN, y + 0.25, MOTION_NAMES[sample["action_motion"]].replace(" counter", "\ncounter"), 8, INK)
    board.text(_MARGIN, y + _SIDE - 0.02, sample["id"].replace("probeworld-", ""), 7, SOFT, va="bottom")


def _depth_limits(samples: Sequence[Mapping[str, Any]]) -> tuple[float, float]:
    """1 % and 99 % of the valid depths of all clips, so that a colour is one distance on the whole sheet."""
    valid = torch.cat([torch.as_tensor(s["depth"]).flatten() for s in samples])
    valid = valid[valid > 0].sort().values
    if not len(valid):
        return 0.0, 1.0
    low, high = (float(valid[round(quantile * (len(valid) - 1))]) for quantile in (0.01, 0.99))
    return low, max(high, low + 1e-3)


def _draw_tracks(axes: Any, sample: Mapping[str, Any], frame: int, points: int) -> None:
    tracks, visible = np.asarray(sample["tracks"]), np.asarray(sample["visible"])
    chosen = np.unique(np.linspace(0, len(tracks) - 1, min(points, len(tracks))).round().astype(int))
    order = np.argsort(np.argsort(tracks[chosen, 0].sum(-1)))
    colours = colormaps["turbo"](0.06 + 0.88 * order / max(1, len(chosen) - 1))
    for point, colour in zip(chosen, colours, strict=True):
        path = tracks[point, max(0, frame - _TAIL) : frame + 1]
        axes.add_collection(LineCollection([path], colors=[colour], linewidths=0.9, alpha=0.75, capstyle="round"))
        if visible[point, frame]:
            style = {"facecolors": [colour], "edgecolors": "white", "linewidths": 0.5}
        else:
            style = {"facecolors": "none", "edgecolors": [colour], "linewidths": 0.8}
        axes.scatter(*tracks[point, frame], s=9, zorder=3, **style)
    axes.set(xlim=(0, 1), ylim=(1, 0))
