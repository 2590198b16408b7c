# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""The pictures of an inspection: what must be on them, and where."""

import numpy as np
import pytest
import torch

from hf_vdrep.backbones import PixelBackbone
from hf_vdrep.data import Clip
from hf_vdrep.study.inspect_clip import inspect_clip
from hf_vdrep.study.inspect_dense import Tap
from hf_vdrep.study.panels import Board
from hf_vdrep.study.panels_film import film
from hf_vdrep.study.panels_sheet import contact_sheet
from hf_vdrep.study.panels_tiles import enlarge, film_tiles, row_tiles, square_tiles
from hf_vdrep.study.panels_words import (
    change_words,
    component_words,
    input_words,
    setting_words,
    short_title,
    view_words,
)


def inspection(count=9, models=2, colour=(10, 200, 30)):
    frames = torch.tensor(colour, dtype=torch.uint8).expand(count, 16, 16, 3).clone()
    for index in range(count):
        frames[index, :, : 8 + index % 8] = index % 20 * 9
    clip = Clip(frames, tuple(i / 8 for i in range(count)), 8.0, (640, 480))
    backbones = []
    for index in range(models):
        backbones.append(PixelBackbone())
        backbones[-1].name = ["i-walt", "v-walt", "third"][index]
    return inspect_clip(clip, backbones, Tap(), title="clip.mp4")


def has_colour(picture, colour, tolerance=3):
    return (np.abs(picture.astype(int) - np.array(colour)).max(-1) <= tolerance).sum()


def test_things_are_placed_in_inches_from_the_upper_left():
    board = Board(3, 2, dpi=100)
    board.picture(1.0, 0.5, 0.5, 0.25, np.full((2, 2, 3), (200, 0, 100), np.uint8))
    pixels = board.pixels()
    assert pixels.shape == (200, 300, 3)
    assert (pixels[50:75, 100:150] == (200, 0, 100)).all()
    outside = pixels.copy()
    outside[50:75, 100:150] = 255
    assert (outside == 255).all()


def test_a_drawn_picture_does_not_change_with_the_next():
    board = Board(1, 1, dpi=50)
    image = board.picture(0, 0, 1, 1, np.zeros((2, 2, 3), np.uint8))
    first = board.pixels()
    image.set_data(np.full((2, 2, 3), 255, np.uint8))
    board.pixels()
    assert first.max() == 0


@pytest.mark.parametrize("models", [1, 2, 3])
def test_sheet_holds_input_components_and_change_of_every_model(models):
    view = inspection(models=models)
    sheet = contact_sheet(view, dpi=60)
    assert sheet.dtype == np.uint8 and sheet.shape[2] == 3
    assert has_colour(sheet, (10, 200, 30), 30) > 300
    for frame in view.columns[1:]:
        for shown in view.views:
            cell = (shown.colours[frame, 0, 0].numpy() * 255).round()
            assert has_colour(sheet, cell) > 300


def test_sheet_grows_by_two_rows_for_each_model_and_columns_are_bounded():
    heights = [contact_sheet(inspection(models=models), dpi=60).shape[0] for models in (1, 2, 3)]
    assert heights[1] - heights[0] == pytest.approx(heights[2] - heights[1], abs=2)
    assert contact_sheet(inspection(count=81), dpi=60).shape[1] < 780


def test_photo_gives_one_row_and_one_picture():
    photo = inspection(count=1)
    assert contact_sheet(photo, dpi=60).shape[0] < contact_sheet(inspection(), dpi=60).shape[0]
    pictures = list(film(photo))
    assert len(pictures) == 1 and pictures[0].shape[0] % 2 == 0
    assert "a photo" in setting_words(photo)


def test_film_has_a_picture_for_every_frame_with_even_sides():
    pictures = list(film(inspection(count=5)))
    assert len(pictures) == 5
    assert {picture.shape for picture in pictures} == {pictures[0].shape}
    assert pictures[0].shape[0] % 2 == 0 and pictures[0].shape[1] % 2 == 0
    assert (pictures[1] != pictures[4]).any()


def test_scale_is_shared_and_bounded_below():
    still = inspection()
    assert still.change_limit >= max(float(view.change[1:].quantile(0.99)) for view in still.views)
    frozen = Clip(torch.zeros(5, 16, 16, 3, dtype=torch.uint8), (0.0, 0.1, 0.2, 0.3, 0.4), 8.0, (16, 16))
    assert inspect_clip(frozen, [PixelBackbone()], Tap(), title="x").change_limit == 0.25


def test_words_state_the_settings():
    view = inspection()
    assert setting_words(view) == "block 1 of 1  ·  no noise  ·  9 frames at 8 fps"
    assert change_words(view) == "how far the features moved over the last 4 frames (0.5 s)"
    assert component_words(view).endswith("one basis per model and clip; position removed")
    assert input_words(view) == "640 × 480 pixels\nseen at 16 × 16"
    assert view_words(view.views[0]).splitlines()[1:] == ["taken every 8 pixels"]
    assert len(short_title("a" * 300 + ".mp4", 8.0)) < 60


def test_tiles_keep_pixels_and_order():
    videos = (
        np.arange(6, dtype=np.uint8)[:, None, None, None, None] * 20 + np.arange(5, dtype=np.uint8)[:, None, None, None]
    )
    videos = np.broadcast_to(videos, (6, 5, 3, 4, 3)).copy()
    square = square_tiles(videos[:, 0])
    assert [int(square[4 + 7 * row, 4 + 8 * column, 0]) for row in (0, 1) for column in (0, 1, 2)] == [
        0, 20, 40, 60, 80, 100
    ]  # fmt: skip
    rows = row_tiles(videos)
    assert [int(rows[4 + 7 * 2, 4 + 8 * column, 0]) for column in range(5)] == [40, 41, 42, 43, 44]
    assert len(list(film_tiles(videos))) == 5
    assert (enlarge(videos, 3)[2, 1] == 41).all() and enlarge(videos, 3).shape == (6, 5, 9, 12, 3)
