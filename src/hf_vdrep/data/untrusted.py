# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Photos and videos from strangers.

The file is checked by its kind, size, first bytes and name; then a fresh process, which can open no file and no socket,
decodes it within limits on memory and time. FFmpeg gets the container named, no protocol, and video decoders only, so
that no playlist, script or reference inside the file leads anywhere. Nothing is written. Needs Linux or macOS.

    try:
        frames = read_untrusted(upload)
    except UploadError as error:
        raise gr.Error(str(error))
"""

import math
import os
from dataclasses import dataclass
from pathlib import Path

import torch

from .sandbox_admission import admit
from .sandbox_process import decode_apart
from .sandbox_protocol import Outcome, Refused, Request

_MEGA = 1e6
EXPECTED = "a photo (jpg, png, webp, gif) or a video (mp4, mov, webm, mkv)"


@dataclass(frozen=True)
class UploadLimits:
    """What one upload may cost.

    Attributes:
        max_bytes: size of the file.
        max_pixels: width times height of a picture in it, at most 100,000,000.
        max_seconds: length of a video.
        timeout_seconds: wall time for decoding, in [1, 600]; the processor time is bounded by the same number.
        memory_bytes: address space of the decoding process, at least 400 MB.
    """

    max_bytes: int = 64_000_000
    max_pixels: int = 50_000_000
    max_seconds: float = 120.0
    timeout_seconds: float = 20.0
    memory_bytes: int = 2_000_000_000

    def __post_init__(self) -> None:
        for name in ("max_bytes", "max_pixels", "max_seconds"):
            if not 0 < getattr(self, name) < math.inf:
                raise ValueError(f"{name} must be a number above 0, got {getattr(self, name)}")
        if self.max_pixels > 100_000_000:
            raise ValueError(f"max_pixels must be at most 100,000,000, got {self.max_pixels}")
        if not 1 <= self.timeout_seconds <= 600:
            raise ValueError(f"timeout_seconds must lie in [1, 600], got {self.timeout_seconds}")
        if self.memory_bytes < 400_000_000:
            raise ValueError(f"memory_bytes must be at least 400,000,000, got {self.memory_bytes}")


class UploadError(ValueError):
    """An upload that is not shown; the message is a sentence for the person who made it, without names or paths.

    Attributes:
        reason: short name of the reason, for logs and tests ("too_long", "damaged", …).
    """

    def __init__(self, reason: str, sentence: str) -> None:
        super().__init__(sentence)
        self.reason = reason


DEFAULT_LIMITS = UploadLimits()


def read_untrusted(
    path: str | Path,
    *,
    num_frames: int = 17,
    resolution: int = 64,
    fps: float | None = 8.0,
    start: float = 0.0,
    crop: str = "center",
    limits: UploadLimits = DEFAULT_LIMITS,
    folder: str | Path | None = None,
) -> torch.Tensor:
    """Frames of an uploaded photo or video, sampled and fitted as `read_clip` does.

    Args:
        path: of the upload.
        num_frames: at most so many frames, in [1, 1025].
        resolution: side of the square, in pixels, in [1, 1024].
        fps: frames a second; None takes the file's own frames one after the other.
        start: seconds from the start of the file.
        crop: "center" fills the frame and cuts the overhang; "pad" shows everything on black.
        limits: what the upload may cost.
        folder: where uploads live; a path that leads elsewhere is refused. None: anywhere.

    Returns:
        uint8 (T, resolution, resolution, 3). A photo gives T = 1; a short video the largest 1 + 4k frames it has.

    Raises:
        UploadError: the upload is refused.
        ValueError: an argument is out of range.
    """
    _check(num_frames, resolution, fps, start, crop)
    try:
        file, kind = admit(path, limits.max_bytes, folder)
    except Refused as refusal:
        raise _error(refusal.outcome, limits) from None
    request = Request(
        kind, num_frames, resolution, crop, fps, start, limits.max_pixels, limits.max_seconds,
        math.ceil(limits.timeout_seconds), limits.memory_bytes,
    )  # fmt: skip
    try:
        outcome, pixels = decode_apart(file, request, limits.timeout_seconds)
    finally:
        os.close(file)
    if outcome is not Outcome.DONE:
        raise _error(outcome, limits)
    return torch.frombuffer(bytearray(pixels), dtype=torch.uint8).view(-1, resolution, resolution, 3)


def _error(outcome: Outcome, limits: UploadLimits) -> UploadError:
    sentences = {
        Outcome.DAMAGED: "The file is damaged: it cannot be decoded.",
        Outcome.NO_VIDEO: "The file holds no video, only sound or other data.",
        Outcome.NO_FRAMES: "The file holds no picture that can be shown.",
        Outcome.CODEC: "The video uses a codec that is not read here; H.264, HEVC, VP8, VP9 and AV1 are.",
        Outcome.TOO_MANY_PIXELS: f"The picture is too large: at most {limits.max_pixels / _MEGA:g} megapixels.",
        Outcome.TOO_LONG: f"The video is too long: at most {limits.max_seconds:g} seconds.",
        Outcome.MEMORY: "Decoding the file takes more memory than is allowed here.",
        Outcome.ENDS_BEFORE: "The video ends before the chosen start.",
        Outcome.TIMEOUT: f"Decoding the file takes more than the {limits.timeout_seconds:g} seconds allowed here.",
        Outcome.CRASHED: "The file cannot be decoded within the limits of this page.",
        Outcome.NOT_A_FILE: "The upload is not an ordinary file.",
        Outcome.UNREADABLE: "The upload cannot be opened.",
        Outcome.EMPTY: "The file is empty.",
        Outcome.TOO_BIG: f"The file is too big: at most {limits.max_bytes / _MEGA:g} MB.",
        Outcome.NOT_MEDIA: f"The file is not {EXPECTED}.",
        Outcome.WRONG_NAME: "The ending of the file's name does not fit its content.",
        Outcome.CUT_SHORT: "The file is cut short: its end is missing.",
        Outcome.OUTSIDE: "The upload is not an ordinary file.",
    }
    return UploadError(outcome.name.lower(), sentences[outcome])


def _check(num_frames: int, resolution: int, fps: float | None, start: float, crop: str) -> None:
    if not 1 <= num_frames <= 1025:
        raise ValueError(f"num_frames must lie in [1, 1025], got {num_frames}")
    if not 1 <= resolution <= 1024:
        raise ValueError(f"resolution must lie in [1, 1024] pixels, got {resolution}")
    if fps is not None and not 0 < fps <= 1000:
        raise ValueError(f"fps must lie in (0, 1000] or be None, got {fps}")
    if not 0 <= start < math.inf:
        raise ValueError(f"start must be a time of at least 0 seconds, got {start}")
    if crop not in ("center", "pad"):
        raise ValueError(f'crop must be "center" or "pad", got {crop!r}')
