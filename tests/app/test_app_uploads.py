# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Nothing of a visitor's upload stays on disk."""

import os
import shutil
import time
from pathlib import Path

import pytest

from hf_vdrep.app import uploads as module
from hf_vdrep.app.upload_folder import claim_upload_folder, sweep
from hf_vdrep.app.uploads import Uploads, forget_file, upload_folder
from hf_vdrep.data.untrusted import UploadError


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    found = tmp_path / "uploads"
    (found / "hash").mkdir(parents=True)
    monkeypatch.setattr(module, "upload_folder", lambda: found)
    return found


def test_an_upload_is_decoded_once_and_its_file_is_gone(folder: Path, mp4: Path):
    path = shutil.copy(mp4, folder / "hash" / "film.mp4")
    uploads = Uploads(32)
    footage = uploads.open(str(path))
    assert footage.frames.shape == (17, 64, 64, 3) and list(folder.iterdir()) == []
    assert uploads.open(str(path)) is footage


def test_a_refused_upload_is_deleted_too(folder: Path):
    path = folder / "hash" / "film.mp4"
    path.write_bytes(b"#!/bin/sh\n" * 9)
    with pytest.raises(UploadError, match="not a"):
        Uploads(32).open(str(path))
    assert list(folder.iterdir()) == []


def test_an_upload_that_is_no_longer_remembered_is_asked_for_again(folder: Path, mp4: Path):
    first, second = folder / "hash" / "a.mp4", folder / "other" / "b.mp4"
    second.parent.mkdir()
    uploads = Uploads(32, kept=1)
    for path in (first, second):
        shutil.copy(mp4, path)
        uploads.open(str(path))
    with pytest.raises(UploadError, match="choose it again"):
        uploads.open(str(first))


def test_a_failure_looks_for_what_another_visitor_has_had_decoded(folder: Path, mp4: Path):
    """Equal files share a place on the server: the second visitor's may be gone when it is opened."""
    path = str(shutil.copy(mp4, folder / "hash" / "film.mp4"))
    uploads = Uploads(32)
    footage = uploads.open(path)
    kept, uploads._kept = uploads._kept, Late(uploads._kept)  # type: ignore[assignment]
    assert uploads.open(path) is footage and kept.peek(path) is footage


class Late:
    """A memory that learns of an entry only after it was looked for."""

    def __init__(self, inner) -> None:
        self.peek = inner.peek

    def get(self, key, make):
        return make()


@pytest.mark.parametrize("name", ["outside.mp4", "uploads/../outside.mp4", "uploads/hash/../../outside.mp4"])
def test_files_elsewhere_are_neither_read_nor_deleted(folder: Path, tmp_path: Path, mp4: Path, name: str):
    outside = tmp_path / "outside.mp4"
    shutil.copy(mp4, outside)
    with pytest.raises(UploadError):
        Uploads(32).open(str(tmp_path / name))
    assert outside.exists()


def test_a_link_is_deleted_and_its_goal_stays(folder: Path, tmp_path: Path, mp4: Path):
    goal, link = tmp_path / "goal.mp4", folder / "hash" / "link.mp4"
    shutil.copy(mp4, goal)
    link.symlink_to(goal)
    with pytest.raises(UploadError):
        Uploads(32).open(str(link))
    assert goal.exists() and not link.is_symlink()


def test_forgetting_keeps_folders_and_what_else_is_in_them(folder: Path):
    (folder / "hash" / "one").write_text("1")
    (folder / "hash" / "two").write_text("2")
    for path in (folder / "hash" / "one", folder / "hash", folder, Path("nothing"), Path("\0")):
        forget_file(str(path), folder)
    assert [path.name for path in (folder / "hash").iterdir()] == ["two"]


def test_what_no_comparison_asked_for_goes_after_a_while(tmp_path: Path):
    """A cut upload, one that was never compared, and folders; what is new or being written stays."""
    old, new = time.time() - 100, tmp_path / "new"
    (tmp_path / "hash").mkdir()
    new.write_text("being written")
    (tmp_path / "link").symlink_to(new)
    for path in (tmp_path / "tmpcut", tmp_path / "hash" / "film.mp4"):
        path.write_text("left")
        os.utime(path, (old, old))
    os.utime(tmp_path / "hash", (old, old))
    sweep(tmp_path, 50)
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["hash", "link", "new"]  # its folder changed just now
    os.utime(tmp_path / "hash", (old, old))
    sweep(tmp_path, 50)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["link", "new"]


def test_the_folder_of_uploads_is_the_servers_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "asked"))
    mine = claim_upload_folder()
    assert mine.parent == tmp_path / "asked" and list(mine.iterdir()) == []
    assert oct(mine.stat().st_mode)[-3:] == "700" and claim_upload_folder() == mine
    monkeypatch.undo()
    assert upload_folder() != mine
