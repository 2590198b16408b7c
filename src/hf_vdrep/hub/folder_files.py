# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""The files of a folder, as a push takes them."""

import os
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path

from .plan import PlannedFile
from .safety import check_link

# Nobody's work: histories, caches, what was being written when something stopped.
_LEFT_OUT_FOLDERS = (".git", ".cache", "__pycache__", ".ipynb_checkpoints", ".mypy_cache", ".ruff_cache", ".gradio")
_LEFT_OUT = (".DS_Store", "Thumbs.db", "*.pyc", "*.part", "*.tmp", "*.lock", "*.incomplete")


def files_of(folder: Path, below: str = "") -> list[PlannedFile]:
    """Every file below a folder, sorted, caches and unfinished files apart.

    Args:
        folder: an existing folder.
        below: folder of the repository to put them into; its root by default.

    Raises:
        ValueError: no such folder.
        UnsafePush: a link that leaves the folder.
    """
    if not folder.is_dir():
        raise ValueError(f"folder must exist, got {folder}")
    prefix = f"{below}/" if below else ""
    return [PlannedFile(f"{prefix}{file.relative_to(folder).as_posix()}", file) for file in sorted(_walk(folder))]


def _walk(folder: Path) -> Iterator[Path]:
    for here, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if name not in _LEFT_OUT_FOLDERS]
        links = [name for name in folders if (Path(here) / name).is_symlink()]
        for name in [*links, *names]:
            path = Path(here) / name
            if any(fnmatch(name, pattern) for pattern in _LEFT_OUT):
                continue
            if path.is_symlink():
                check_link(path, folder)  # refuses a linked folder too: os.walk would silently pass it by
            yield path
