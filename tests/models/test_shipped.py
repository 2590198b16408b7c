# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""The models that come with the package."""

import shutil
from pathlib import Path

import pytest

from hf_vdrep.models import WaltPipeline, shipped


def test_a_name_leads_to_its_folder(saved: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(shipped, "ROOT", tmp_path)
    for name in shipped.PAIR:
        shutil.copytree(saved, tmp_path / name)
    assert shipped.names() == ["i-walt", "v-walt"]
    assert shipped.path("v-walt") == tmp_path / "v-walt"
    pair = shipped.load_pair()
    assert list(pair) == ["i-walt", "v-walt"] and all(isinstance(p, WaltPipeline) for p in pair.values())


def test_an_unknown_name_lists_the_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(shipped, "ROOT", tmp_path)
    with pytest.raises(ValueError, match=r"name must be one of the shipped models \(none found\), got 'x'"):
        shipped.path("x")
