# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Checkpoints: whole or absent, verified, pruned."""

import hashlib
import json

import pytest
import torch

from hf_vdrep.training.checkpoint import (
    CheckpointError,
    list_checkpoints,
    load_checkpoint,
    mend_folder,
    resolve_resume,
    save_checkpoint,
)


def save(folder, step, keep=5, value=1.0):
    tensors = {"model": {"w": torch.full((4, 3), value)}, "rng-0": {"torch": torch.arange(3)}}
    return save_checkpoint(folder, step, tensors, {"note": "x"}, keep=keep)


def test_what_was_saved_is_loaded(tmp_path):
    tensors, state = load_checkpoint(save(tmp_path, 12, value=0.1))
    assert torch.equal(tensors["model"]["w"], torch.full((4, 3), 0.1))
    assert state == {"step": 12, "note": "x"}


def test_only_the_newest_are_kept(tmp_path):
    for step in (5, 10, 100):
        save(tmp_path, step, keep=2)
    assert [path.name for path in list_checkpoints(tmp_path)] == ["checkpoint-10", "checkpoint-100"]


def test_a_write_that_breaks_off_leaves_no_checkpoint(tmp_path):
    save(tmp_path, 1)
    with pytest.raises(TypeError):
        save_checkpoint(tmp_path, 2, {"model": {"w": torch.ones(2)}}, {"bad": object()}, keep=5)
    assert [path.name for path in list_checkpoints(tmp_path)] == ["checkpoint-1"]
    save(tmp_path, 2)
    assert resolve_resume(tmp_path, "auto") == tmp_path / "checkpoint-2"


def test_a_kill_between_the_two_renames_costs_no_checkpoint(tmp_path):
    """The old one of the same step is away, the new one has not taken its place; as SIGKILL leaves them."""
    save(tmp_path, 1)
    save(tmp_path, 2)
    for kept, moved in (("checkpoint-2", ".checkpoint-2.old"), ("checkpoint-1", ".checkpoint-3.part")):
        (tmp_path / kept).rename(tmp_path / moved)
    mend_folder(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["checkpoint-2"]
    load_checkpoint(tmp_path / "checkpoint-2")


def test_an_old_one_whose_place_is_taken_is_cleared_away(tmp_path):
    save(tmp_path, 2)
    save(tmp_path / "before", 2, value=3.0).rename(tmp_path / ".checkpoint-2.old")
    mend_folder(tmp_path)
    assert not (tmp_path / ".checkpoint-2.old").exists()
    assert float(load_checkpoint(tmp_path / "checkpoint-2")[0]["model"]["w"][0, 0]) == 1.0


@pytest.mark.parametrize("name", ["model.safetensors", "state.json", "rng-0.safetensors"])
def test_a_changed_byte_is_noticed(tmp_path, name):
    path = save(tmp_path, 3) / name
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(bytes(content))
    with pytest.raises(CheckpointError, match=f"damaged: {name}"):
        load_checkpoint(path.parent)


def test_a_truncated_or_missing_file_is_noticed(tmp_path):
    path = save(tmp_path, 3) / "model.safetensors"
    path.write_bytes(path.read_bytes()[:20])
    with pytest.raises(CheckpointError, match=r"model.safetensors has 20 bytes"):
        load_checkpoint(path.parent)
    path.unlink()
    with pytest.raises(CheckpointError, match=r"model.safetensors is missing"):
        load_checkpoint(path.parent)


@pytest.mark.parametrize(
    "content", ["", "[]", "{}", '{"files": 3}', '{"files": {"../../x": {"bytes": 1, "sha256": ""}}}']
)
def test_a_hostile_manifest_is_refused(tmp_path, content):
    path = save(tmp_path, 3)
    (path / "manifest.json").write_text(content)
    with pytest.raises(CheckpointError, match="checkpoint"):
        load_checkpoint(path)


def test_a_consistent_manifest_over_a_broken_tensor_file_is_refused(tmp_path):
    path = save(tmp_path, 3)
    (path / "model.safetensors").write_bytes(b"\xff" * 64)
    manifest = json.loads((path / "manifest.json").read_text())
    manifest["files"]["model.safetensors"] = {"bytes": 64, "sha256": hashlib.sha256(b"\xff" * 64).hexdigest()}
    (path / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(CheckpointError, match="cannot be read"):
        load_checkpoint(path)


def test_resume_none_will_not_mix_two_runs(tmp_path):
    assert resolve_resume(tmp_path, "none") is None
    assert resolve_resume(tmp_path, "auto") is None
    save(tmp_path, 3)
    with pytest.raises(CheckpointError, match="already holds checkpoint-3"):
        resolve_resume(tmp_path, "none")
    assert resolve_resume(tmp_path / "elsewhere", str(tmp_path)) == tmp_path / "checkpoint-3"
    with pytest.raises(CheckpointError, match="resume must be auto, none or a folder"):
        resolve_resume(tmp_path, str(tmp_path / "nothing"))
