# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Links from one shipped model to another: the twins' one tokenizer."""

from pathlib import Path

import pytest

from hf_vdrep.hub.folder_files import files_of
from hf_vdrep.hub.safety import UnsafePush
from hf_vdrep.models import shipped

TOKENIZER = "vae/diffusion_pytorch_model.safetensors"


def test_both_twins_are_pushed_with_the_tokenizer_itself():
    weights = {file.path: file for file in files_of(shipped.path("i-walt"))}[TOKENIZER]
    assert weights.read() == (shipped.path("v-walt") / TOKENIZER).read_bytes()


def test_a_folder_elsewhere_may_not_link_to_a_shipped_model(tmp_path: Path):
    (tmp_path / "model.safetensors").symlink_to(shipped.path("v-walt") / TOKENIZER)
    with pytest.raises(UnsafePush, match="outside its folder"):
        files_of(tmp_path)


def test_a_shipped_model_may_not_link_to_what_is_not_shipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(shipped, "ROOT", tmp_path / "shipped")
    (tmp_path / "shipped" / "twin").mkdir(parents=True)
    (tmp_path / "secret").write_bytes(b"mine")
    (tmp_path / "shipped" / "twin" / "model.safetensors").symlink_to(tmp_path / "secret")
    with pytest.raises(UnsafePush, match="outside its folder"):
        files_of(tmp_path / "shipped" / "twin")
