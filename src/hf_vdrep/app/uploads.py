# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Visitors' uploads: each is decoded once and its file deleted at once; pixels alone are kept, in memory, for a
while."""

import contextlib
from pathlib import Path
from typing import Any

import gradio as gr

from ..data.untrusted import UploadError
from .footage import Footage, open_upload
from .memo import Memory


class Uploads:
    """Decoded uploads by the place where the server received them.

    That place holds a hash of the content, so that nobody comes upon another visitor's.

    Args:
        max_megabytes: largest file.
        kept: uploads that are remembered.
    """

    def __init__(self, max_megabytes: int, kept: int = 16) -> None:
        self._max_megabytes = max_megabytes
        self._kept = Memory(kept)

    def open(self, path: Any) -> Footage:
        """A visitor's photo or video; nothing of it is on disk afterwards, whether it can be shown or not.

        Raises:
            UploadError: it cannot be shown, or is no longer remembered.
        """
        folder = upload_folder()
        if not isinstance(path, str) or not path:
            return open_upload(path, self._max_megabytes, folder)
        try:
            return self._kept.get(path, lambda: open_upload(path, self._max_megabytes, folder))
        except UploadError as error:
            # Another call for the same file may have decoded and deleted it meanwhile.
            found = self._kept.peek(path)
            if found is not None:
                return found
            if error.reason == "unreadable" and lies_in(Path(path), folder):
                raise UploadError("forgotten", "Your upload is no longer kept here; please choose it again.") from None
            raise
        finally:
            forget_file(path, folder)

    def forget(self, path: Any) -> None:
        """Delete a file that came along with a question about something else."""
        if isinstance(path, str) and path:
            forget_file(path, upload_folder())


def make_upload(**options: Any) -> gr.File:
    """A field for a file whose value is the path where the server received it.

    gradio's own leaves an empty file behind whenever it hands a path on, fetches what a caller names by an address,
    of any size, and answers a wrong ending without asking us, so that the file stays.
    """
    field = gr.File(**options)

    def path_of(payload: Any) -> str | None:
        return None if payload is None else str(payload.path)

    async def as_named(path: str) -> str:
        return path

    setattr(field, "preprocess", path_of)  # noqa: B010  of this field alone; a subclass would write a .pyi beside us
    setattr(field, "async_move_resource_to_block_cache", as_named)  # noqa: B010
    return field


def upload_folder() -> Path:
    """Where gradio keeps uploads."""
    from gradio.utils import get_upload_folder

    return Path(get_upload_folder())


def forget_file(path: str, folder: Path) -> None:
    """Delete a file of the folder of uploads, and its own folder if that is empty then; others are left alone."""
    with contextlib.suppress(OSError, ValueError):
        file = Path(path)
        if not lies_in(file, folder) or file.is_dir():
            return
        file.unlink(missing_ok=True)
        if file.parent.resolve() != folder.resolve():
            file.parent.rmdir()


def lies_in(path: Path, folder: Path) -> bool:
    """Whether a path is that of something directly or deeper in a folder, links on the way followed."""
    # The link itself is deleted, not what it points to: its folder decides.
    try:
        return path.parent.resolve().is_relative_to(folder.resolve()) and path.name not in ("", ".", "..")
    except (OSError, ValueError):
        return False
