# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""The contact sheet of an inspection."""

import numpy as np

from .inspect_clip import Inspection, ModelView
from .panels import CHANGE_COLOURS, CHANGE_MEANINGS, INK, SOFT, Board, model_ink, model_title, show_change
from .panels_words import (
    change_words,
    column_words,
    component_words,
    input_words,
    setting_words,
    short_title,
    short_view_words,
    view_words,
)

_MARGIN, _LABELS, _GAP = 0.35, 1.62, 0.07
_HEAD, _BAND, _FOOT = 1.02, 0.42, 0.3
_MAX_COLUMNS = 9


def contact_sheet(inspection: Inspection, dpi: int = 200) -> np.ndarray:
    """Draw the input, each model's components and each model's change over time.

    Args:
        inspection: of a video or a photo.
        dpi: pixels per inch; the sheet is about ten inches wide.

    Returns:
        uint8 (H, W, 3): rows are the input, the components of every model, the change in every model; columns are
        the feature steps (nine spread over the clip where there are more). A photo gives one row.
    """
    return (_photo_sheet if inspection.clip.is_photo else _video_sheet)(inspection, dpi)


def _video_sheet(inspection: Inspection, dpi: int) -> np.ndarray:
    columns = _spread(inspection.columns, _MAX_COLUMNS)
    views = inspection.views
    side = min(1.55, 9.4 / len(columns))
    left = _MARGIN + _LABELS
    width = max(left + len(columns) * (side + _GAP) - _GAP + _MARGIN, 8.3)
    height = _HEAD + (1 + 2 * len(views)) * (side + _GAP) + 2 * _BAND + _FOOT
    board = Board(width, height, dpi)
    _heading(board, inspection)
    places = [left + index * (side + _GAP) for index in range(len(columns))]
    y = _HEAD
    _label(board, y, "Input", input_words(inspection))
    for x, frame in zip(places, columns, strict=True):
        board.text(x, y - 0.07, column_words(inspection, frame), 8, SOFT, va="bottom")
        board.picture(x, y, side, side, inspection.pictures[frame].numpy(), interpolation="lanczos")
    y = _band(board, y + side + _GAP, "Features", component_words(inspection))
    for view in views:
        _label(board, y, model_title(view.name), view_words(view), model_ink(view.name))
        for x, frame in zip(places, columns, strict=True):
            board.picture(x, y, side, side, view.colours[frame].numpy())
        y += side + _GAP
    y = _band(board, y, "Change", change_words(inspection))
    # Frame 0 has nothing before it: its place holds the scale.
    scale = (0.0, inspection.change_limit), CHANGE_COLOURS, CHANGE_MEANINGS
    board.scale(left, y + 0.03, len(views) * (side + _GAP) - _GAP - 0.06, *scale)
    for view in views:
        _label(board, y, model_title(view.name), _change_level(view), model_ink(view.name))
        for x, frame in zip(places[1:], columns[1:], strict=True):
            board.picture(x, y, side, side, **show_change(view.change[frame].numpy(), inspection.change_limit))
        y += side + _GAP
    return board.pixels()


def _photo_sheet(inspection: Inspection, dpi: int) -> np.ndarray:
    side, gap, top = 2.6, 0.18, 1.58
    count = 1 + len(inspection.views)
    board = Board(max(2 * _MARGIN + count * (side + gap) - gap, 6.2), top + side + 0.5, dpi)
    _heading(board, inspection)
    pictures = [("Input", INK, input_words(inspection, " · "), inspection.pictures[0].numpy(), "lanczos")]
    for view in inspection.views:
        title, ink, words = model_title(view.name), model_ink(view.name), short_view_words(view)
        pictures.append((title, ink, words, view.colours[0].numpy(), "nearest"))
    for index, (title, ink, words, values, interpolation) in enumerate(pictures):
        x = _MARGIN + index * (side + gap)
        board.text(x, top - 0.28, title, 10, ink, weight="bold", va="bottom")
        board.text(x, top - 0.09, words, 7, SOFT, va="bottom")
        board.picture(x, top, side, side, values, interpolation=interpolation)
    board.text(_MARGIN, top + side + 0.14, component_words(inspection), 7.5, SOFT)
    return board.pixels()


def _heading(board: Board, inspection: Inspection) -> None:
    board.text(_MARGIN, 0.26, short_title(inspection.title, board.width), 15, weight="bold")
    board.text(_MARGIN, 0.57, setting_words(inspection), 8.5, SOFT)


def _band(board: Board, y: float, title: str, words: str) -> float:
    """A line of text over a group of rows; returns where the rows begin."""
    board.rule(_MARGIN, y + 0.06, board.width - 2 * _MARGIN)
    board.text(_MARGIN, y + 0.17, title, 8.5, INK, weight="bold")
    board.text(_MARGIN + _LABELS, y + 0.17, words, 8, SOFT)
    return y + _BAND


def _label(board: Board, y: float, title: str, words: str, ink: str = INK) -> None:
    board.text(_MARGIN, y + 0.02, title, 10, ink, weight="bold")
    board.text(_MARGIN, y + 0.25, words, 7, SOFT, linespacing=1.5)


def _change_level(view: ModelView) -> str:
    change = view.change[1:]
    return f"mean {float(change.mean()):.2f}\nhighest {float(change.max()):.2f}"


def _spread(columns: tuple[int, ...], most: int) -> list[int]:
    if len(columns) <= most:
        return list(columns)
    return [columns[round(index * (len(columns) - 1) / (most - 1))] for index in range(most)]
