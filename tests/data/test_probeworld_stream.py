# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""ProbeWorld through Hugging Face `datasets`, and batches of samples."""

import numpy as np
import pytest
import torch

from hf_vdrep.data.probeworld import MOTION_NAMES, ProbeWorld
from hf_vdrep.data.sample import stack_samples


def test_the_stream_yields_the_samples_of_the_world(small_config, samples):
    stream = ProbeWorld("train", 3, small_config).to_iterable_dataset(num_shards=2)
    assert stream.num_shards == 2
    rows = list(stream)
    assert [row["id"] for row in rows] == [f"probeworld-train-{index}" for index in range(3)]
    for row, sample in zip(rows, samples, strict=False):
        for name in ("video", "depth", "tracks", "visible", "boxes"):
            np.testing.assert_array_equal(np.asarray(row[name]), sample[name].numpy())
        assert row["object"] == sample["object"]
    assert stream.features["action_motion"].names == list(MOTION_NAMES)


def test_shards_split_the_world_without_overlap(small_config):
    stream = ProbeWorld("train", 5, small_config).to_iterable_dataset(num_shards=3)
    ids = [[row["id"] for row in stream.shard(num_shards=3, index=index)] for index in range(3)]
    assert sorted(name for shard in ids for name in shard) == [f"probeworld-train-{index}" for index in range(5)]


def test_too_many_shards_are_named(small_config):
    with pytest.raises(ValueError, match=r"num_shards must lie in \[1, 3\], got 4"):
        ProbeWorld("train", 3, small_config).to_iterable_dataset(num_shards=4)


def test_stacked_samples(samples):
    batch = stack_samples(samples[:3])
    assert batch["video"].shape[0] == 3 and batch["object"].dtype == torch.int64
    assert batch["id"] == [sample["id"] for sample in samples[:3]]
    with pytest.raises(ValueError, match="must carry the same labels"):
        stack_samples([samples[0], {"id": "x"}])
    with pytest.raises(ValueError, match="at least one sample"):
        stack_samples([])
