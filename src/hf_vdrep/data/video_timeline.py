# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Frames of a video by number, exactly: the packets say when each is shown, and only what is needed is decoded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from .image import photo_frames
from .media_fit import over_white
from .media_kind import MediaError, sniff
from .video import opened_video, to_picture, video_frames

_EARLY = 1e-4  # seconds


@dataclass(frozen=True)
class Timeline:
    """When the frames of a video are shown.

    Attributes:
        path: the file.
        times: float64 (N,), seconds from the first frame, rising.
        exact: whether `times` come from the file; if not, frames are counted from the beginning.
    """

    path: Path
    times: np.ndarray
    exact: bool

    def __len__(self) -> int:
        return len(self.times)

    @property
    def rate(self) -> float | None:
        """Frames a second; None for a single frame."""
        if len(self.times) < 2 or self.times[-1] <= self.times[0]:
            return None
        return (len(self.times) - 1) / float(self.times[-1] - self.times[0])

    @property
    def steady(self) -> bool:
        """Whether all frames follow each other at one rate, to within half a frame."""
        even = np.linspace(self.times[0], self.times[-1], len(self.times))
        return self.rate is None or bool(np.abs(self.times - even).max() * self.rate <= 0.5)

    def shown(self, seconds: Sequence[float] | np.ndarray) -> np.ndarray:
        """Numbers of the frames on screen at some times from the first frame on."""
        return np.searchsorted(self.times, self.times[0] + np.asarray(seconds) + _EARLY, side="right").clip(1) - 1

    def nearest(self, seconds: Sequence[float] | np.ndarray) -> np.ndarray:
        """Numbers of the frames shown nearest to some times."""
        return np.abs(self.times[None, :] - np.asarray(seconds, dtype=np.float64)[:, None]).argmin(axis=1)


def read_timeline(path: str | Path) -> Timeline:
    """Read the packets of the first video stream, without decoding them.

    Raises:
        MediaError: damaged, no video stream or no frames; an animated picture is not a video here.
    """
    path = Path(path)
    kind = sniff(path)
    if kind.isupper():
        raise MediaError(path, f"is a picture ({kind}), not a video")
    with opened_video(path, kind) as (box, stream):
        stamps = [packet.pts for packet in box.demux(stream) if packet.size and not packet.is_discard]
        unit, origin = float(stream.time_base or 0), stream.start_time or 0
        rate = float(stream.average_rate or stream.guessed_rate or 25)
    if not stamps:
        raise MediaError(path, "holds no video frame")
    if None in stamps or len(set(stamps)) != len(stamps):
        return Timeline(path, np.arange(len(stamps)) / rate, exact=False)
    return Timeline(path, (np.sort(np.asarray(stamps, dtype=np.float64)) - origin) * unit, exact=True)


def read_frames(timeline: Timeline, indices: Sequence[int] | np.ndarray) -> np.ndarray:
    """Decode some frames.

    Args:
        timeline: of the file.
        indices: frame numbers in [0, len(timeline)), in any order, with repetitions.

    Returns:
        uint8 (len(indices), H, W, 3), RGB, the right way up, pixels made square. Where the size changes within the
        video, all get that of the first of them.

    Raises:
        MediaError: damaged, or a frame is not there.
        ValueError: an index out of range.
    """
    wanted = np.asarray(indices, dtype=np.int64)
    if not len(wanted) or wanted.min() < 0 or wanted.max() >= len(timeline):
        raise ValueError(f"indices must lie in [0, {len(timeline)}), got {wanted.tolist()}")
    missing = set(wanted.tolist())
    found: dict[int, np.ndarray] = {}
    start = max(0.0, float(timeline.times[min(missing)]) - _EARLY) if timeline.exact else 0.0
    kind = sniff(timeline.path)
    for count, (time, _, decoded) in enumerate(video_frames(timeline.path, kind, start)):
        number = int(np.abs(timeline.times - time).argmin()) if timeline.exact else count
        if number in missing:
            picture, aspect = to_picture(timeline.path, decoded)
            found[number] = square(over_white(picture), aspect)
            missing.discard(number)
        if not missing:
            break
    if missing:
        raise MediaError(timeline.path, f"lacks frame {min(missing)} of the {len(timeline)} that its packets promise")
    height, width = found[min(found)].shape[:2]
    return np.stack([_resized(found[number], (height, width)) for number in wanted.tolist()])


def read_photo(path: str | Path) -> np.ndarray:
    """The first picture of a photo file: uint8 (H, W, 3), RGB, the right way up.

    Raises:
        MediaError: no photo, or damaged.
    """
    path = Path(path)
    kind = sniff(path)
    if not kind.isupper():
        raise MediaError(path, f"is a video ({kind}), not a picture")
    _, _, picture = next(photo_frames(path, kind))
    return np.asarray(picture)


def _resized(frame: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    if frame.shape[:2] == size:
        return frame
    return np.asarray(Image.fromarray(frame).resize((size[1], size[0]), Image.Resampling.BICUBIC))


def square(picture: Image.Image, aspect: float) -> np.ndarray:
    """The picture with square pixels, from pixels `aspect` times as wide as high."""
    if abs(aspect - 1) > 1e-3:
        width = max(1, round(picture.width * aspect))
        picture = picture.resize((width, picture.height), Image.Resampling.BICUBIC)
    return np.asarray(picture)
