# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""The folder of uploads: this server's alone, so that whatever is left in it may be deleted."""

import atexit
import contextlib
import os
import shutil
import tempfile
import threading
import time
from pathlib import Path

KEPT = 3600.0
"""Seconds after which a file goes that no comparison asked for, such as an upload that was cut."""
_EVERY = 300.0
_VARIABLE = "GRADIO_TEMP_DIR"
_claimed: set[str] = set()
_lock = threading.Lock()


def claim_upload_folder() -> Path:
    """Have gradio keep uploads in a new folder, once in a process; it is emptied as time goes by, and goes with it.

    By itself gradio shares one folder between all its programs, and never deletes what a cut upload left there.
    """
    with _lock:
        known = os.environ.get(_VARIABLE, "")
        if known in _claimed:
            return Path(known)
        if known:
            Path(known).mkdir(parents=True, exist_ok=True)
        folder = tempfile.mkdtemp(prefix="hf-vdrep-uploads-", dir=known or None)
        _claimed.add(folder)
        os.environ[_VARIABLE] = folder
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    threading.Thread(target=_keep_clean, args=(Path(folder),), daemon=True).start()
    return Path(folder)


def sweep(folder: Path, age: float) -> None:
    """Delete what nobody has written to for `age` seconds, at any depth, and the folders that are empty then."""
    oldest = time.time() - age
    for path in sorted(folder.rglob("*"), reverse=True):  # what is in a folder comes before it
        with contextlib.suppress(OSError):
            if path.lstat().st_mtime > oldest:
                continue
            if path.is_dir() and not path.is_symlink():
                path.rmdir()
            else:
                path.unlink()


def _keep_clean(folder: Path) -> None:
    while folder.is_dir():
        sweep(folder, KEPT)
        time.sleep(_EVERY)
