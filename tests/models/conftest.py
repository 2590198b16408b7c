# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Tiny WALT models with weights that make every path count."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from hf_vdrep.models import AutoencoderWalt, WaltPipeline, WaltTransformer3DModel, make_scheduler

torch.set_num_threads(1)

TINY_VAE = {
    "latent_channels": 4,
    "block_out_channels": (8, 8, 8, 16),
    "layers_per_block": (0, 1, 1, 1),
    "mid_block_layers": 1,
    "temporal_kernel_sizes": (1, 1, 3, 3),
    "norm_num_groups": 4,
    "latents_mean": [0.1, -0.2, 0.3, 0.0],
    "latents_std": [0.5, 1.5, 1.0, 2.0],
}
TINY_DENOISER = {
    "in_channels": 4,
    "num_layers": 4,
    "num_attention_heads": 2,
    "attention_head_dim": 8,
    "sample_frames": 3,
    "sample_size": 4,
    "spatial_window": (4, 4),
    "spatiotemporal_window": (2, 2),
}


def scatter(model: torch.nn.Module, seed: int = 0) -> torch.nn.Module:
    """Random weights everywhere: a fresh denoiser is the zero function and would pass any test."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator) * 0.2)
    return model.eval().requires_grad_(False)


@pytest.fixture
def make_denoiser() -> Callable[..., WaltTransformer3DModel]:
    return lambda seed=0, **changes: scatter(WaltTransformer3DModel(**TINY_DENOISER | changes), seed)


@pytest.fixture
def denoiser(make_denoiser: Callable[..., WaltTransformer3DModel]) -> WaltTransformer3DModel:
    return make_denoiser()


@pytest.fixture
def autoencoder() -> AutoencoderWalt:
    return scatter(AutoencoderWalt(**TINY_VAE))


@pytest.fixture
def clip() -> torch.Tensor:
    """(2, 3, 9, 32, 32) in [-1, 1]."""
    return torch.rand(2, 3, 9, 32, 32, generator=torch.Generator().manual_seed(1)) * 2 - 1


@pytest.fixture
def noisy() -> torch.Tensor:
    """(2, 4, 3, 4, 4) latents."""
    return torch.randn(2, 4, 3, 4, 4, generator=torch.Generator().manual_seed(2))


@pytest.fixture
def pipeline(autoencoder: AutoencoderWalt, denoiser: WaltTransformer3DModel) -> WaltPipeline:
    made = WaltPipeline(autoencoder, denoiser, make_scheduler())
    made.set_progress_bar_config(disable=True)
    return made


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder written by the pipeline; do not change it."""
    folder = tmp_path_factory.mktemp("saved") / "walt"
    vae, transformer = AutoencoderWalt(**TINY_VAE), WaltTransformer3DModel(**TINY_DENOISER)
    WaltPipeline(scatter(vae), scatter(transformer), make_scheduler()).save_pretrained(folder)
    return folder
