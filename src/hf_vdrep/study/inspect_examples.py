# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Clips to look at when none is at hand, first of all the brick wall seen by a moving camera."""

from collections.abc import Callable

import numpy as np
import torch
from PIL import Image

from ..data.media import Clip

_SUPERSAMPLING = 4
_CLIP = 6  # of ProbeWorld's test split
_BRICK, _MORTAR = (0.24, 0.08), 0.012  # metres


def make_example(name: str, num_frames: int = 17, fps: float = 8.0, resolution: int = 64) -> Clip:
    """Build an example clip.

    Args:
        name: "brick-wall", a uniform wall at a slant that the camera walks along ("From Image to Video": an image
            model responds alike everywhere, a video model to the motion); "pan", a window that glides over a
            photograph; "photo", the photograph; "probeworld", a clip of the embedded world's test split.
        num_frames: T; "photo" has one.
        fps: frames a second.
        resolution: side of the square in pixels.

    Raises:
        ValueError: an unknown name.
    """
    if name not in EXAMPLES:
        raise ValueError(f"example must be one of {', '.join(EXAMPLES)}, got {name!r}")
    frames = _MAKERS[name](1 if name == "photo" else num_frames, fps, resolution)
    times = tuple(index / fps for index in range(len(frames)))
    return Clip(torch.from_numpy(np.stack(frames)), times, fps, (resolution, resolution))


def _brick_wall(num_frames: int, fps: float, resolution: int) -> list[np.ndarray]:
    """A camera 0.6 m from the wall, its view turned by 40 degrees, goes 0.4 m/s along it."""
    side = resolution * _SUPERSAMPLING
    screen = ((np.arange(side) + 0.5) / side * 2 - 1) * 0.6  # tangent of half the field of view
    x, y = np.meshgrid(screen, screen)
    turn = np.radians(40)
    across, ahead = x * np.cos(turn) + np.sin(turn), np.cos(turn) - x * np.sin(turn)
    u, v = 0.6 * across / ahead, 0.6 * y / ahead
    return [_shrink(_bricks(u + 0.4 * index / fps, v)) for index in range(num_frames)]


def _bricks(u: np.ndarray, v: np.ndarray) -> np.ndarray:
    """Colour in [0, 255] of a running bond at the wall coordinates (u, v) in metres: float (H, W, 3)."""
    row = np.floor(v / _BRICK[1])
    shifted = u / _BRICK[0] + 0.5 * (row % 2)
    column = np.floor(shifted)
    inside_u, inside_v = (shifted - column) * _BRICK[0], v - row * _BRICK[1]
    mortar = (inside_u < _MORTAR) | (inside_v < _MORTAR)
    # A fixed pseudo-random tint per brick: alike, but not copies.
    tint = (np.sin(row * 12.9898 + column * 78.233) * 43758.5453) % 1 - 0.5
    brick = np.array([164.0, 84.0, 62.0]) + tint[..., None] * np.array([22.0, 16.0, 13.0])
    return np.where(mortar[..., None], np.array([196.0, 188.0, 176.0]), brick)


def _shrink(picture: np.ndarray) -> np.ndarray:
    small = picture.shape[0] // _SUPERSAMPLING
    blocks = picture.reshape(small, _SUPERSAMPLING, small, _SUPERSAMPLING, 3)
    return blocks.mean((1, 3)).round().clip(0, 255).astype(np.uint8)


def _photograph() -> Image.Image:
    from skimage import data

    return Image.fromarray(data.chelsea())


def _photo(num_frames: int, fps: float, resolution: int) -> list[np.ndarray]:
    return [_window(_photograph(), 0.5, 0.5, 1.0, resolution)]


def _pan(num_frames: int, fps: float, resolution: int) -> list[np.ndarray]:
    """A window of 70 % of the photograph's height, on a quarter of a circle in 2 seconds."""
    photograph = _photograph()
    angles = [np.pi / 4 * index / fps for index in range(num_frames)]
    return [_window(photograph, 0.3 + 0.42 * np.sin(a), 0.35 + 0.3 * np.cos(a), 0.7, resolution) for a in angles]


def _window(photograph: Image.Image, x: float, y: float, scale: float, resolution: int) -> np.ndarray:
    """A square of `scale` times the height around the relative centre (x, y), moved inside where it hangs over."""
    side = photograph.height * scale
    left = min(max(x * photograph.width - side / 2, 0.0), photograph.width - side)
    top = min(max(y * photograph.height - side / 2, 0.0), photograph.height - side)
    box = (left, top, left + side, top + side)
    return np.array(photograph.resize((resolution, resolution), Image.Resampling.BICUBIC, box=box))


def _probeworld(num_frames: int, fps: float, resolution: int) -> list[np.ndarray]:
    from ..data.probeworld import ProbeWorld, ProbeWorldConfig

    config = ProbeWorldConfig(num_frames=max(3, num_frames + 1 - num_frames % 2), resolution=resolution, fps=fps)
    return list(ProbeWorld("test", _CLIP + 1, config).render_batch([_CLIP])[0, :num_frames].numpy())


_MAKERS: dict[str, Callable[[int, float, int], list[np.ndarray]]] = {
    "brick-wall": _brick_wall,
    "pan": _pan,
    "photo": _photo,
    "probeworld": _probeworld,
}
EXAMPLES = {
    "brick-wall": "Brick wall, camera walking past",
    "pan": "Photograph, window gliding over it",
    "photo": "Photograph",
    "probeworld": "ProbeWorld, a clip of the test split",
}
"""Names and titles of the examples."""
