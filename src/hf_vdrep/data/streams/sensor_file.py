# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""ScanNet's `.sens` recordings (format of its SensReader, version 4)."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import Image

from .report import CorruptSample
from .scan_export import resized

_VERSION = 4
_JPEG, _ZLIB = 2, 1
_FRAME = struct.Struct("<16f4Q")  # camera to world, two time stamps, bytes of colour and of depth


class SensorFile:
    """Frames of a recording, found by their headers and read one at a time.

    Args:
        path: of the file.

    Raises:
        CorruptSample: another version or compression, or cut short.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            with path.open("rb") as file:
                self._header(file)
                self._frames(file)
        except struct.error as error:
            raise CorruptSample(f"{path} is cut short ({error})") from error

    def __len__(self) -> int:
        return len(self.offsets)

    def colour(self, frame: int, size: tuple[int, int]) -> np.ndarray:
        """uint8 (*size, 3)."""
        offset, length, _ = self.offsets[frame]
        try:
            with Image.open(io.BytesIO(self._bytes(offset, length)), formats=["JPEG"]) as image:
                return resized(np.asarray(image.convert("RGB")), size)
        except (OSError, SyntaxError) as error:
            raise CorruptSample(f"{self.path}, frame {frame}: colour is damaged ({error})") from error

    def depth(self, frame: int) -> np.ndarray:
        """float32 (H, W), metres."""
        offset, colour, length = self.offsets[frame]
        try:
            raw = zlib.decompress(self._bytes(offset + colour, length))
            values = np.frombuffer(raw, dtype="<u2").reshape(self.depth_size)
        except (zlib.error, ValueError) as error:
            raise CorruptSample(f"{self.path}, frame {frame}: depth is damaged ({error})") from error
        return values.astype(np.float32) / self.depth_shift

    def pose(self, frame: int) -> np.ndarray:
        """float32 (4, 4), camera to world."""
        return self.poses[frame]

    def _header(self, file: BinaryIO) -> None:
        (version,) = _unpack(file, "<I")
        if version != _VERSION:
            raise CorruptSample(f"{self.path} must be a .sens file of version {_VERSION}, got {version}")
        (length,) = _unpack(file, "<Q")
        file.seek(length, io.SEEK_CUR)
        matrices = np.array(_unpack(file, "<64f"), dtype=np.float32).reshape(4, 4, 4)
        self.intrinsics = matrices[2, :3, :3]  # colour, its extrinsics, depth, its extrinsics
        colour, depth = _unpack(file, "<2i")
        if (colour, depth) != (_JPEG, _ZLIB):
            raise CorruptSample(f"{self.path} must hold JPEG colour and zlib depth, got kinds {colour} and {depth}")
        _, _, width, height = _unpack(file, "<4I")
        self.depth_size = (height, width)
        (self.depth_shift,) = _unpack(file, "<f")
        (self.count,) = _unpack(file, "<Q")

    def _frames(self, file: BinaryIO) -> None:
        size = self.path.stat().st_size
        poses: list[np.ndarray] = []
        self.offsets: list[tuple[int, int, int]] = []
        for _ in range(self.count):
            values = _FRAME.unpack(file.read(_FRAME.size))
            poses.append(np.array(values[:16], dtype=np.float32).reshape(4, 4))
            colour, depth = values[18], values[19]
            self.offsets.append((file.tell(), colour, depth))
            if file.tell() + colour + depth > size:
                raise CorruptSample(f"{self.path} is cut short in frame {len(poses) - 1} of {self.count}")
            file.seek(colour + depth, io.SEEK_CUR)
        self.poses = poses

    def _bytes(self, offset: int, length: int) -> bytes:
        with self.path.open("rb") as file:
            file.seek(offset)
            return file.read(length)


def _unpack(file: BinaryIO, layout: str) -> tuple:
    return struct.unpack(layout, file.read(struct.calcsize(layout)))
