# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Indices of shards in a model folder that somebody else wrote."""

import json
from pathlib import Path

import pytest

from hf_vdrep.models.folder import WEIGHTS_NAME, ModelFolderError, weights_of


@pytest.mark.parametrize("name", ["../outside.safetensors", "/etc/outside.safetensors", "a/../../b", "a\\..\\b"])
def test_an_index_cannot_lead_out_of_its_folder(tmp_path: Path, name: str):
    """A downloaded model could have a file of this machine read, and pushed on."""
    (tmp_path / "vae").mkdir()
    (tmp_path / "vae" / f"{WEIGHTS_NAME}.index.json").write_text(json.dumps({"weight_map": {"x": name}}))
    with pytest.raises(ModelFolderError, match="must name files of its folder, got "):
        weights_of(tmp_path, "vae")


@pytest.mark.parametrize("content", [{}, {"weight_map": ["x"]}, {"weight_map": {"x": 3}}])
def test_an_index_without_its_table_is_named(tmp_path: Path, content: dict):
    (tmp_path / "vae").mkdir()
    (tmp_path / "vae" / f"{WEIGHTS_NAME}.index.json").write_text(json.dumps(content))
    with pytest.raises(ModelFolderError, match="must map tensors to files in weight_map"):
        weights_of(tmp_path, "vae")
