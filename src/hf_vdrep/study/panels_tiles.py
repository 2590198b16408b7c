# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Pictures side by side."""

import math
from collections.abc import Iterator

import numpy as np
from PIL import Image

_GAP, _PAPER = 4, 255


def square_tiles(images: np.ndarray) -> np.ndarray:
    """uint8 (N, H, W, 3) to one picture, about as many columns as rows, on white."""
    count, height, width, _ = images.shape
    columns = math.ceil(math.sqrt(count))
    return _place(images, columns, height, width)


def row_tiles(videos: np.ndarray, columns: int = 5) -> np.ndarray:
    """uint8 (N, T, H, W, 3) to one picture, a row of frames for each video."""
    length, height, width = videos.shape[1:4]
    frames = np.linspace(0, length - 1, min(columns, length)).round().astype(int)
    return _place(videos[:, frames].reshape(-1, height, width, 3), len(frames), height, width)


def film_tiles(videos: np.ndarray) -> Iterator[np.ndarray]:
    """uint8 (N, T, H, W, 3) to T pictures of all videos at one time."""
    for frame in range(videos.shape[1]):
        yield square_tiles(videos[:, frame])


def enlarge(videos: np.ndarray, scale: int) -> np.ndarray:
    """uint8 (N, T, H, W, 3), every frame `scale` times as high and wide."""
    if scale == 1:
        return videos
    size = videos.shape[3] * scale, videos.shape[2] * scale
    frames = [
        np.asarray(Image.fromarray(frame).resize(size, Image.Resampling.LANCZOS))
        for frame in videos.reshape(-1, *videos.shape[2:])
    ]
    return np.stack(frames).reshape(*videos.shape[:2], size[1], size[0], 3)


def _place(images: np.ndarray, columns: int, height: int, width: int) -> np.ndarray:
    rows = math.ceil(len(images) / columns)
    sheet = np.full((rows * (height + _GAP) + _GAP, columns * (width + _GAP) + _GAP, 3), _PAPER, np.uint8)
    for index, image in enumerate(images):
        row, column = divmod(index, columns)
        y, x = _GAP + row * (height + _GAP), _GAP + column * (width + _GAP)
        sheet[y : y + height, x : x + width] = image
    return sheet
