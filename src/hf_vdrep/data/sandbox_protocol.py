# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""What the decoding process and its parent say to each other: a request in, a fixed header and raw pixels out.

The child handles hostile bytes, so nothing that it sends is believed: an outcome is a number from a closed list, never
a text, and the size of the pixels is checked against what was asked for.
"""

import json
import struct
from dataclasses import asdict, dataclass
from enum import IntEnum

HEADER = struct.Struct(">4sBIII")
MAGIC = b"VDR1"


class Outcome(IntEnum):
    """How the decoding of an upload ended."""

    DONE = 0
    DAMAGED = 1
    NO_VIDEO = 2
    NO_FRAMES = 3
    CODEC = 4
    TOO_MANY_PIXELS = 5
    TOO_LONG = 6
    MEMORY = 7
    ENDS_BEFORE = 8
    # Known to the parent only.
    TIMEOUT = 20
    CRASHED = 21
    NOT_A_FILE = 22
    UNREADABLE = 23
    EMPTY = 24
    TOO_BIG = 25
    NOT_MEDIA = 26
    WRONG_NAME = 27
    CUT_SHORT = 28
    OUTSIDE = 29


class Refused(Exception):
    """The decoding process gives the file up, for the reason `outcome`."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__(outcome.name)
        self.outcome = outcome


@dataclass(frozen=True)
class Request:
    """What to decode, and within which limits.

    Attributes:
        kind: a Pillow format in capitals, or an FFmpeg demuxer.
        num_frames: at most so many frames.
        resolution: side of the square, in pixels.
        crop: "center" or "pad".
        fps: frames a second; None takes the file's own frames one after the other.
        start: seconds from the start of the file.
        max_pixels: of one picture in the file.
        max_seconds: length of the video.
        cpu_seconds: processor time.
        memory_bytes: address space.
    """

    kind: str
    num_frames: int
    resolution: int
    crop: str
    fps: float | None
    start: float
    max_pixels: int
    max_seconds: float
    cpu_seconds: int
    memory_bytes: int

    def text(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def of(cls, text: str) -> "Request":
        return cls(**json.loads(text))

    @property
    def most_bytes(self) -> int:
        """Of the longest honest answer."""
        return HEADER.size + self.num_frames * self.resolution * self.resolution * 3


def header(outcome: Outcome, length: int = 0, resolution: int = 0) -> bytes:
    """The first bytes of an answer that holds `length` frames of `resolution` squared pixels."""
    return HEADER.pack(MAGIC, outcome, length, resolution, resolution)


def parse(answer: bytes, request: Request) -> tuple[Outcome, int]:
    """Outcome and number of frames of an answer; anything that is not exactly an honest answer counts as a crash."""
    if len(answer) < HEADER.size:
        return Outcome.CRASHED, 0
    magic, code, length, height, width = HEADER.unpack_from(answer)
    if magic != MAGIC or code not in iter(Outcome):
        return Outcome.CRASHED, 0
    if code != Outcome.DONE:
        return Outcome(code), 0
    size = request.resolution
    if not 1 <= length <= request.num_frames or (height, width) != (size, size):
        return Outcome.CRASHED, 0
    if len(answer) != HEADER.size + length * size * size * 3:
        return Outcome.CRASHED, 0
    return Outcome.DONE, length
