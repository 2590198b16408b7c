# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""A contact sheet of real samples, with whatever labels they have drawn over them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from .panels import DEPTH_COLOURS, INK, SOFT, Board
from .panels_world_marks import draw_boxes, draw_camera, draw_tracks, faded

_MARGIN, _LABELS, _GAP, _SIDE = 0.4, 2.75, 0.05, 1.42
_HEAD, _BETWEEN = 1.05, 0.42
_LINE, _LETTERS = 0.17, 42
_POINTS = 64


def stream_sheet(
    samples: Sequence[Mapping[str, Any]],
    title: str,
    subtitle: str,
    classes: Mapping[str, Sequence[str]],
    columns: int = 5,
) -> np.ndarray:
    """Draw samples one below the other: frames with boxes or point tracks, depth below, words and camera beside.

    Args:
        samples: of one stream, at least one.
        title: shown above.
        subtitle: shown below the title.
        classes: label key -> class names.
        columns: frames per clip, spread over it.

    Returns:
        uint8 (H, W, 3).

    Raises:
        ValueError: there are no samples.
    """
    if not samples:
        raise ValueError("samples must hold at least one sample, got none")
    stills = all("image" in sample for sample in samples)
    if stills:
        return _stills(samples, title, subtitle, classes, columns)
    heights = [_rows(sample) * (_SIDE + _GAP) - _GAP for sample in samples]
    width = 2 * _MARGIN + _LABELS + columns * (_SIDE + _GAP) - _GAP
    board = _board(width, _HEAD + sum(heights) + _BETWEEN * (len(heights) - 1) + _MARGIN, title, subtitle)
    y = _HEAD
    for sample, height in zip(samples, heights, strict=True):
        _clip(board, y, sample, classes, columns)
        y += height + _BETWEEN
    return board.pixels()


def _board(width: float, height: float, title: str, subtitle: str) -> Board:
    board = Board(width, height, 160)
    board.text(_MARGIN, 0.3, title, 15, weight="bold")
    board.text(_MARGIN, 0.62, subtitle, 8, SOFT)
    return board


def _stills(
    samples: Sequence[Mapping[str, Any]], title: str, subtitle: str, classes: Mapping[str, Sequence[str]], columns: int
) -> np.ndarray:
    block = _SIDE + 0.42
    rows = -(-len(samples) // columns)
    width = max(2 * _MARGIN + columns * (_SIDE + 0.14) - 0.14, 7.0)
    board = _board(width, _HEAD + rows * block + _MARGIN - 0.1, title, subtitle)
    for place, sample in enumerate(samples):
        x, y = _MARGIN + (place % columns) * (_SIDE + 0.14), _HEAD + (place // columns) * block
        board.picture(x, y, _SIDE, _SIDE, np.asarray(sample["image"]), interpolation="lanczos")
        words = [_short(value, 24) for _, value in _named(sample, classes)] or [_short(sample["id"], 24)]
        board.text(x, y + _SIDE + 0.04, "\n".join(words[:2]), 7, INK)
    return board.pixels()


def _rows(sample: Mapping[str, Any]) -> int:
    return 2 if "depth" in sample or "pose" in sample else 1


def _clip(board: Board, y: float, sample: Mapping[str, Any], classes: Mapping[str, Sequence[str]], count: int) -> None:
    video = sample["video"] if "video" in sample else sample["image"][None]
    frames = np.unique(np.linspace(0, len(video) - 1, count).round().astype(int)).tolist()
    _words(board, y, sample, classes)
    if "pose" in sample:
        draw_camera(board, _MARGIN, y + 0.95, 1.3, sample)
    limits = _limits(sample)
    for column, frame in enumerate(frames):
        x = _MARGIN + _LABELS + column * (_SIDE + _GAP)
        board.text(x, y - 0.04, f"frame {frame}", 7, SOFT, va="bottom")
        picture = np.asarray(video[frame])
        shown = faded(picture) if "tracks" in sample else picture
        image = board.picture(x, y, _SIDE, _SIDE, shown, interpolation="lanczos", extent=(0, 1, 1, 0))
        if "boxes" in sample:
            draw_boxes(image.axes, _asked(sample, "boxes", "present"), frame)
        if "tracks" in sample:
            draw_tracks(image.axes, _asked(sample, "tracks", "visible"), frame, _POINTS)
        if "depth" in sample:
            depth = np.ma.masked_equal(np.asarray(sample["depth"][frame]), 0)
            colours = {"cmap": DEPTH_COLOURS, "vmin": limits[0], "vmax": limits[1]}
            board.picture(x, y + _SIDE + _GAP, _SIDE, _SIDE, depth, **colours)
    if "depth" in sample:
        board.text(_MARGIN, y + 2.42, f"depth: {limits[0]:.2f} m (yellow) to {limits[1]:.2f} m (blue)", 7, SOFT)
    elif "pose" in sample:
        board.text(_MARGIN, y + 2.42, "lengths in the unit of the data set, which may not be metres", 7, SOFT)


def _words(board: Board, y: float, sample: Mapping[str, Any], classes: Mapping[str, Sequence[str]]) -> None:
    board.text(_MARGIN, y - 0.02, _short(sample["id"], 34), 9, INK, weight="bold")
    lines = [f"{key}: {_short(value, _LETTERS)}" for key, value in _named(sample, classes)]
    if "tracks" in sample:
        asked = np.asarray(sample["visible"])[:, 0]
        lines.append(f"tracks: {asked.sum()}, visible {np.asarray(sample['visible'])[asked].mean():.0%} of the time")
    if "boxes" in sample:
        asked = np.asarray(sample["present"])[:, 0]
        lines.append(f"boxes: {asked.sum()}, present {np.asarray(sample['present'])[asked].mean():.0%} of the time")
    for row, line in enumerate(lines):
        board.text(_MARGIN, y + 0.2 + _LINE * row, line, 7, INK)


def _named(sample: Mapping[str, Any], classes: Mapping[str, Sequence[str]]) -> list[tuple[str, str]]:
    named = [(key, f"{names[sample[key]]} ({sample[key]})") for key, names in classes.items() if key in sample]
    return named + ([("caption", str(sample["caption"]))] if "caption" in sample else [])


def _asked(sample: Mapping[str, Any], values: str, flags: str) -> dict[str, np.ndarray]:
    """Only the rows that the first frame shows: the others are padding."""
    rows = np.asarray(sample[flags])[:, 0]
    return {values: np.asarray(sample[values])[rows], flags: np.asarray(sample[flags])[rows]}


def _limits(sample: Mapping[str, Any]) -> tuple[float, float]:
    valid = np.asarray(sample["depth"]) if "depth" in sample else np.zeros(0)
    valid = valid[valid > 0]
    if not len(valid):
        return 0.0, 1.0
    low, high = np.quantile(valid, [0.01, 0.99])
    return float(low), max(float(high), float(low) + 1e-3)


def _short(words: str, letters: int) -> str:
    return words if len(words) <= letters else words[: letters - 1] + "…"
