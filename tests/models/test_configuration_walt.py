# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""The transformers configuration."""

import inspect
from pathlib import Path

import pytest

from hf_vdrep.models import AutoencoderWalt, WaltConfig, WaltModel, WaltTransformer3DModel


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


def test_pixels_frames_and_patches_follow_the_components():
    """17x128x128 at 8x8x4 compression and patch 1 by default (WALT Table 8)."""
    config = WaltConfig()
    assert (config.image_size, config.num_frames, config.patch_size, config.tubelet_size) == (128, 17, 8, 4)
    assert config.num_channels == 3
    vae = {"block_out_channels": [8, 8, 8], "temporal_downsample": [False, True]}
    small = WaltConfig(vae_config=vae, transformer_config={"sample_size": [4, 6], "patch_size": 2, "sample_frames": 3})
    assert (small.image_size, small.num_frames, small.patch_size) == ((16, 24), 5, 8)
    kept = WaltConfig(vae_config=vae | {"spatial_downsample": [True, False]}, transformer_config={"sample_size": 4})
    assert kept.image_size == 8
    for given in (vae, vae | {"spatial_downsample": [True, False]}):
        tokenizer = AutoencoderWalt(**given, norm_num_groups=4)
        assert tokenizer.spatial_compression_ratio == WaltConfig(vae_config=given).patch_size
        assert tokenizer.temporal_compression_ratio == WaltConfig(vae_config=given).tubelet_size


def test_the_common_properties_can_be_set_or_say_why_not():
    """transformers' config tests set them; `NotImplementedError` is their way out."""
    config = WaltConfig()
    config.num_hidden_layers, config.num_attention_heads = 5, 3
    assert (config.num_hidden_layers, config.num_attention_heads, config.hidden_size) == (5, 3, 192)
    with pytest.raises(NotImplementedError, match="hidden_size is num_attention_heads x attention_head_dim"):
        config.hidden_size = 7


def test_notes_of_diffusers_are_no_arguments():
    """A live config lists what it holds by default; `from_config` would put those values back over the given ones."""
    live = dict(
        WaltTransformer3DModel(num_layers=2, num_attention_heads=1, attention_head_dim=8, objective="image").config
    )
    live["_use_default_values"] = [*live.get("_use_default_values", []), "objective"]
    config = WaltConfig(transformer_config=live, vae_config={"_class_name": "AutoencoderWalt"})
    assert not [name for name in (*config.transformer_config, *config.vae_config) if name.startswith("_")]
    assert WaltTransformer3DModel.from_config(config.transformer_config).config.objective == "image"
    assert live["_use_default_values"]


def test_stages_are_named_like_the_hidden_states():
    config = WaltConfig(transformer_config={"num_layers": 2})
    assert config.stage_names == ["stem", "stage1", "stage2"]
    assert (config.out_features, config.out_indices) == (["stage2"], [2])
    config.out_indices = [0, 1]
    again = WaltConfig.from_dict(config.to_dict())
    assert (again.out_features, again.out_indices) == (["stem", "stage1"], [0, 1])
    assert again.to_dict() == config.to_dict()


def test_fields_that_do_not_exist_are_named():
    with pytest.raises(ValueError, match="no_such_field"):
        WaltModel(WaltConfig(transformer_config={"no_such_field": 1}))
    with pytest.raises(ValueError, match="no_such_field"):
        WaltModel(WaltConfig(vae_config={"no_such_field": 1}))
    with pytest.raises(ValueError, match="depth_stride must be at least 1, got 0"):
        WaltConfig(depth_stride=0)
    assert WaltConfig(no_such_key=3).no_such_key == 3
