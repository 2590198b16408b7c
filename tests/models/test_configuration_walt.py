# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""The transformers configuration."""

import inspect
from pathlib import Path

import pytest

from hf_vdrep.models import WaltConfig, WaltTransformer3DModel


def test_config_survives_a_round_trip(tmp_path: Path):
    config = WaltConfig(transformer_config={"num_layers": 3}, vae_config={"latent_channels": 8}, timestep=50)
    config.save_pretrained(tmp_path)
    loaded = WaltConfig.from_pretrained(tmp_path)
    assert (loaded.transformer_config, loaded.timestep) == ({"num_layers": 3}, 50)
    assert WaltConfig.from_pretrained(tmp_path, timestep=100).timestep == 100


def test_sizes_follow_the_denoiser_and_its_defaults():
    defaults = {name: p.default for name, p in inspect.signature(WaltTransformer3DModel.__init__).parameters.items()}
    config = WaltConfig()
    assert config.num_hidden_layers == defaults["num_layers"]
    assert config.num_attention_heads == defaults["num_attention_heads"]
    assert config.hidden_size == defaults["num_attention_heads"] * defaults["attention_head_dim"]
    assert WaltConfig(transformer_config={"num_attention_heads": 3, "attention_head_dim": 5}).hidden_size == 15


def test_a_timestep_that_does_not_exist_is_named():
    with pytest.raises(ValueError, match=r"timestep must lie in \[0, 999\], got 1000"):
        WaltConfig(timestep=1000)
