# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Which uploads reach a decoder at all: regular files of bounded size whose first bytes and name agree."""

import os
import stat
from pathlib import Path

from .sandbox_protocol import Outcome, Refused
from .video_boxes import missing_bytes

_SUFFIXES = {
    "JPEG": {".jpg", ".jpeg", ".jpe", ".jfif"},
    "PNG": {".png", ".apng"},
    "GIF": {".gif"},
    "WEBP": {".webp"},
    "mov": {".mp4", ".m4v", ".mov", ".qt"},
    "matroska": {".webm", ".mkv"},
}
_STILL_BRANDS = {b"heic", b"heix", b"hevc", b"heim", b"mif1", b"msf1", b"avif", b"avis"}
_BOXES = {b"ftyp", b"moov", b"mdat", b"free", b"skip", b"wide"}


def admit(path: str | Path, max_bytes: int, folder: str | Path | None = None) -> tuple[int, str]:
    """Open an upload without following a link, and name its format.

    Args:
        path: of the upload.
        max_bytes: largest size.
        folder: where uploads live; a path that leads elsewhere is refused. None: anywhere.

    Returns:
        The file number, to be closed by the caller, at the beginning of the file; and a Pillow format in capitals or
        an FFmpeg demuxer.

    Raises:
        Refused: with the reason.
    """
    path = Path(path)
    _check_place(path, folder)
    file = _open(path)
    try:
        size = os.fstat(file).st_size
        if size > max_bytes:
            raise Refused(Outcome.TOO_BIG)
        kind = sniff_head(os.read(file, 16))
        if path.suffix and path.suffix.lower() not in _SUFFIXES[kind]:
            raise Refused(Outcome.WRONG_NAME)
        os.lseek(file, 0, os.SEEK_SET)
        if kind == "mov" and missing_bytes(Path(f"/dev/fd/{file}")):
            raise Refused(Outcome.CUT_SHORT)
    except BaseException:
        os.close(file)
        raise
    return file, kind


def sniff_head(head: bytes) -> str:
    """Format of a file that begins with `head`, 16 bytes where the file has them.

    Raises:
        Refused: empty, or no format of the list.
    """
    if not head:
        raise Refused(Outcome.EMPTY)
    for magic, kind in ((b"\xff\xd8\xff", "JPEG"), (b"\x89PNG\r\n\x1a\n", "PNG"), (b"\x1a\x45\xdf\xa3", "matroska")):
        if head.startswith(magic):
            return kind
    if head[:6] in (b"GIF87a", b"GIF89a"):
        return "GIF"
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "WEBP"
    if head[4:8] in _BOXES and head[8:12] not in _STILL_BRANDS:
        return "mov"
    raise Refused(Outcome.NOT_MEDIA)


def _check_place(path: Path, folder: str | Path | None) -> None:
    if folder is None:
        return
    try:
        inside = path.resolve().is_relative_to(Path(folder).resolve())
    except (OSError, ValueError, RuntimeError):
        inside = False
    if not inside:
        raise Refused(Outcome.OUTSIDE)


def _open(path: Path) -> int:
    try:
        # Opening a device can have effects, opening a pipe can wait: look first, and look again at what was opened.
        if not stat.S_ISREG(os.lstat(path).st_mode):
            raise Refused(Outcome.NOT_A_FILE)
        file = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except (OSError, ValueError) as error:  # ValueError: a zero byte in the name
        raise Refused(Outcome.UNREADABLE) from error
    if not stat.S_ISREG(os.fstat(file).st_mode):
        os.close(file)
        raise Refused(Outcome.NOT_A_FILE)
    return file
