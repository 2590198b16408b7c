# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Writing files that are either whole or not there."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import numpy as np
import torch
from PIL import Image


@contextmanager
def atomic_output(path: str | Path) -> Iterator[Path]:
    """A temporary name in the folder of `path`, moved to `path` when the block succeeds and deleted when it does not.

    The folder is made where needed. Interrupts count as failures.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{path.stem}-", suffix=path.suffix, dir=path.parent)
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        temporary.chmod(0o666 & ~umask())  # mkstemp's 0600 would hide the result from others
        os.replace(temporary, path)
    except BaseException:
        with suppress(OSError):
            temporary.unlink()
        raise


def write_png(path: str | Path, image: torch.Tensor | np.ndarray) -> None:
    """Write a uint8 (H, W, 3) or (H, W) picture, atomically."""
    array = np.asarray(image)
    if array.dtype != np.uint8 or not (array.ndim == 2 or (array.ndim == 3 and array.shape[2] == 3)):
        raise ValueError(f"image must be uint8 (H, W, 3) or (H, W), got {array.dtype} {array.shape}")
    with atomic_output(path) as temporary:
        Image.fromarray(array).save(temporary, format="PNG", optimize=True)


def umask() -> int:
    """Permissions that new files do not get; what `tempfile` makes private is given the rest."""
    mask = os.umask(0)
    os.umask(mask)
    return mask
