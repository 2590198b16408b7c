# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""What is refused before anything is sent."""

import io
import os
import pickle
import zipfile
from pathlib import Path

import pytest

from hf_vdrep.hub.folder_files import files_of
from hf_vdrep.hub.plan import PlannedFile, make_plan
from hf_vdrep.hub.safety import Limits, UnsafePush, check_plan


def plan_of(*files: PlannedFile, kind: str = "model"):
    return make_plan(files, kind=kind, repo_id="me/thing", repo_type=kind, message="x")


def zipped_pickle() -> bytes:
    """What `torch.save` writes, whatever it is called."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr("archive/data.pkl", b"\x80\x02.")
    return target.getvalue()


@pytest.mark.parametrize("name", ["model.pt", "a/pytorch_model.bin", "x.pkl", "x.ckpt", "y.JOBLIB", "z.npy"])
def test_names_of_pickles_are_refused(name: str):
    with pytest.raises(UnsafePush, match="safetensors"):
        check_plan(plan_of(PlannedFile(name, b"harmless")))


@pytest.mark.parametrize("protocol", range(2, 6))
def test_pickles_under_other_names_are_refused(protocol: int):
    with pytest.raises(UnsafePush, match="holds a pickle"):
        check_plan(plan_of(PlannedFile("data.txt", pickle.dumps({"a": 1}, protocol))))
    with pytest.raises(UnsafePush, match="holds a pickle"):
        check_plan(plan_of(PlannedFile("model.safetensors.old", zipped_pickle())))


@pytest.mark.parametrize("name", [".env", "config/.env.local", "id_rsa", "server.pem", "credentials.json", ".netrc"])
def test_names_of_secrets_are_refused(name: str):
    with pytest.raises(UnsafePush, match="looks like a secret"):
        check_plan(plan_of(PlannedFile(name, b"x")))


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("token: hf_" + "a" * 34, "a Hugging Face token"),
        ("AKIA" + "A" * 16, "an AWS key"),
        ("-----BEGIN OPENSSH PRIVATE" + " KEY-----", "a private key"),
        ("ghp_" + "b" * 36, "a GitHub token"),
        ("data_root: https://user:hunter22@files.example/x", "an address with a password"),
    ],
)
def test_secrets_in_text_are_refused_and_not_repeated(text: str, what: str):
    with pytest.raises(UnsafePush, match=what) as caught:
        check_plan(plan_of(PlannedFile("training/config.yaml", text.encode())))
    assert text not in str(caught.value)


def test_hashes_and_paths_are_no_secrets():
    text = "hf_vdrep_shim.WaltForVideoClassification 46bb63cb37ca https://huggingface.co/me/x@main sk-learn"
    check_plan(plan_of(PlannedFile("config.json", text.encode())))


@pytest.mark.parametrize("path", ["../x", "/etc/passwd", "a/../../x", "a//b", ".git/config", "a\\b", ""])
def test_paths_that_leave_the_repository_are_refused(path: str):
    with pytest.raises(UnsafePush, match="inside the repository"):
        check_plan(plan_of(PlannedFile(path, b"x")))


def test_limits_name_what_came():
    file = PlannedFile("a.txt", b"x" * 100)
    with pytest.raises(UnsafePush, match=r"a\.txt must not be larger than 10 B, got 100 B"):
        check_plan(plan_of(file), Limits(file=10))
    with pytest.raises(UnsafePush, match="Space takes at most 10 B"):
        check_plan(plan_of(file, kind="space"), Limits(space=10))
    with pytest.raises(UnsafePush, match="at most 1 files, got 2"):
        check_plan(plan_of(file, PlannedFile("b", b"")), Limits(files=1))
    with pytest.raises(UnsafePush, match="got none"):
        check_plan(plan_of())


def test_a_folder_is_taken_whole_without_caches(tmp_path: Path):
    for name in ("a.json", "sub/b.txt", "__pycache__/c.pyc", ".git/config", "sub/.a.part", ".eval_results/x.yaml"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("x")
    assert [file.path for file in files_of(tmp_path)] == [".eval_results/x.yaml", "a.json", "sub/b.txt"]
    assert files_of(tmp_path, "below")[1].path == "below/a.json"


def test_links_out_of_a_folder_are_refused(tmp_path: Path):
    (tmp_path / "secret").write_text("s")
    folder = tmp_path / "folder"
    (folder / "inside").mkdir(parents=True)
    (folder / "a").write_text("a")
    (folder / "b").symlink_to(folder / "a")
    assert [file.path for file in files_of(folder)] == ["a", "b"]
    (folder / "c").symlink_to(tmp_path / "secret")
    with pytest.raises(UnsafePush, match="outside its folder"):
        files_of(folder)
    (folder / "c").unlink()
    (folder / "d").symlink_to(tmp_path, target_is_directory=True)
    with pytest.raises(UnsafePush, match="outside its folder"):
        files_of(folder)


def test_a_snapshot_of_the_cache_can_be_pushed_again(tmp_path: Path):
    """Its files are links into the cache's blobs."""
    blobs, snapshot = tmp_path / "models--me--x" / "blobs", tmp_path / "models--me--x" / "snapshots" / "abc"
    blobs.mkdir(parents=True)
    snapshot.mkdir(parents=True)
    (blobs / "1").write_text("{}")
    (snapshot / "config.json").symlink_to(blobs / "1")
    assert files_of(snapshot)[0].read() == b"{}"


def test_links_into_the_cache_of_another_model_are_refused(tmp_path: Path):
    """`blobs` of the same repository alone: another may be private."""
    mine, other = (tmp_path / name / "blobs" for name in ("models--me--x", "models--me--private"))
    snapshot = tmp_path / "models--me--x" / "snapshots" / "abc"
    for folder in (mine, other, snapshot):
        folder.mkdir(parents=True)
    (other / "1").write_text("{}")
    (snapshot / "config.json").symlink_to(other / "1")
    with pytest.raises(UnsafePush, match="outside its folder"):
        files_of(snapshot)


def test_pipes_are_refused_instead_of_waited_for(tmp_path: Path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(UnsafePush, match="pipe must be a file, got a pipe"):
        files_of(tmp_path)


def test_what_git_ignores_stays_here(tmp_path: Path):
    """The Hub would leave such files out of the commit by itself, after they were listed."""
    (tmp_path / ".gitignore").write_text(
        "# local\n*.log\n/root.txt\nprivate/\n!keep.log\n docs/*.tmp \nda?a.[ch]\na/**/z\n\\#odd\n"
    )
    kept = ["keep.log", "sub/root.txt", "data.x", "sub/private.txt", "deep/docs/x.tex"]
    gone = ["a.log", "sub/b.log", "root.txt", "private/a.txt", "sub/private/b.txt", "data.c", "a/z", "a/b/c/z", "#odd"]
    for name in (*kept, *gone):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("x")
    assert [file.path for file in files_of(tmp_path)] == sorted(kept)


@pytest.mark.parametrize("path", ["a\nb", "a\x00b", "caf\udce9", "sub/.GIT/config"])
def test_names_that_no_client_can_check_out_are_refused(path: str):
    with pytest.raises(UnsafePush, match="inside the repository"):
        check_plan(plan_of(PlannedFile(path, b"x")))
