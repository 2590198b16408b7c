# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""The configs for `accelerate launch` by Accelerate's own parser, and the blocks that they name."""

import shutil
import subprocess
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
import yaml
from accelerate.commands.config.config_args import load_config_from_file

import hf_vdrep.models.walt_blocks as blocks
from hf_vdrep.models import AutoencoderWalt, WaltTransformer3DModel
from hf_vdrep.training.loop_config import LoopConfig
from hf_vdrep.training.prepare import build, choose_units, make_accelerator
from hf_vdrep.training.zero import asked_stage

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


@pytest.mark.parametrize(
    ("asked", "chosen"),
    [
        (
            ["WaltFirstBlock", "WaltSpatialBlock", "WaltSpatiotemporalBlock"],
            ["WaltResnetBlock", "DepthToSpaceUpsampler"],
        ),
        (["WaltResnetBlock", "WaltSpatialBlock"], ["WaltResnetBlock"]),
        (None, ["WaltResnetBlock", "DepthToSpaceUpsampler"]),
    ],
)
def test_one_config_serves_every_training(asked, chosen):
    """Accelerate refuses a class that the model lacks: the tokenizer's blocks are not the denoiser's."""
    shape = {"latent_channels": 4, "block_out_channels": [8, 8, 8, 8], "layers_per_block": 0, "norm_num_groups": 4}
    plugin = SimpleNamespace(transformer_cls_names_to_wrap=asked)
    choose_units(plugin, AutoencoderWalt(**shape))
    assert plugin.transformer_cls_names_to_wrap == chosen


def test_micro_batches_are_the_trainings_own(tmp_path, monkeypatch):
    """`accelerate launch --gradient_accumulation_steps 4` would otherwise be read and ignored."""
    monkeypatch.setenv("ACCELERATE_GRADIENT_ACCUMULATION_STEPS", "4")
    config = LoopConfig(output_dir=str(tmp_path), batch_size=4, mixed_precision="no", cpu=True)
    model = torch.nn.Linear(2, 1)
    with pytest.raises(ValueError, match="of Accelerate must be 1, got 4; set accumulation=4"):
        build(config, model, model, make_accelerator(config))


def zero_stage(name, **changes):
    """What the trainings make of a DeepSpeed config, as Accelerate's plugin hands it on."""
    asked = yaml.safe_load((SCRIPTS / "accelerate_configs" / f"{name}.yaml").read_text())["deepspeed_config"]
    devices = {part: {"device": asked[f"{part}_device"]} for part in ("offload_optimizer", "offload_param")}
    plugin = SimpleNamespace(deepspeed_config={"zero_optimization": {"stage": asked["zero_stage"], **devices}})
    plugin.deepspeed_config["zero_optimization"].update(changes)
    return asked_stage(plugin, LoopConfig())


def test_zero_two_is_taken_and_three_refused():
    """tests/training/zero_training.py trains under both stages where DeepSpeed is installed."""
    assert zero_stage("deepspeed_zero2") == 2
    assert zero_stage("deepspeed_zero2", stage=1) == 1
    with pytest.raises(ValueError, match=r"zero_stage must be 1 or 2, got 3; fsdp2\.yaml divides the weights as well"):
        zero_stage("deepspeed_zero3")
    with pytest.raises(ValueError, match="offload_optimizer_device must be none, got cpu"):
        zero_stage("deepspeed_zero2", offload_optimizer={"device": "cpu"})


def test_deepspeed_that_is_not_installed_is_one_clear_line(tmp_path, monkeypatch):
    monkeypatch.setenv("ACCELERATE_USE_DEEPSPEED", "true")
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(ValueError, match="deepspeed must be installed for this Accelerate config"):
        make_accelerator(LoopConfig(output_dir=str(tmp_path), mixed_precision="no", cpu=True))


def test_the_slurm_script_is_bash_and_wraps_the_same_blocks():
    path = SCRIPTS / "slurm" / "train.sbatch"
    bash = shutil.which("bash")
    assert bash is not None
    subprocess.run([bash, "-n", str(path)], check=True)
    text = path.read_text()
    assert f"FSDP_TRANSFORMER_CLS_TO_WRAP={','.join(WaltTransformer3DModel._no_split_modules)}\n" in text
    assert "FSDP_VERSION=2" in text and "--signal=TERM@" in text
