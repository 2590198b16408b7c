# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Photos and animated pictures through Pillow."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from PIL import Image, ImageOps

from .media_fit import over_white
from .media_kind import MediaError

MAX_PHOTO_PIXELS = 100_000_000
"""Larger pictures are refused before they are decoded: at this size one takes 300 MB."""

_ANIMATED = ("GIF", "WEBP", "PNG")
_DEFAULT_DURATION = 0.1  # what browsers give a frame that asks for 10 ms or less


def photo_frames(path: Path, file_format: str) -> Iterator[tuple[float, float, Image.Image]]:
    """Decode one picture after the other.

    Args:
        path: an existing file.
        file_format: the Pillow format it must have.

    Yields:
        (time in s, duration in s, RGB picture the right way up), one for a photo, all for an animation.

    Raises:
        MediaError: damaged, cut short, or more than `MAX_PHOTO_PIXELS`.
    """
    with _reported(path), _opened(path, file_format) as image:
        if image.width * image.height > MAX_PHOTO_PIXELS:
            raise MediaError(path, _too_large(image.width, image.height))
        if file_format not in _ANIMATED or not getattr(image, "is_animated", False):
            yield 0.0, 0.0, over_white(ImageOps.exif_transpose(image))
            return
        yield from _animation(image)


def _animation(image: Image.Image) -> Iterator[tuple[float, float, Image.Image]]:
    time = 0.0
    # A PNG may carry a fallback picture ahead of its animation.
    index = 1 if image.info.get("default_image") else 0
    while True:
        try:
            image.seek(index)
        except EOFError:
            return
        picture = over_white(image)  # decodes; WebP knows the duration only afterwards
        milliseconds = image.info.get("duration") or 0
        duration = milliseconds / 1000 if milliseconds > 10 else _DEFAULT_DURATION
        yield time, duration, picture
        time += duration
        index += 1


@contextmanager
def _opened(path: Path, file_format: str) -> Iterator[Image.Image]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)
        image = Image.open(path, formats=[file_format])
    with image:
        yield image


@contextmanager
def _reported(path: Path) -> Iterator[None]:
    try:
        yield
    except MediaError:
        raise
    except Image.DecompressionBombError as error:
        raise MediaError(path, f"is larger than the {MAX_PHOTO_PIXELS / 1e6:.0f} megapixels allowed") from error
    except Exception as error:  # Pillow's decoders raise a dozen kinds on hostile bytes
        raise MediaError(path, f"is damaged or cut short ({error})") from error


def _too_large(width: int, height: int) -> str:
    return f"is {width}x{height} pixels; at most {MAX_PHOTO_PIXELS / 1e6:.0f} megapixels are allowed"
