# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Readers that cut a recording, of which the frames are known when it is opened, into several clips."""

from __future__ import annotations

from collections.abc import Iterator

from .options import ReadOptions


def window_starts(available: int, options: ReadOptions) -> Iterator[int]:
    """First frames of clips side by side; one clip at 0 where there are too few frames for a whole one."""
    span = options.sampling.span()
    yield from range(0, max(1, available - span + 1), span)


def check_whole(name: str, options: ReadOptions) -> None:
    """Raise ValueError where clips are asked for that a recording cut side by side does not have."""
    if options.segments != 1 or options.fps is not None:
        words = f"segments={options.segments}, fps={options.fps}"
        raise ValueError(f"segments must be 1 and fps None for {name}, which is cut into clips already, got {words}")
