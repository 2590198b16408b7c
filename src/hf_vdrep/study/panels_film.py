# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""The film of an inspection: the input beside each model's components and change, frame by frame."""

from collections.abc import Iterator

import numpy as np

from .inspect_clip import Inspection
from .panels import CHANGE_COLOURS, CHANGE_MEANINGS, EMPTY, FAINT, INK, SOFT, Board, model_ink, model_title, show_change
from .panels_words import change_words, component_words, input_words, setting_words, short_title, short_view_words

_MARGIN, _GAP, _SIDE = 0.3, 0.16, 2.4
_TOP = 1.44
_DPI = 160


def film(inspection: Inspection) -> Iterator[np.ndarray]:
    """Draw one picture per frame of the clip.

    Yields:
        uint8 (H, W, 3), even sides: above, the input and every model's components; below, the time and every
        model's change. A photo gives one picture, with the upper row only.
    """
    photo = inspection.clip.is_photo
    board = Board(_film_width(inspection), _TOP + _SIDE + (0.3 if photo else _SIDE + 0.62), _DPI)
    board.text(_MARGIN, 0.22, short_title(inspection.title, board.width), 14, weight="bold")
    board.text(_MARGIN, 0.52, setting_words(inspection), 8, SOFT)
    board.text(_MARGIN, 0.72, component_words(inspection), 7.5, SOFT)
    shown = board.picture(_MARGIN, _TOP, _SIDE, _SIDE, inspection.pictures[0].numpy(), interpolation="lanczos")
    board.text(_MARGIN, _TOP - 0.27, "Input", 10, weight="bold", va="bottom")
    board.text(_MARGIN, _TOP - 0.08, input_words(inspection, " · "), 7, SOFT, va="bottom")
    colours, changes, empty = [], [], []
    for index, view in enumerate(inspection.views, start=1):
        x = _MARGIN + index * (_SIDE + _GAP)
        board.text(x, _TOP - 0.27, model_title(view.name), 10, model_ink(view.name), weight="bold", va="bottom")
        board.text(x, _TOP - 0.08, short_view_words(view), 7, SOFT, va="bottom")
        colours.append(board.picture(x, _TOP, _SIDE, _SIDE, view.colours[0].numpy()))
        if not photo:
            values = show_change(view.change[0].numpy(), inspection.change_limit)
            changes.append(board.picture(x, _TOP + _SIDE + 0.4, _SIDE, _SIDE, **values))
            changes[-1].axes.set_facecolor(EMPTY)
            changes[-1].axes.patch.set_visible(True)
            middle = x + _SIDE / 2, _TOP + 1.5 * _SIDE + 0.4
            empty.append(board.text(*middle, "nothing before\nthe first frame", 8, SOFT, ha="center", va="center"))
    clock = _Clock(board, inspection)
    for frame in range(len(inspection.clip.frames)):
        shown.set_data(inspection.pictures[frame].numpy())
        for view, colour in zip(inspection.views, colours, strict=True):
            colour.set_data(view.colours[frame].numpy())
        for view, change in zip(inspection.views, changes, strict=False):
            change.set_data(view.change[frame].numpy())
        for words in empty:
            words.set_visible(frame == 0)
        clock.show(frame)
        yield _even(board.pixels())


class _Clock:
    """The time, a bar of progress, and the scale of change."""

    def __init__(self, board: Board, inspection: Inspection) -> None:
        self.inspection = inspection
        below = _TOP + _SIDE + 0.14
        if inspection.clip.is_photo:
            self.time = self.bar = None
            return
        self.time = board.text(_MARGIN, below, "", 8, INK)
        board.text(_MARGIN + _SIDE + _GAP, below, change_words(inspection), 7.5, SOFT)
        self.track = board.rule(_MARGIN, below + 0.2, _SIDE, FAINT, 0.03)
        self.bar = board.rule(_MARGIN, below + 0.2, _SIDE, INK, 0.03)
        self.full = self.bar.get_width()
        scale = (0.0, inspection.change_limit), CHANGE_COLOURS, CHANGE_MEANINGS
        board.scale(_MARGIN, _TOP + _SIDE + 0.62, _SIDE - 0.25, *scale)

    def show(self, frame: int) -> None:
        if self.time is None or self.bar is None:
            return
        count = len(self.inspection.clip.frames)
        self.time.set_text(f"{self.inspection.clip.times[frame]:.2f} s   ·   frame {frame + 1} of {count}")
        self.bar.set_width(self.full * (frame + 1) / count)


def _film_width(inspection: Inspection) -> float:
    return max(2 * _MARGIN + (1 + len(inspection.views)) * (_SIDE + _GAP) - _GAP, 5.6)


def _even(picture: np.ndarray) -> np.ndarray:
    return picture[: picture.shape[0] // 2 * 2, : picture.shape[1] // 2 * 2]
