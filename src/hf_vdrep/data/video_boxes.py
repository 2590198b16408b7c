# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Whether an MP4 or QuickTime file ends where its own box sizes say."""

import struct
from pathlib import Path


def missing_bytes(path: Path) -> int:
    """Bytes between the end of the file and the end of its last top-level box; 0 when complete or not an MP4.

    FFmpeg reads a file that was cut inside its media data without a word, up to the cut.
    """
    size = path.stat().st_size
    offset, boxes = 0, 0
    with path.open("rb") as file:
        while offset + 8 <= size and boxes < 10_000:
            file.seek(offset)
            head = file.read(16)
            (length,) = struct.unpack(">I", head[:4])
            if not head[4:8].isalnum():
                return 0
            if length == 1 and len(head) == 16:
                (length,) = struct.unpack(">Q", head[8:])
            elif length == 0:  # to the end of the file
                return 0
            if length < 8:
                return 0
            offset, boxes = offset + length, boxes + 1
    return max(0, offset - size)
