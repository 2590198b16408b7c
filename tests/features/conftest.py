# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""A tiny V-WALT and a counted source of clips."""

from functools import partial
from pathlib import Path

import pytest
from tiny_extraction import Clips, tiny_backbone

from hf_vdrep.backbones import WaltBackbone
from hf_vdrep.features import extract_features


@pytest.fixture
def clips() -> Clips:
    return Clips()


@pytest.fixture(scope="session")
def backbone() -> WaltBackbone:
    return tiny_backbone()


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
