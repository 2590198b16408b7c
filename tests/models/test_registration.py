# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Both libraries find WALT after `import hf_vdrep`, in whatever order things are imported."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import hf_vdrep
from hf_vdrep.models.registration import register

OURS_FIRST = """
import sys
import hf_vdrep
assert not {"torch", "transformers", "diffusers"} & set(sys.modules)
from transformers import AutoConfig, AutoModel
assert AutoConfig.from_pretrained(path).model_type == "walt"
assert "hf_vdrep.models.modeling_walt" not in sys.modules
assert type(AutoModel.from_pretrained(path)).__name__ == "WaltModel"
from diffusers import DiffusionPipeline
assert type(DiffusionPipeline.from_pretrained(path)).__name__ == "WaltPipeline"
"""
THEIRS_FIRST = """
import sys
from diffusers import DiffusionPipeline
from transformers import AutoConfig, AutoModel
AutoModel.from_config
import hf_vdrep
assert "hf_vdrep.models.modeling_walt" not in sys.modules
assert type(DiffusionPipeline.from_pretrained(path)).__name__ == "WaltPipeline"
assert type(AutoModel.from_pretrained(path)).__name__ == "WaltModel"
"""


@pytest.mark.parametrize("script", [OURS_FIRST, THEIRS_FIRST], ids=["ours_first", "theirs_first"])
def test_the_order_of_imports_does_not_matter(script: str, saved: Path):
    environment = os.environ | {"OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"}
    command = [sys.executable, "-c", f"path = {str(saved)!r}\n{script}"]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 0, done.stderr


def test_diffusers_serves_our_names_and_still_refuses_unknown_ones():
    import diffusers

    assert diffusers.WaltPipeline is hf_vdrep.WaltPipeline
    assert diffusers.DDIMScheduler.__name__ == "DDIMScheduler"
    with pytest.raises(AttributeError, match="NoSuchPipeline"):
        _ = diffusers.NoSuchPipeline


def test_registering_twice_changes_nothing():
    import diffusers

    before = vars(diffusers)["__getattr__"]
    register()
    assert vars(diffusers)["__getattr__"] is before


def test_auto_classes_list_us_without_trouble():
    """Code that walks the registries (pipelines, documentation) meets the class itself."""
    from transformers import MODEL_MAPPING

    assert hf_vdrep.WaltConfig in MODEL_MAPPING
    assert hf_vdrep.WaltModel in list(MODEL_MAPPING[hf_vdrep.WaltConfig])


def test_saving_a_registered_model_copies_no_code(tmp_path: Path, saved: Path):
    """ecosystem note §1: copying nested package code would break save_pretrained."""
    hf_vdrep.WaltModel.register_for_auto_class()
    hf_vdrep.WaltModel.from_pretrained(saved).save_pretrained(tmp_path / "walt")
    shims = sorted(file.name for file in (tmp_path / "walt").rglob("*.py"))
    assert shims == ["hf_vdrep.py", "hf_vdrep.py", "hf_vdrep_shim.py"]
