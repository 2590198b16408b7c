# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""H.264 video, written as a stream."""

from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import torch

from .media_write import atomic_output


def write_video(path: str | Path, frames: torch.Tensor | np.ndarray | Iterable[np.ndarray], fps: float) -> None:
    """Write an mp4 (H.264, yuv420p, playable while it loads), atomically.

    Args:
        path: ends in .mp4.
        frames: uint8 (T, H, W, 3), or an iterable of (H, W, 3), taken one at a time. Odd sides, which yuv420p cannot
            hold, grow by one repeated row or column.
        fps: frames a second, in (0, 1000].

    Raises:
        ValueError: no frames, a wrong shape or dtype, or a wrong rate.
    """
    if not 0 < fps <= 1000:
        raise ValueError(f"fps must lie in (0, 1000], got {fps}")
    with atomic_output(path) as temporary:
        options = {"movflags": "faststart"}
        with av.open(str(temporary), "w", format="mp4", options=options) as container:
            _encode(container, frames, Fraction(fps).limit_denominator(1001))


def _encode(container: av.container.OutputContainer, frames: Iterable, rate: Fraction) -> None:
    stream = None
    shape: tuple[int, ...] = ()
    for frame in frames:
        array = np.asarray(frame)
        if array.dtype != np.uint8 or array.ndim != 3 or array.shape[2] != 3:
            raise ValueError(f"frames must be uint8 (H, W, 3), got {array.dtype} {array.shape}")
        if stream is None:
            shape = array.shape
            stream = container.add_stream("libx264", rate=rate, options={"crf": "18", "preset": "medium"})
            stream.height, stream.width = (side + side % 2 for side in shape[:2])
            stream.pix_fmt = "yuv420p"
        elif array.shape != shape:
            raise ValueError(f"frames must have one shape, got {shape} and then {array.shape}")
        array = np.pad(array, [(0, shape[0] % 2), (0, shape[1] % 2), (0, 0)], mode="edge")
        container.mux(stream.encode(av.VideoFrame.from_ndarray(array, format="rgb24")))
    if stream is None:
        raise ValueError("frames must hold at least one frame, got none")
    container.mux(stream.encode())
