# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Large arrays ask for their room before they are written."""

import errno
import os
from pathlib import Path

import numpy as np
import pytest

from hf_vdrep.training.disk_arrays import new_array


def test_the_whole_room_is_taken_at_once(tmp_path: Path):
    """Of a sparse file, blocks would come with the writing."""
    array = new_array(tmp_path / "a.npy", np.uint8, (64, 1024, 16))
    assert (tmp_path / "a.npy").stat().st_blocks * 512 >= array.nbytes
    array[:] = 7
    array.flush()
    assert (np.load(tmp_path / "a.npy") == 7).all()


def test_a_full_disk_is_an_error_and_leaves_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "posix_fallocate", full)
    with pytest.raises(OSError, match="No space left"):
        new_array(tmp_path / "a.npy", np.float32, (8,))
    assert list(tmp_path.iterdir()) == []
