# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""A tiny V-WALT and a counted source of clips."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import pytest
import torch

from hf_vdrep.backbones import WaltBackbone
from hf_vdrep.backbones.random_init import randomize
from hf_vdrep.features import extract_features
from hf_vdrep.models import AutoencoderWalt, WaltTransformer3DModel


class Clips:
    """Ten clips of 5 frames at 16x16, and the positions that were read."""

    def __init__(self) -> None:
        generator = torch.Generator().manual_seed(2)
        self.pixels = torch.randint(0, 256, (10, 5, 16, 16, 3), dtype=torch.uint8, generator=generator)
        self.ids = [f"train-{index}" for index in range(10)]
        self.read: list[int] = []

    def __call__(self, positions: Sequence[int]) -> torch.Tensor:
        self.read += positions
        return self.pixels[list(positions)]


@pytest.fixture
def clips() -> Clips:
    return Clips()


@pytest.fixture(scope="session")
def backbone() -> WaltBackbone:
    torch.manual_seed(0)
    vae = AutoencoderWalt(
        latent_channels=4,
        block_out_channels=(8, 8, 8, 8),
        layers_per_block=0,
        mid_block_layers=1,
        norm_num_groups=4,
    )
    transformer = WaltTransformer3DModel(
        in_channels=4,
        num_layers=4,
        num_attention_heads=2,
        attention_head_dim=8,
        sample_frames=2,
        sample_size=2,
        spatial_window=(2, 2),
        spatiotemporal_window=(2, 2),
    )
    return WaltBackbone(vae, randomize(transformer))


@pytest.fixture
def extract(backbone: WaltBackbone, clips: Clips, tmp_path: Path) -> partial:
    """Float32 throughout, shards of four."""
    return partial(
        extract_features,
        backbone,
        clips,
        clips.ids,
        layers=[1],
        timesteps=[200],
        cache_dir=tmp_path / "cache",
        data_fingerprint="clips",
        batch_size=3,
        dtype="float32",
        autocast_dtype=None,
        shard_size=4,
        progress=False,
    )
