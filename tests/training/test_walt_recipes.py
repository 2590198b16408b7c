# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""The denoiser's recipes: settings that pass, twins that are twins, sizes as their headers say."""

import dataclasses
from pathlib import Path

import pytest
import torch

from hf_vdrep.models import AutoencoderWalt, WaltTransformer3DModel
from hf_vdrep.training.autoencoder_config import AutoencoderTrainConfig
from hf_vdrep.training.conditioned_task import step_flops
from hf_vdrep.training.config import load_config
from hf_vdrep.training.twins import check_twin
from hf_vdrep.training.walt_config import WaltTrainConfig

RECIPES = Path(__file__).parents[2] / "scripts" / "recipes"


def recipe(name: str) -> WaltTrainConfig:
    config = load_config(WaltTrainConfig, RECIPES / f"{name}.yaml")
    config.check()
    return config


@pytest.mark.parametrize(("name", "millions"), [("v-walt-small", 30.1), ("i-walt-small", 30.1), ("v-walt-l", 312.9)])
def test_sizes_and_flops_are_those_of_the_header(name, millions):
    """WALT Table 1 gives L 313M."""
    config = recipe(name)
    with torch.device("meta"):
        model = WaltTransformer3DModel(**config.model, objective=config.objective)
    assert sum(value.numel() for value in model.parameters()) / 1e6 == pytest.approx(millions, abs=0.05)
    spent = step_flops(config, model.config) * config.steps * config.batch_size
    assert f"{spent:.1e}".replace("e+", "e") + " FLOPs" in (RECIPES / f"{name}.yaml").read_text()


@pytest.mark.parametrize("size", ["tiny", "small"])
def test_the_pairs_are_twins(size):
    one, other = recipe(f"v-walt-{size}"), recipe(f"i-walt-{size}")
    check_twin(dataclasses.replace(other, twin_of=str(RECIPES / f"v-walt-{size}.yaml")))
    assert {one.objective, other.objective} == {"video", "image"}


@pytest.mark.parametrize("name", ["v-walt-small-motions", "v-walt-tiny-lora"])
def test_the_other_recipes_can_run(name):
    config = recipe(name)
    assert config.condition == "action_motion" or config.lora_rank == 8


def test_the_small_tokenizer_gives_the_small_pair_its_latents():
    config = load_config(AutoencoderTrainConfig, RECIPES / "tokenizer-small.yaml")
    config.check()
    with torch.device("meta"):
        vae = AutoencoderWalt(**config.model)
    assert config.resolution // vae.spatial_compression_ratio == 16 and vae.temporal_compression_ratio == 4
    assert sum(value.numel() for value in vae.parameters()) / 1e6 == pytest.approx(28.5, abs=0.1)
