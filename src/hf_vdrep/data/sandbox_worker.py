# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""The decoding process: the upload is its standard input, pixels are its standard output, and there is nothing else.

It imports Pillow, PyAV and NumPy alone. Run by `sandbox_process`, never imported by the rest of the package.
"""

import errno
import importlib
import os
import pkgutil
import sys
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Any, BinaryIO, cast

import av
import numpy as np
from av.stream import Disposition
from PIL import Image

from .image import photo_frames
from .media_fit import fit, over_white
from .media_kind import MediaError
from .media_sampling import select_frames, settle_length
from .sandbox_limits import lock_down
from .sandbox_protocol import Outcome, Refused, Request, header
from .video import Decoded, to_picture

CODECS = frozenset({"av1", "h263", "h264", "hevc", "mjpeg", "mpeg4", "prores", "vp8", "vp9"})
_SHORTEST = 1e-3  # seconds; a film whose clock stands still shows one picture, not none
_DECODERS = CODECS | {"libdav1d", "libvpx", "libvpx-vp9"}
_PILLOW = ("WebPImagePlugin", "MpoImagePlugin", "TiffImagePlugin", "ExifTags")
_OPTIONS = {
    "protocol_whitelist": "",  # the file comes through standard input; no other may be named in it
    "codec_whitelist": ",".join(sorted(_DECODERS)),  # no subtitle or audio decoder runs
    "max_streams": "32",
}

Picture = Image.Image | Decoded


def main(text: str) -> int:
    """Decode standard input as the request `text` says, and write the answer to standard output."""
    request = Request.of(text)
    _import_all()
    Image.MAX_IMAGE_PIXELS = None  # `max_pixels` is checked instead
    av.logging.set_level(None)
    file = os.fdopen(0, "rb", buffering=0, closefd=False)
    lock_down(request.cpu_seconds, request.memory_bytes)
    try:
        frames = decode(cast(BinaryIO, file), request)
        _write(header(Outcome.DONE, len(frames), request.resolution))
        for frame in frames:
            _write(frame.tobytes())
    except Refused as refusal:
        _write(header(refusal.outcome))
    except Exception as error:  # hostile bytes raise a dozen kinds
        _write(header(Outcome.MEMORY if _out_of_memory(error) else Outcome.DAMAGED))
    return 0


def _import_all() -> None:
    """Both libraries import parts of themselves when they first meet a format, which is too late once locked down."""
    Image.preinit()
    for name in _PILLOW:
        importlib.import_module(f"PIL.{name}")
    for module in pkgutil.walk_packages(av.__path__, "av."):
        if module.name not in ("av.__main__", "av.datasets"):
            importlib.import_module(module.name)


def decode(file: BinaryIO, request: Request) -> list[np.ndarray]:
    """Frames on screen at `start`, `start + 1/fps`, …, each fitted: uint8 (resolution, resolution, 3).

    Raises:
        Refused: outside the limits, or nothing to see.
    """
    pictures = _photo(file, request) if request.kind.isupper() else _video(file, request)
    frames: list[np.ndarray] = []
    latest, distinct = None, 0
    for _, picture in select_frames(pictures, num_frames=request.num_frames, fps=request.fps, start=request.start):
        if picture is not latest:
            fitted = _fitted(picture, request)
            latest, distinct = picture, distinct + 1
        frames.append(fitted)
    if not frames:
        raise Refused(Outcome.ENDS_BEFORE if request.start else Outcome.NO_FRAMES)
    length = settle_length(len(frames) if distinct > 1 else 1, request.num_frames, "trim")
    return frames[:length] + frames[-1:] * max(0, length - len(frames))


def _photo(file: BinaryIO, request: Request) -> Iterator[tuple[float, float, Picture]]:
    with Image.open(file, formats=[request.kind]) as image:
        _check_size(image.width, image.height, request)
    file.seek(0)
    shown = photo_frames(cast(Any, file), request.kind)
    for index, (time, duration, picture) in enumerate(_unwrapped(shown)):
        still = index == 0 and duration == 0
        yield (request.start, _SHORTEST, picture) if still else (time, duration, picture)


def _unwrapped(pictures: Iterable) -> Iterator:
    try:
        yield from pictures
    except MediaError as error:
        raise error.__cause__ or error from None


def _video(file: BinaryIO, request: Request) -> Iterator[tuple[float, float, Picture]]:
    with av.open(file, "r", format=request.kind, options=_OPTIONS, metadata_errors="replace") as box:
        stream = _stream(box, request)
        origin = float((stream.start_time or 0) * stream.time_base)
        if request.start > 0:
            with suppress(av.error.FFmpegError, OverflowError):  # no index: decode from the beginning
                box.seek(int((request.start + origin) / stream.time_base), stream=stream)
        step = 1 / float(stream.average_rate or stream.guessed_rate or 25)
        aspect = float(stream.sample_aspect_ratio or 1)
        end = 0.0
        for frame in _frames(box, stream, request):
            time = end if frame.time is None else float(frame.time - origin)
            if time > request.max_seconds:
                raise Refused(Outcome.TOO_LONG)
            duration = float(frame.duration * frame.time_base) if frame.duration and frame.time_base else step
            duration = max(duration, _SHORTEST)
            end = time + duration
            yield time, duration, Decoded(frame, aspect)


def _stream(box: Any, request: Request) -> Any:
    streams = [stream for stream in box.streams.video if not stream.disposition & Disposition.attached_pic]
    if not streams:
        raise Refused(Outcome.NO_VIDEO)
    stream = streams[0]
    context = stream.codec_context
    if context is None or context.codec.canonical_name not in CODECS:
        raise Refused(Outcome.CODEC)
    _check_size(context.width, context.height, request)
    promised = [box.duration / av.time_base] if box.duration else []
    promised += [float(stream.duration * stream.time_base)] if stream.duration and stream.time_base else []
    if any(seconds > request.max_seconds for seconds in promised):
        raise Refused(Outcome.TOO_LONG)
    context.thread_count = 1
    return stream


def _frames(box: Any, stream: Any, request: Request) -> Iterator[av.VideoFrame]:
    for packet in box.demux(stream):
        if packet.is_corrupt:
            raise Refused(Outcome.DAMAGED)
        for frame in packet.decode():
            _check_size(frame.width, frame.height, request)
            yield frame


def _fitted(picture: Picture, request: Request) -> np.ndarray:
    aspect = 1.0
    if isinstance(picture, Decoded):
        picture, aspect = to_picture(cast(Any, "upload"), picture)
        picture = over_white(picture)
    if not 1 / 64 <= aspect <= 64 or min(picture.size) < 1:
        raise Refused(Outcome.DAMAGED)
    return fit(picture, (request.resolution, request.resolution), request.crop, aspect)


def _check_size(width: int, height: int, request: Request) -> None:
    if width * height > request.max_pixels:
        raise Refused(Outcome.TOO_MANY_PIXELS)


def _out_of_memory(error: BaseException) -> bool:
    causes = (error, error.__cause__, error.__context__)
    if any(isinstance(one, MemoryError) or getattr(one, "errno", None) == errno.ENOMEM for one in causes):
        return True
    return isinstance(error, OSError) and "memory" in str(error)  # Pillow's own words


def _write(data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(1, view) :]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
