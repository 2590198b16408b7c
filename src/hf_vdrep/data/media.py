# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Reading clips from the user's own photos and videos.

Formats: jpg, png, webp, gif (the last three also animated), bmp, mp4, mov, webm, mkv, avi. Pictures come out as
8-bit RGB, the right way up (EXIF, display rotation), transparency over white (VP8/VP9 alpha is ignored, as FFmpeg's
own decoders do).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from .image import photo_frames
from .media_fit import fit, over_white
from .media_kind import MediaError, sniff
from .media_sampling import select_frames, settle_length
from .video import Decoded, to_picture, video_frames

MAX_FRAMES = 1025
MAX_CLIP_PIXELS = 300_000_000
"""Frames times height times width of the longest clip that is read: 900 MB."""


@dataclass(frozen=True)
class Clip:
    """Frames of a photo (T = 1) or video.

    Attributes:
        frames: uint8 (T, H, W, 3).
        times: T seconds from the start of the file.
        fps: frames a second at which to play it.
        source_size: (width, height) of the file's pictures, the right way up.
        repeated: how many of the last frames are copies, because the file was too short.
    """

    frames: torch.Tensor
    times: tuple[float, ...]
    fps: float
    source_size: tuple[int, int]
    repeated: int = 0

    @property
    def is_photo(self) -> bool:
        return self.frames.shape[0] == 1


def read_clip(path: str | Path, num_frames: int = 17, fps: float | None = 8.0, **options: object) -> torch.Tensor:
    """`load_clip(...).frames`: uint8 (T, H, W, 3)."""
    return load_clip(path, num_frames, fps, **options).frames  # type: ignore[arg-type]


def load_clip(
    path: str | Path,
    num_frames: int = 17,
    fps: float | None = 8.0,
    *,
    resolution: int | tuple[int, int] = 64,
    crop: str = "center",
    start: float = 0.0,
    short: str = "trim",
) -> Clip:
    """Read the frames on screen at `start`, `start + 1/fps`, … and fit each to the working resolution.

    The file is decoded as a stream and only the chosen, already reduced frames are kept: memory does not grow with
    the length of the video.

    Args:
        path: file of any frame size and any number of frames.
        num_frames: frames of the clip, in [1, 1025]. A photo gives one, and so does a video of one picture.
        fps: frames a second; None takes the file's own frames one after the other.
        resolution: side of the square, or (height, width), in pixels, each in [1, 4096].
        crop: "center" fills the frame and cuts the overhang; "pad" shows everything on black.
        start: seconds from the start of the file.
        short: what a video with too few frames becomes. "trim": the largest 1 + 4k frames that it has; 2 to 4 frames
            become 5 by repeating the last. "repeat": always `num_frames`, the last frame repeated (a photo too).

    Raises:
        MediaError: the file cannot be read; the message names the file and the reason.
        ValueError: an argument is out of range.
    """
    size = (resolution, resolution) if isinstance(resolution, int) else (int(resolution[0]), int(resolution[1]))
    _check(num_frames, fps, size, crop, start, short)
    path = Path(path)
    times, frames = [], []
    latest, shown, distinct = None, (0, 0), 0
    for time, picture in select_frames(_pictures(path, start), num_frames=num_frames, fps=fps, start=start):
        if picture is not latest:
            image, aspect = _rgb(path, picture)
            latest, shown, distinct = picture, (round(image.width * aspect), image.height), distinct + 1
            fitted = fit(image, size, crop, aspect)
        times.append(time)
        frames.append(fitted)
    if not frames:
        raise MediaError(path, f"shows nothing at start={start:g} s: it ends before")
    length = settle_length(len(frames) if distinct > 1 else 1, num_frames, short)
    return _clip(frames, times, length, fps, shown)


def _clip(frames: list, times: list[float], length: int, fps: float | None, shown: tuple[int, int]) -> Clip:
    rate = fps or (round((len(times) - 1) / (times[-1] - times[0]), 3) if times[-1] > times[0] else 8.0)
    repeated = max(0, length - len(frames))
    frames = frames[:length] + frames[-1:] * repeated
    times = times[:length] + [times[-1] + (i + 1) / rate for i in range(repeated)]
    return Clip(torch.from_numpy(np.stack(frames)), tuple(times), rate, shown, repeated)


def _pictures(path: Path, start: float) -> Iterator[tuple[float, float, Image.Image | Decoded]]:
    kind = sniff(path)
    if kind.isupper():
        for index, (time, duration, picture) in enumerate(photo_frames(path, kind)):
            # A still stays on screen for ever, but is one frame: it answers the first instant only.
            yield (start, 1e-3, picture) if index == 0 and duration == 0 else (time, duration, picture)
    else:
        yield from video_frames(path, kind, start)


def _rgb(path: Path, picture: Image.Image | Decoded) -> tuple[Image.Image, float]:
    if isinstance(picture, Image.Image):
        return picture, 1.0
    image, aspect = to_picture(path, picture)
    return over_white(image), aspect


def _check(num_frames: int, fps: float | None, size: tuple[int, int], crop: str, start: float, short: str) -> None:
    if not 1 <= num_frames <= MAX_FRAMES:
        raise ValueError(f"num_frames must lie in [1, {MAX_FRAMES}], got {num_frames}")
    if fps is not None and not 0 < fps <= 1000:
        raise ValueError(f"fps must lie in (0, 1000] or be None, got {fps}")
    if not all(1 <= side <= 4096 for side in size):
        raise ValueError(f"resolution must lie in [1, 4096] pixels, got {size[0]}x{size[1]} (height x width)")
    if num_frames * size[0] * size[1] > MAX_CLIP_PIXELS:
        raise ValueError(f"{num_frames} frames of {size[0]}x{size[1]} exceed the {MAX_CLIP_PIXELS:,} pixels of a clip")
    if crop not in ("center", "pad"):
        raise ValueError(f'crop must be "center" or "pad", got {crop!r}')
    if not 0 <= start < float("inf"):
        raise ValueError(f"start must be a time of at least 0 seconds, got {start}")
    if short not in ("trim", "repeat"):
        raise ValueError(f'short must be "trim" or "repeat", got {short!r}')
