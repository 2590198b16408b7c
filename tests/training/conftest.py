# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""A small stand-in world and a small trained tokenizer."""

import numpy as np
import pytest
import torch


class Blobs:
    """Moving discs, 17 frames of 16x16, deterministic by index."""

    def __init__(self, split: str, size: int, config=None) -> None:
        self.split, self.size, self.config = split, size, config
        self.rendered: list[int] = []

    def render_batch(self, indices):
        self.rendered += [int(index) for index in indices]
        clips = []
        for index in indices:
            rng = np.random.default_rng([int(index), len(self.split)])
            x, y, dx, dy = rng.uniform([0.2, 0.2, -0.3, -0.3], [0.8, 0.8, 0.3, 0.3])
            grid = (np.arange(16) + 0.5) / 16
            time = np.linspace(0, 1, 17)[:, None, None]
            inside = (grid[None, None] - x - dx * time) ** 2 + (grid[None, :, None] - y - dy * time) ** 2 < 0.06
            colours = rng.uniform(0, 255, (2, 3))
            clips.append(np.where(inside[..., None], colours[0], colours[1]).astype(np.uint8))
        return torch.from_numpy(np.stack(clips))


TINY_VAE = {
    "latent_channels": 4,
    "block_out_channels": [8, 8, 8, 8],
    "layers_per_block": 0,
    "mid_block_layers": 1,
    "norm_num_groups": 4,
}
TINY_DENOISER = {
    "num_layers": 2,
    "num_attention_heads": 2,
    "attention_head_dim": 8,
    "spatial_window": [2, 2],
    "spatiotemporal_window": [2, 2],
}


@pytest.fixture(scope="session")
def blobs() -> type[Blobs]:
    return Blobs


@pytest.fixture(scope="session")
def clips() -> np.ndarray:
    """uint8 (6, 17, 16, 16, 3)."""
    return Blobs("train", 6).render_batch(range(6)).numpy()


@pytest.fixture(scope="session")
def tiny_vae_config() -> dict:
    return dict(TINY_VAE)


@pytest.fixture(scope="session")
def tiny_denoiser_config() -> dict:
    return dict(TINY_DENOISER)


@pytest.fixture(scope="session")
def tiny_vae(clips):
    """An untrained tokenizer whose config holds its latents' statistics."""
    from hf_vdrep.models import AutoencoderWalt
    from hf_vdrep.training.autoencoder import latent_statistics

    torch.manual_seed(0)
    vae = AutoencoderWalt(**TINY_VAE).eval()
    mean, std = latent_statistics(vae, clips, seed=0)
    vae.register_to_config(latents_mean=mean, latents_std=std)
    return vae


@pytest.fixture
def stand_in_world(monkeypatch):
    """The trainings render `Blobs` instead of ProbeWorld."""
    import hf_vdrep.data.probeworld as probeworld

    monkeypatch.setattr(probeworld, "ProbeWorld", Blobs, raising=False)
    monkeypatch.setenv("HF_HUB_DISABLE_PROGRESS_BARS", "1")
