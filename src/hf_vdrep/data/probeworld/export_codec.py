# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Clips as mp4 bytes: lossless H.264 in RGB, or the small, lossy kind that browsers play."""

from __future__ import annotations

import io
from fractions import Fraction
from typing import Any

import av
import numpy as np

_LOSSLESS = ("libx264rgb", "rgb24", {"crf": "0", "preset": "veryfast"})
_LOSSY = ("libx264", "yuv420p", {"crf": "14", "preset": "medium"})


def encode_clip(frames: np.ndarray, fps: float, lossless: bool = True) -> bytes:
    """An mp4 of uint8 (T, H, W, 3).

    Args:
        fps: frames a second.
        lossless: H.264 High 4:4:4 in RGB, which gives back every bit and which few browsers play; otherwise 4:2:0,
            sides even, mean error about 2/255.

    Raises:
        ValueError: wrong shape or dtype, or odd sides with `lossless=False`.
    """
    if frames.dtype != np.uint8 or frames.ndim != 4 or frames.shape[3] != 3 or not len(frames):
        raise ValueError(f"frames must be uint8 (T, H, W, 3) with T >= 1, got {frames.dtype} {frames.shape}")
    height, width = frames.shape[1:3]
    if not lossless and (height % 2 or width % 2):
        raise ValueError(f"frames must have even sides for 4:2:0 video, got {width}x{height}")
    codec, pixel_format, options = _LOSSLESS if lossless else _LOSSY
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="mp4") as container:
        stream: Any = container.add_stream(codec, rate=Fraction(fps).limit_denominator(1001), options=options)
        stream.height, stream.width, stream.pix_fmt = height, width, pixel_format
        stream.thread_count = 1  # the same bytes on every machine
        for frame in frames:
            picture = av.VideoFrame.from_ndarray(np.ascontiguousarray(frame), format="rgb24")
            container.mux(stream.encode(picture))
        container.mux(stream.encode())
    return buffer.getvalue()


def decode_clip(data: bytes, num_frames: int | None = None) -> np.ndarray:
    """All frames of an mp4, uint8 (T, H, W, 3).

    Args:
        num_frames: how many there must be; None takes what there is.

    Raises:
        ValueError: no readable video, or fewer or more frames than asked for.
    """
    try:
        with av.open(io.BytesIO(data), "r") as container:
            stream = container.streams.video[0]
            stream.thread_count = 1  # a clip is decoded before a second thread has started
            frames = [frame.to_ndarray(format="rgb24") for frame in container.decode(stream)]
    except (av.error.FFmpegError, IndexError) as error:
        raise ValueError(f"video must be a readable mp4, got {len(data)} bytes ({error})") from error
    if not frames or num_frames not in (None, len(frames)):
        raise ValueError(f"video must hold {num_frames or 'at least 1'} frames, got {len(frames)}")
    return np.stack(frames)
