# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Which rectangle of a picture becomes the sample."""

from __future__ import annotations

import math

import numpy as np

from .crop_window import CropWindow

_ATTEMPTS = 10


def center_window(source: tuple[int, int], size: tuple[int, int], share: float = 1.0) -> CropWindow:
    """The largest centred rectangle of the output's aspect, times `share` (0.875 is "resize 256, crop 224").

    Raises:
        ValueError: share is not in (0, 1].
    """
    return view_windows(source, size, 1, share)[0]


def whole_window(source: tuple[int, int], size: tuple[int, int]) -> CropWindow:
    """All of the picture, its aspect changed to the output's."""
    return CropWindow(source, (0.0, 0.0, float(source[1]), float(source[0])), size)


def view_windows(source: tuple[int, int], size: tuple[int, int], count: int, share: float = 1.0) -> list[CropWindow]:
    """`count` rectangles of the output's aspect, evenly spread along the side with room (V-JEPA: three).

    Args:
        source: (height, width) of the picture.
        size: (height, width) of the output.
        count: 1 gives the centre, 3 left, centre and right (or top, centre and bottom).
        share: of the largest rectangle's sides that is kept, in (0, 1].

    Raises:
        ValueError: count below 1 or share out of range.
    """
    if count < 1 or not 0 < share <= 1:
        raise ValueError(f"count must be at least 1 and share lie in (0, 1], got {count} and {share}")
    (height, width), (out_height, out_width) = source, size
    scale = max(out_height / height, out_width / width)
    cut_x, cut_y = min(width, share * out_width / scale), min(height, share * out_height / scale)
    room_x, room_y = width - cut_x, height - cut_y
    places = [0.5] if count == 1 else [index / (count - 1) for index in range(count)]
    along_x = room_x >= room_y
    windows = []
    for place in places:
        x0, y0 = room_x * (place if along_x else 0.5), room_y * (0.5 if along_x else place)
        windows.append(CropWindow(source, (x0, y0, min(width, x0 + cut_x), min(height, y0 + cut_y)), size))
    return windows


def random_window(
    source: tuple[int, int],
    size: tuple[int, int],
    rng: np.random.Generator,
    *,
    scale: tuple[float, float] = (0.08, 1.0),
    aspect: tuple[float, float] = (3 / 4, 4 / 3),
    flip: bool = False,
) -> CropWindow:
    """Random resized crop: a share of the area and an aspect drawn at random (Szegedy et al. 2015, as in V-JEPA).

    Args:
        source: (height, width) of the picture.
        size: (height, width) of the output.
        rng: the draw; the same state gives the same window.
        scale: least and largest share of the picture's area.
        aspect: least and largest width over height, relative to the output's.
        flip: mirror half of the draws.
    """
    (height, width), base = source, size[1] / size[0]
    mirrored = flip and bool(rng.random() < 0.5)
    for _ in range(_ATTEMPTS):
        area = height * width * rng.uniform(*scale)
        ratio = base * math.exp(rng.uniform(math.log(aspect[0]), math.log(aspect[1])))
        cut_x, cut_y = math.sqrt(area * ratio), math.sqrt(area / ratio)
        if cut_x <= width and cut_y <= height:
            x0, y0 = rng.uniform(0, width - cut_x), rng.uniform(0, height - cut_y)
            box = (x0, y0, min(width, x0 + cut_x), min(height, y0 + cut_y))
            return CropWindow(source, box, size, mirrored)
    window = center_window(source, size)
    return window.mirrored() if mirrored else window
