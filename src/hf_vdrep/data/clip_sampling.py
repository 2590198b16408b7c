# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Which frames of a video make a clip."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

SHORT = ("repeat", "error", "skip")


class ShortClip(ValueError):
    """A video with fewer frames than the clip spans, under a policy that does not fill it up."""


@dataclass(frozen=True)
class ClipSampling:
    """How clips are cut from a video.

    Attributes:
        num_frames: frames of a clip.
        stride: source frames from one frame of the clip to the next.
        fps: frames a second instead of `stride`, where the source's rate is known.
        segments: clips per video, their starts evenly spread (V-JEPA: 8 for Kinetics, 2 for Something-Something).
        jitter: start anywhere within a segment's share of the video, instead of its middle.
        anchor: where a single clip starts without jitter: "center" of the video or "start".
        short: what a video with too few frames gives: "repeat" its last frame, an "error" that ends the run, or
            nothing ("skip").
    """

    num_frames: int = 17
    stride: int = 1
    fps: float | None = None
    segments: int = 1
    jitter: bool = False
    anchor: Literal["center", "start"] = "center"
    short: Literal["repeat", "error", "skip"] = "repeat"

    def __post_init__(self) -> None:
        for name in ("num_frames", "stride", "segments"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, got {getattr(self, name)}")
        if self.fps is not None and not 0 < self.fps < float("inf"):
            raise ValueError(f"fps must be a number above 0, got {self.fps}")
        if self.short not in SHORT:
            raise ValueError(f"short must be one of {list(SHORT)}, got {self.short!r}")
        if self.anchor not in ("center", "start"):
            raise ValueError(f"anchor must be 'center' or 'start', got {self.anchor!r}")

    def step(self, rate: float | None = None) -> float:
        """Source frames from one frame of the clip to the next; `rate` is the source's frames a second."""
        if self.fps is None:
            return float(self.stride)
        if not rate:
            raise ValueError(f"fps={self.fps:g} needs a source of known frame rate; give stride instead")
        return rate / self.fps

    def span(self, rate: float | None = None) -> int:
        """Source frames from the first to the last of a clip, both counted."""
        return int(round((self.num_frames - 1) * self.step(rate))) + 1


def clip_indices(
    available: int, sampling: ClipSampling, *, rate: float | None = None, rng: np.random.Generator | None = None
) -> list[np.ndarray]:
    """Source frames of every clip of one video.

    Args:
        available: frames of the video.
        sampling: the rule.
        rate: the video's frames a second, needed for `sampling.fps`.
        rng: draws the starts under `jitter`.

    Returns:
        `segments` arrays, int64 (num_frames,), not falling, in [0, available).

    Raises:
        ShortClip: the video has fewer frames than a clip spans, and `short` is not "repeat".
        ValueError: the video has no frames, or jitter without rng.
    """
    if available < 1:
        raise ValueError(f"available must be at least 1 frame, got {available}")
    if available == 1 and not rate:
        rate = sampling.fps  # a single frame has no rate, and any serves
    span = sampling.span(rate)
    if available < span and sampling.short != "repeat":
        raise ShortClip(f"has {available} frames; a clip spans {span}")
    offsets = np.arange(sampling.num_frames) * sampling.step(rate)
    starts = _starts(available - span, sampling, rng)
    return [np.minimum(np.round(start + offsets).astype(np.int64), available - 1) for start in starts]


def _starts(room: int, sampling: ClipSampling, rng: np.random.Generator | None) -> list[int]:
    count = sampling.segments
    if room <= 0:
        return [0] * count
    if sampling.jitter:
        if rng is None:
            raise ValueError("rng must be given with jitter, got None")
        edges = np.linspace(0, room + 1, count + 1)
        return [int(edges[i] + rng.random() * (edges[i + 1] - edges[i])) for i in range(count)]
    if count == 1:
        return [room // 2 if sampling.anchor == "center" else 0]
    return [int(start) for start in np.round(np.linspace(0, room, count))]
