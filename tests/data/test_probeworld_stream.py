# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""ProbeWorld through Hugging Face `datasets`, and batches of samples."""

import json

import numpy as np
import pytest
import torch
from datasets.distributed import split_dataset_by_node
from torch.utils.data import DataLoader

from hf_vdrep.data.probeworld import MOTION_NAMES, ProbeWorld
from hf_vdrep.data.probeworld.stream import default_shards
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


@pytest.mark.parametrize("taken", [1, 4, 6])
def test_a_stream_resumes_at_the_very_sample(small_config, taken):
    stream = ProbeWorld("train", 9, small_config).to_iterable_dataset(num_shards=3)
    iterator = iter(stream)
    first = [next(iterator)["id"] for _ in range(taken)]
    state = json.loads(json.dumps(stream.state_dict()))
    again = ProbeWorld("train", 9, small_config).to_iterable_dataset(num_shards=3)
    again.load_state_dict(state)
    assert first + [row["id"] for row in again] == [f"probeworld-train-{index}" for index in range(9)]


def test_nodes_and_workers_share_the_world_without_overlap(small_config):
    """Two processes of two workers each; every clip comes once."""
    found = []
    for rank in range(2):
        stream = ProbeWorld("train", 8, small_config).to_iterable_dataset(num_shards=4)
        part = split_dataset_by_node(stream.select_columns(["id"]), rank=rank, world_size=2)
        found.append([row["id"] for row in DataLoader(part, batch_size=None, num_workers=2)])
    assert [len(part) for part in found] == [4, 4]
    assert sorted(found[0] + found[1]) == [f"probeworld-train-{index}" for index in range(8)]


def test_a_node_resumes_its_own_part(small_config):
    part = split_dataset_by_node(
        ProbeWorld("train", 8, small_config).to_iterable_dataset(num_shards=4), rank=1, world_size=2
    )
    everything = [row["id"] for row in part]
    iterator = iter(part)
    first = next(iterator)["id"]
    part.load_state_dict(part.state_dict())
    assert [first, *(row["id"] for row in part)] == everything


def test_default_shards_are_short_and_divide_by_powers_of_two():
    assert [default_shards(size) for size in (1, 15, 16, 31, 32, 20000)] == [1, 1, 1, 1, 2, 1024]


def test_a_data_loader_of_workers_gives_the_samples_of_the_map(small_config, samples):
    """`ProbeWorld` is a map-style torch data set: any order, any worker, the same samples."""
    world = ProbeWorld("train", 1000, small_config)
    assert isinstance(world, torch.utils.data.Dataset)
    loader = DataLoader(world, sampler=[5, 2, 9], batch_size=3, num_workers=1, collate_fn=stack_samples)
    batch = next(iter(loader))
    for row, index in enumerate((5, 2, 9)):
        assert torch.equal(batch["video"][row], samples[index]["video"]) and batch["id"][row] == samples[index]["id"]


@pytest.mark.parametrize("workers", [0, 1])
def test_pixels_come_in_order_whoever_draws_the_scene_graphs(world, workers):
    found = list(world.video_batches([7, 1, 4], batch_size=2, num_workers=workers))
    assert [batch for batch, _ in found] == [[7, 1], [4]]
    assert torch.equal(torch.cat([video for _, video in found]), world.render_batch([7, 1, 4]))
    with pytest.raises(ValueError, match="batch_size and num_workers"):
        next(world.video_batches([1], batch_size=0))
