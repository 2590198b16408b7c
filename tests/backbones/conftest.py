# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Tiny models with random weights."""

import pytest
import torch

from hf_vdrep.backbones import WaltBackbone
from hf_vdrep.backbones.random_init import randomize
from hf_vdrep.models import AutoencoderWalt, WaltTransformer3DModel


def make_vae() -> AutoencoderWalt:
    torch.manual_seed(0)
    return AutoencoderWalt(
        latent_channels=4,
        block_out_channels=(8, 8, 16, 16),
        layers_per_block=(0, 1, 0, 0),
        mid_block_layers=1,
        norm_num_groups=4,
        latents_mean=[0.1, -0.2, 0.0, 0.3],
        latents_std=[0.5, 0.6, 0.7, 0.8],
    )


def make_transformer(objective: str) -> WaltTransformer3DModel:
    return randomize(
        WaltTransformer3DModel(
            in_channels=4,
            num_layers=4,
            num_attention_heads=2,
            attention_head_dim=16,
            sample_frames=5,
            sample_size=4,
            spatial_window=(4, 4),
            spatiotemporal_window=(2, 2),
            objective=objective,
        ),
        seed=1,
    )


@pytest.fixture(scope="session")
def vae() -> AutoencoderWalt:
    return make_vae()


@pytest.fixture(scope="session")
def v_walt(vae: AutoencoderWalt) -> WaltBackbone:
    return WaltBackbone(vae, make_transformer("video"))


@pytest.fixture(scope="session")
def image_transformer() -> WaltTransformer3DModel:
    return make_transformer("image")


@pytest.fixture(scope="session")
def videos() -> torch.Tensor:
    """(3, 17, 32, 32, 3) uint8."""
    return torch.randint(0, 256, (3, 17, 32, 32, 3), dtype=torch.uint8, generator=torch.Generator().manual_seed(5))


@pytest.fixture(scope="session")
def pipeline_folder(tmp_path_factory: pytest.TempPathFactory, v_walt: WaltBackbone) -> str:
    folder = tmp_path_factory.mktemp("v-walt")
    v_walt.vae.save_pretrained(folder / "vae")
    v_walt.transformer.save_pretrained(folder / "transformer")
    v_walt.scheduler.save_pretrained(folder / "scheduler")
    return str(folder)
