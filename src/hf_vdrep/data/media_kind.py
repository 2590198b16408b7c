# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""What a file is, decided by its first bytes: names lie, and a decoder that guesses can be led to other files."""

from pathlib import Path

EXPECTED = "a photo (jpg, png, webp, gif, bmp) or a video (mp4, mov, webm, mkv, avi)"

_PHOTOS = {b"\xff\xd8\xff": "JPEG", b"\x89PNG\r\n\x1a\n": "PNG", b"GIF8": "GIF", b"BM": "BMP"}
_MP4_BOXES = {b"ftyp", b"moov", b"mdat", b"free", b"skip", b"wide", b"pnot"}
_STILL_BRANDS = {b"heic", b"heix", b"hevc", b"heim", b"mif1", b"msf1", b"avif", b"avis"}


class MediaError(ValueError):
    """A file that cannot be read as a photo or a video; the message names the file and the reason on one line."""

    def __init__(self, path: str | Path, reason: str) -> None:
        super().__init__(f"{path} {' '.join(reason.split())}")


def sniff(path: Path) -> str:
    """Name the format of `path` from its content.

    Returns:
        A Pillow format ("JPEG", "PNG", "GIF", "WEBP", "BMP") or an FFmpeg demuxer ("mp4", "matroska", "avi").

    Raises:
        MediaError: missing, a folder or device, unreadable, empty, or none of the formats above.
    """
    head = _head(path)
    for magic, name in _PHOTOS.items():
        if head.startswith(magic):
            return name
    if head[:4] == b"RIFF" and head[8:12] in (b"WEBP", b"AVI "):
        return "WEBP" if head[8:12] == b"WEBP" else "avi"
    if head.startswith(b"\x1a\x45\xdf\xa3"):
        return "matroska"
    if head[4:8] == b"ftyp" and head[8:12] in _STILL_BRANDS:
        raise MediaError(path, f"is a {head[8:12].decode()} still, which is not read; convert it to jpg or png")
    if head[4:8] in _MP4_BOXES:
        return "mp4"
    raise MediaError(path, f"is neither {EXPECTED.replace(' or ', ' nor ')}: it begins with {head[:8]!r}")


def _head(path: Path) -> bytes:
    if path.is_dir():
        raise MediaError(path, f"is a folder; expected {EXPECTED}")
    if not path.exists():
        raise MediaError(path, f"does not exist; expected {EXPECTED}")
    if not path.is_file():
        raise MediaError(path, "is not a regular file")
    try:
        with path.open("rb") as file:
            head = file.read(16)
    except OSError as error:
        raise MediaError(path, f"cannot be read: {error.strerror}") from error
    if not head:
        raise MediaError(path, f"is empty (0 bytes); expected {EXPECTED}")
    return head
