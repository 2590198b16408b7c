# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Choosing the frames of a clip from a stream, holding one frame at a time."""

from collections.abc import Iterable, Iterator
from typing import TypeVar

Frame = TypeVar("Frame")
_TOLERANCE = 6e-4  # seconds; some containers round their clock to the nearest millisecond


def select_frames(
    stream: Iterable[tuple[float, float, Frame]], *, num_frames: int, fps: float | None, start: float
) -> Iterator[tuple[float, Frame]]:
    """Yield the frame on screen at `start + i / fps` for i = 0 … `num_frames` - 1, as a player would show it.

    The stream is consumed no further than needed, and only its latest frame is held: memory does not grow with
    its length. A frame that stays on screen over several instants is yielded once for each.

    Args:
        stream: (time, duration, frame) in seconds, times rising from 0.
        num_frames: at most so many are yielded; fewer when the stream ends.
        fps: instants per second; None takes every frame from `start` on, at the stream's own rate.
        start: seconds.
    """
    if fps is None:
        yield from _consecutive(stream, num_frames, start)
        return
    shown: tuple[float, Frame] | None = None
    end, taken = 0.0, 0
    for time, duration, frame in stream:
        while shown is not None and taken < num_frames and start + taken / fps < time - _TOLERANCE:
            yield start + taken / fps, shown[1]
            taken += 1
        if taken == num_frames:
            return
        shown, end = (time, frame), time + duration
    while shown is not None and taken < num_frames and start + taken / fps < end - _TOLERANCE:
        yield start + taken / fps, shown[1]
        taken += 1


def _consecutive(
    stream: Iterable[tuple[float, float, Frame]], num_frames: int, start: float
) -> Iterator[tuple[float, Frame]]:
    taken = 0
    for time, _, frame in stream:
        if time < start - _TOLERANCE:
            continue
        yield time, frame
        taken += 1
        if taken == num_frames:
            return


def settle_length(available: int, num_frames: int, short: str) -> int:
    """Number of frames a clip of `available` chosen frames ends with, under the policy `short`.

    "repeat" always gives `num_frames`. "trim" gives the largest 1 + 4k that is available (the lengths that WALT's
    tokenizer takes), but never turns a video into a photo: 2 to 4 frames become 5, the last one repeated.
    """
    if available >= num_frames or short == "repeat":
        return num_frames
    if available == 1:
        return 1
    return min(num_frames, max(5, 1 + 4 * ((available - 1) // 4)))
