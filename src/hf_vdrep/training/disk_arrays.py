# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Arrays written through a memory map, on disk space that is reserved first."""

import errno
import os
from pathlib import Path
from typing import Any

import numpy as np

# What file systems say that cannot reserve room.
_UNKNOWN = {errno.EOPNOTSUPP, errno.ENOTSUP, errno.EINVAL, errno.ENOSYS}


def new_array(path: Path, dtype: Any, shape: tuple[int, ...]) -> np.memmap:
    """A new .npy file, writable through a memory map.

    Raises:
        OSError: the disk has no room for all of it; no file is left. Later, writing to the map would be a bus error.
    """
    array = np.lib.format.open_memmap(path, mode="w+", dtype=dtype, shape=shape)
    if hasattr(os, "posix_fallocate"):
        try:
            with open(path, "r+b") as file:
                os.posix_fallocate(file.fileno(), 0, path.stat().st_size)
        except OSError as error:
            if error.errno in _UNKNOWN:
                return array
            path.unlink(missing_ok=True)
            raise
    return array
