# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""The files of a folder, as a push takes them."""

import os
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path

from .ignored import NAME, Ignored
from .plan import PlannedFile
from .safety import UnsafePush, check_link

# Nobody's work: histories, caches, what was being written when something stopped.
_LEFT_OUT_FOLDERS = (".git", ".cache", "__pycache__", ".ipynb_checkpoints", ".mypy_cache", ".ruff_cache", ".gradio")
_LEFT_OUT = (NAME, ".DS_Store", "Thumbs.db", "*.pyc", "*.part", "*.tmp", "*.lock", "*.incomplete")


def files_of(folder: Path, below: str = "") -> list[PlannedFile]:
    """Every file below a folder, sorted; not caches, unfinished files, and what its `.gitignore` names.

    Args:
        folder: an existing folder.
        below: folder of the repository to put them into; its root by default.

    Raises:
        ValueError: no such folder.
        UnsafePush: a link that leaves the folder, or what is no file, such as a pipe.
    """
    if not folder.is_dir():
        raise ValueError(f"folder must exist, got {folder}")
    prefix = f"{below}/" if below else ""
    return [PlannedFile(f"{prefix}{file.relative_to(folder).as_posix()}", file) for file in sorted(_walk(folder))]


def _walk(folder: Path) -> Iterator[Path]:
    ignored = Ignored(folder)
    for here, folders, names in os.walk(folder, onerror=_refuse):
        inside = Path(here).relative_to(folder)
        left = [name for name in folders if name in _LEFT_OUT_FOLDERS or ignored((inside / name).as_posix(), True)]
        folders[:] = [name for name in folders if name not in left]
        links = [name for name in folders if (Path(here) / name).is_symlink()]
        for name in [*links, *names]:
            path = Path(here) / name
            if any(fnmatch(name, pattern) for pattern in _LEFT_OUT) or ignored((inside / name).as_posix()):
                continue
            if path.is_symlink():
                check_link(path, folder)  # refuses a linked folder too: os.walk would silently pass it by
            elif not path.is_file():
                raise UnsafePush(f"{path} must be a file, got a pipe, a socket or a device")
            yield path


def _refuse(error: OSError) -> None:
    """A folder that cannot be read would silently be left out."""
    raise error
