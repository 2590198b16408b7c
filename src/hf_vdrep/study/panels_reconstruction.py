# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Clips beside what a tokenizer makes of them."""

import math

import numpy as np

from .panels import INK, SOFT, Board
from .reconstruction import Reconstruction

_MARGIN, _LABELS, _GAP, _SIDE = 0.35, 1.75, 0.06, 1.35
_HEAD, _BETWEEN = 0.9, 0.24
_GAIN = 4  # how much brighter than life an error is drawn


def reconstruction_sheet(result: Reconstruction, title: str, shown: int = 4, columns: int = 5) -> np.ndarray:
    """Draw the first clips: original, reconstruction, and their difference, frame by frame.

    Args:
        result: of one clip or more; clips may differ in length and size.
        title: shown above.
        shown: clips to draw, at most.
        columns: frames per clip, spread over it; a photo has one.

    Returns:
        uint8 (H, W, 3).
    """
    count = min(shown, len(result.names))
    columns = min(columns, max(len(clip) for clip in result.originals[:count]))
    block = 3 * (_SIDE + _GAP) + _BETWEEN
    width = max(_MARGIN * 2 + _LABELS + columns * (_SIDE + _GAP) - _GAP, 6.2)
    board = Board(width, _HEAD + count * block - _BETWEEN + 0.3)
    board.text(_MARGIN, 0.26, title, 15, weight="bold")
    board.text(_MARGIN, 0.57, mean_words(result), 8.5, SOFT)
    for row in range(count):
        y = _HEAD + row * block
        original, copy = result.originals[row], result.copies[row]
        board.text(_MARGIN, y + 0.02, _short(result.names[row]), 9, INK, weight="bold")
        board.text(_MARGIN, y + 0.25, _scores(result, row), 8, SOFT, linespacing=1.5)
        for line, words in enumerate(("original", "reconstruction", f"difference, {_GAIN} x")):
            board.text(_MARGIN, y + line * (_SIDE + _GAP) + _SIDE - 0.02, words, 8, INK, va="bottom")
        frames = np.linspace(0, len(original) - 1, min(columns, len(original))).round().astype(int)
        for column, frame in enumerate(frames):
            x = _MARGIN + _LABELS + column * (_SIDE + _GAP)
            pictures = (original[frame], copy[frame], difference(original[frame], copy[frame]))
            for line, picture in enumerate(pictures):
                board.picture(x, y + line * (_SIDE + _GAP), _SIDE, _SIDE, picture, interpolation="lanczos")
    return board.pixels()


def difference(original: np.ndarray, copy: np.ndarray) -> np.ndarray:
    """uint8 (H, W, 3): grey where two pictures agree, brighter or darker by four times their difference."""
    error = (copy.astype(np.int16) - original.astype(np.int16)) * _GAIN
    return (128 + error).clip(0, 255).astype(np.uint8)


def mean_words(result: Reconstruction) -> str:
    """One line of means: "videos (32): PSNR 27.9 dB, SSIM 0.87, flicker 0.021"."""
    parts = []
    for group, values in result.summary().items():
        words = f"{group} ({values['count']}): PSNR {values['psnr']:.1f} dB, SSIM {values['ssim']:.3f}"
        parts.append(words + (f", flicker {values['flicker']:.4f}" if "flicker" in values else ""))
    return " · ".join(parts)


def _scores(result: Reconstruction, row: int) -> str:
    words = f"PSNR {result.scores['psnr'][row]:.1f} dB\nSSIM {result.scores['ssim'][row]:.3f}"
    change = result.scores["flicker"][row]
    return words if math.isnan(change) else f"{words}\nflicker {change:.4f}"


def _short(name: str, length: int = 20) -> str:
    return name if len(name) <= length else f"…{name[1 - length :]}"
