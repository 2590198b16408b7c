# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Argument types and checks that several commands share."""

import argparse
import os
from pathlib import Path

from .failures import UsageError


def layer(text: str) -> int | float:
    """A block index ("8", "-1") or, with a point, a relative depth in (0, 1] ("0.67")."""
    try:
        return float(text) if "." in text else int(text)
    except ValueError:
        message = f"must be a block index or a relative depth in (0, 1], got {text!r}"
        raise argparse.ArgumentTypeError(message) from None


def layer_list(text: str) -> "list[int | float | str] | str":
    """ "all", or layers with commas between them: indices, relative depths, or names of blocks."""
    if text == "all":
        return text
    return [_layer_or_name(part.strip()) for part in text.split(",")]


def _layer_or_name(text: str) -> int | float | str:
    try:
        return layer(text)
    except argparse.ArgumentTypeError:
        if text and not text[0].isdigit() and text[0] != "-":
            return text
        raise


def timestep_list(text: str) -> list[int]:
    """Noise levels with commas between them."""
    return [whole(part.strip()) for part in text.split(",")]


def whole(text: str) -> int:
    """A whole number."""
    try:
        return int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"must be a whole number, got {text!r}") from None


def positive(text: str) -> int:
    """A whole number of at least 1."""
    value = whole(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"must be at least 1, got {value}")
    return value


def rate(text: str) -> float:
    """A number above 0."""
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"must be a number above 0, got {text!r}")
    return value


def check_folder(folder: Path, argument: str = "--output") -> None:
    """Fail before the work, not after it, where `folder` cannot be written to. It need not exist yet.

    Raises:
        UsageError: it, or the nearest folder above it that exists, is a file or closed to writing.
    """
    nearest = folder.absolute()
    while not nearest.exists() and nearest != nearest.parent:
        nearest = nearest.parent
    if not nearest.is_dir():
        raise UsageError(f"{argument} must be a folder that can be written to, got {folder}: {nearest} is a file")
    if not os.access(nearest, os.W_OK | os.X_OK):
        raise UsageError(f"{argument} must be a folder that can be written to, got {folder}: no permission")


def bars_off(quiet: bool) -> bool:
    """Whether progress bars are off, by `--quiet` or by the Hugging Face variable."""
    off = os.environ.get("HF_HUB_DISABLE_PROGRESS_BARS", "").upper()
    return quiet or off in {"1", "ON", "YES", "TRUE"}
