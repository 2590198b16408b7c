# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Memory is that of a batch, however many samples there are."""

import math

import psutil
import torch

from hf_vdrep.backbones import PixelBackbone
from hf_vdrep.features import extract_features

MB = 1_000_000


def test_memory_does_not_grow_with_the_samples(tmp_path):
    """240 clips of 1 MB; their features are 94 MB in float32."""
    process, resident = psutil.Process(), []

    def clips(positions):
        resident.append(process.memory_info().rss)
        return torch.full((len(positions), 5, 256, 256, 3), len(resident) % 256, dtype=torch.uint8)

    features = extract_features(
        PixelBackbone(),
        clips,
        [str(index) for index in range(240)],
        layers=[0],
        timesteps=[None],
        cache_dir=tmp_path,
        data_fingerprint="clips",
        dtype="float32",
        batch_size=2,
        shard_size=60,
        progress=False,
    )
    assert len(features) == 240 and len(resident) == 120
    growth = max(resident[20:]) - max(resident[:20])
    written = features[0, None].shape
    assert 4 * math.prod(written) > 90 * MB
    assert growth < 30 * MB
