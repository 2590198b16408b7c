# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""`trust_remote_code=True` in a fresh interpreter that never imports hf_vdrep by itself."""

import ast
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from diffusers import DiffusionPipeline
from diffusers.pipelines import pipeline_utils
from transformers import AutoModel

from hf_vdrep.models import WaltModel, WaltPipeline

DIFFUSERS = """
import sys
from diffusers import DiffusionPipeline
assert "hf_vdrep" not in sys.modules
try:
    DiffusionPipeline.from_pretrained(path)
    raise SystemExit("loaded without trust")
except ValueError as error:
    assert "trust_remote_code=True" in str(error), error
assert "hf_vdrep" not in sys.modules
pipeline = DiffusionPipeline.from_pretrained(path, trust_remote_code=True)
assert type(pipeline).__module__ == "hf_vdrep.models.pipeline_walt", type(pipeline)
assert type(pipeline.vae).__module__ == "hf_vdrep.models.autoencoder_walt"
pipeline.set_progress_bar_config(disable=True)
assert pipeline(num_frames=1, num_inference_steps=1, output_type="np").images.shape == (1, 32, 32, 3)
pipeline.save_pretrained(again)
assert type(DiffusionPipeline.from_pretrained(again)) is type(pipeline)
"""
TRANSFORMERS = """
import sys
from transformers import AutoConfig, AutoImageProcessor, AutoModel, AutoModelForDepthEstimation
assert "hf_vdrep" not in sys.modules
try:
    AutoConfig.from_pretrained(path, trust_remote_code=False)
    raise SystemExit("loaded without trust")
except ValueError as error:
    assert "trust_remote_code=True" in str(error), error
assert "hf_vdrep" not in sys.modules
assert AutoConfig.from_pretrained(path, trust_remote_code=True).model_type == "walt"
model = AutoModel.from_pretrained(path, trust_remote_code=True)
assert type(model).__module__ == "hf_vdrep.models.modeling_walt"
model.save_pretrained(again)
assert type(AutoModel.from_pretrained(again)) is type(model)
assert type(AutoImageProcessor.from_pretrained(path, trust_remote_code=True)).__name__ == "WaltImageProcessor"
head = AutoModelForDepthEstimation.from_pretrained(path, trust_remote_code=True)
assert type(head).__module__ == "hf_vdrep.heads.depth_estimation"
"""


@pytest.mark.parametrize("script", [DIFFUSERS, TRANSFORMERS], ids=["diffusers", "transformers"])
def test_a_folder_brings_the_names_of_its_classes(script: str, saved: Path, tmp_path: Path):
    environment = os.environ | {"OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1", "HF_MODULES_CACHE": str(tmp_path / "m")}
    names = f"path, again = {str(saved)!r}, {str(tmp_path / 'again')!r}\n"
    command = [sys.executable, "-c", names + script]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 0, done.stderr


def test_the_files_only_name_what_exists(saved: Path):
    """No code is copied: each file is a docstring, imports from this package, and a list of names."""
    import importlib

    shims = sorted(saved.rglob("*.py"))
    assert [shim.relative_to(saved).as_posix() for shim in shims] == [
        *("hf_vdrep_shim.py", "transformer/hf_vdrep.py", "vae/hf_vdrep.py")
    ]
    for shim in shims:
        text = shim.read_text()
        assert text.startswith("# Copyright 20")
        for node in ast.parse(text).body:
            assert isinstance(node, ast.Expr | ast.ImportFrom | ast.Assign)
            if isinstance(node, ast.ImportFrom):
                module = importlib.import_module(node.module or "")
                assert all(hasattr(module, alias.name) for alias in node.names)


def test_with_the_package_imported_no_file_is_run_and_no_trust_is_asked_for(saved: Path, monkeypatch: Any):
    def refuse(*_: Any, **__: Any) -> None:
        raise AssertionError("a file of the folder was run")

    monkeypatch.setattr("diffusers.utils.dynamic_modules_utils.get_class_in_module", refuse)
    monkeypatch.setattr("transformers.dynamic_module_utils.get_class_in_module", refuse)
    for trust in (False, True):
        assert type(DiffusionPipeline.from_pretrained(saved, trust_remote_code=trust)) is WaltPipeline
    assert type(AutoModel.from_pretrained(saved)) is WaltModel


def test_the_class_that_loads_wins_over_the_class_that_saved(saved: Path):
    """A folder names a pipeline, but any pipeline over its components may be asked for."""

    class Mine(WaltPipeline):
        pass

    assert type(Mine.from_pretrained(saved)) is Mine


def test_a_hub_repository_loads_like_the_folder(saved: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """diffusers lists a repository's files, chooses, and downloads; here from the folder, without a network."""
    from types import SimpleNamespace

    files = [file.relative_to(saved).as_posix() for file in saved.rglob("*") if file.is_file()]
    siblings = [SimpleNamespace(rfilename=file) for file in files]
    wanted: list[str] = []

    def snapshot(name: str, allow_patterns: list[str], **_: Any) -> str:
        wanted.extend(allow_patterns)
        return str(saved)

    monkeypatch.setattr(pipeline_utils, "model_info", lambda *_, **__: SimpleNamespace(siblings=siblings, sha="0"))
    monkeypatch.setattr(pipeline_utils, "hf_hub_download", lambda _, file, **__: str(saved / file))
    monkeypatch.setattr(pipeline_utils, "snapshot_download", snapshot)
    assert type(DiffusionPipeline.from_pretrained("me/walt", force_download=True)) is WaltPipeline
    assert {"hf_vdrep_shim.py", "vae/hf_vdrep.py", "transformer/hf_vdrep.py"} <= set(wanted)
