# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Video through PyAV, one decoded frame in memory at a time."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
from av.stream import Disposition
from PIL import Image

from .media_kind import MediaError
from .video_boxes import missing_bytes

MAX_VIDEO_PIXELS = 36_000_000
"""Larger frames are refused before they are decoded; 8K video (8192x4320) still passes."""


@dataclass(frozen=True)
class Decoded:
    """A frame as the decoder left it, and the width of its pixels over their height."""

    frame: av.VideoFrame
    pixel_aspect: float


def video_frames(path: Path, demuxer: str, start: float) -> Iterator[tuple[float, float, Decoded]]:
    """Decode the first video stream from the key frame before `start` on.

    The demuxer is named, never guessed, so that no playlist or script can lead the decoder to other files.

    Args:
        path: an existing file.
        demuxer: FFmpeg's name of the container.
        start: seconds.

    Yields:
        (time in s from the stream's first frame, duration in s, frame).

    Raises:
        MediaError: damaged, cut short, no video stream, no frames, or more than `MAX_VIDEO_PIXELS`.
    """
    with opened_video(path, demuxer) as (box, stream):
        origin = (stream.start_time or 0) * stream.time_base
        if start > 0:
            with suppress(av.error.FFmpegError):  # no index: decode from the beginning
                box.seek(int((start + float(origin)) / stream.time_base), stream=stream)
        step = 1 / float(stream.average_rate or stream.guessed_rate or 25)
        aspect = float(stream.sample_aspect_ratio or 1)
        end = None
        for frame in _decode(path, box, stream):
            time = float(frame.time - origin) if frame.time is not None else (0.0 if end is None else end)
            duration = float(frame.duration * frame.time_base) if frame.duration and frame.time_base else step
            end = time + duration
            yield time, duration, Decoded(frame, aspect)
        if end is not None or start == 0:
            _check_complete(path, box, stream, end)


@contextmanager
def opened_video(path: Path, demuxer: str) -> Iterator[tuple[Any, Any]]:
    """The container and its first video stream that is no cover picture; names in any encoding are borne.

    Raises:
        MediaError: no such stream, or damaged, also while it is used.
    """
    options = {"protocol_whitelist": "file"}
    with (
        _reported(path),
        av.open(str(path.resolve()), format=demuxer, options=options, metadata_errors="replace") as box,
    ):
        yield box, _video_stream(path, box)


def to_picture(path: Path, decoded: Decoded) -> tuple[Image.Image, float]:
    """RGB(A) picture the right way up, and its pixel aspect (width over height).

    Any pixel format comes out as 8 bits a channel; a display rotation in the container is applied.
    """
    frame, aspect = decoded.frame, decoded.pixel_aspect
    alpha = "yuva" in frame.format.name or frame.format.name in ("rgba", "bgra", "argb", "abgr", "gbrap", "ya8")
    try:
        picture = Image.fromarray(frame.to_ndarray(format="rgba" if alpha else "rgb24"))
    except (ValueError, MemoryError) as error:  # FFmpeg's errors are ValueErrors too
        raise MediaError(path, f"has frames of a pixel format that is not read ({frame.format.name})") from error
    turns = round(frame.rotation / 90) % 4
    if turns:
        turn = (Image.Transpose.ROTATE_90, Image.Transpose.ROTATE_180, Image.Transpose.ROTATE_270)[turns - 1]
        picture = picture.transpose(turn)
        aspect = 1 / aspect if turns % 2 else aspect
    return picture, aspect


def _video_stream(path: Path, box: Any) -> Any:
    streams = [s for s in box.streams.video if not s.disposition & Disposition.attached_pic]
    if not streams:
        cut = missing_bytes(path)
        raise MediaError(path, f"is cut short: {cut} bytes are missing" if cut else "holds no video stream")
    stream = streams[0]
    if stream.codec_context is None:
        raise MediaError(path, "is damaged, or its video uses a codec that is not known")
    _check_size(path, stream.codec_context.width, stream.codec_context.height)
    return stream


def _decode(path: Path, box: Any, stream: Any) -> Iterator[av.VideoFrame]:
    for packet in box.demux(stream):
        if packet.is_corrupt:
            raise MediaError(path, "is cut short or damaged: a packet of its video stream is incomplete")
        for frame in packet.decode():
            _check_size(path, frame.width, frame.height)
            yield frame


def _check_size(path: Path, width: int, height: int) -> None:
    if width * height > MAX_VIDEO_PIXELS:
        limit = f"{MAX_VIDEO_PIXELS / 1e6:.0f} megapixels"
        raise MediaError(path, f"has frames of {width}x{height} pixels; at most {limit} are allowed")


def _check_complete(path: Path, box: Any, stream: Any, end: float | None) -> None:
    """At the end of the stream: was this its end, or only the file's?"""
    cut = missing_bytes(path)
    if cut:
        raise MediaError(path, f"is cut short: {cut} bytes are missing")
    if end is None:
        raise MediaError(path, "holds no decodable video frame")
    promised = box.duration / av.time_base if box.duration and len(box.streams) == 1 else 0.0
    if stream.duration is None and end < 0.9 * promised - 0.5:
        raise MediaError(path, f"is cut short: its header promises {promised:.1f} s of video, {end:.1f} s are there")


@contextmanager
def _reported(path: Path) -> Iterator[None]:
    try:
        yield
    except MediaError:
        raise
    except (av.error.FFmpegError, MemoryError, OverflowError, ZeroDivisionError, IndexError, UnicodeError) as error:
        cut = missing_bytes(path)
        reason = f"is cut short: {cut} bytes are missing" if cut else f"is damaged or no video ({_short(error)})"
        raise MediaError(path, reason) from error


def _short(error: BaseException) -> str:
    if isinstance(error, UnicodeError):
        return "garbled names in its header"
    return (getattr(error, "strerror", None) or str(error) or type(error).__name__).lower()
