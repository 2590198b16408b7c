# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""The configs for `accelerate launch` by Accelerate's own parser, and the blocks that they name."""

import shutil
import subprocess
from pathlib import Path

import pytest
import yaml
from accelerate.commands.config.config_args import load_config_from_file

import hf_vdrep.models.walt_blocks as blocks
from hf_vdrep.models import WaltTransformer3DModel

SCRIPTS = Path(__file__).parents[2] / "scripts"
CONFIGS = sorted((SCRIPTS / "accelerate_configs").glob("*.yaml"))
WANTED = {"cpu", "one_gpu", "ddp", "fsdp2", "deepspeed_zero2", "deepspeed_zero3", "multi_node"}


def test_every_way_to_train_has_its_config():
    assert {path.stem for path in CONFIGS} == WANTED


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_accelerate_reads_it(path: Path):
    """Its parser refuses keys that it does not know."""
    kinds = {"cpu": "NO", "one_gpu": "NO", "ddp": "MULTI_GPU", "fsdp2": "FSDP", "multi_node": "FSDP"}
    config = load_config_from_file(str(path))
    assert config.distributed_type == kinds.get(path.stem, "DEEPSPEED")
    assert config.num_processes % config.num_machines == 0
    assert config.use_cpu == (path.stem == "cpu")


@pytest.mark.parametrize("name", ["fsdp2", "multi_node"])
def test_fsdp_is_version_two_and_wraps_the_blocks_of_the_model(name: str):
    settings = yaml.safe_load((SCRIPTS / "accelerate_configs" / f"{name}.yaml").read_text())["fsdp_config"]
    wrapped = settings["fsdp_transformer_layer_cls_to_wrap"].split(",")
    assert settings["fsdp_version"] == 2 and settings["fsdp_state_dict_type"] == "FULL_STATE_DICT"
    assert wrapped == WaltTransformer3DModel._no_split_modules
    assert all(hasattr(blocks, block) for block in wrapped)


def test_the_slurm_script_is_bash_and_wraps_the_same_blocks():
    path = SCRIPTS / "slurm" / "train.sbatch"
    bash = shutil.which("bash")
    assert bash is not None
    subprocess.run([bash, "-n", str(path)], check=True)
    text = path.read_text()
    assert f"FSDP_TRANSFORMER_CLS_TO_WRAP={','.join(WaltTransformer3DModel._no_split_modules)}\n" in text
    assert "FSDP_VERSION=2" in text and "--signal=TERM@" in text
