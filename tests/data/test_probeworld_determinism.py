# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""A clip is a pure function of (config, split, index)."""

import dataclasses
import json
import pickle

import numpy as np
import pytest
import torch

from hf_vdrep.data.probeworld import MOTION_NAMES, OBJECT_NAMES, ProbeWorld, ProbeWorldConfig
from hf_vdrep.data.probeworld.textures import PHOTOGRAPHS, photograph_folder, texture_library


def test_pixels_do_not_depend_on_the_batch(world):
    together = world.render_batch(range(9))
    alone = torch.cat([world.render_batch([index]) for index in range(9)])
    shuffled = world.render_batch([7, 2, 8, 0])
    assert torch.equal(together, alone)
    assert torch.equal(shuffled, together[[7, 2, 8, 0]])


def test_supersampled_edges_do_not_depend_on_the_batch_and_move_only_edges(small_config, world):
    """Without the lens, supersampling changes the pixels that differ from a neighbour, and no others."""
    sharp = dataclasses.replace(small_config, blur=0.0)
    smooth = ProbeWorld("train", 10, dataclasses.replace(sharp, antialias=0.2))
    together = smooth.render_batch([1, 2, 3])
    assert torch.equal(together[1:2], smooth.render_batch([2]))
    plain = ProbeWorld("train", 10, sharp).render_batch([1, 2, 3])
    moved = (together != plain).any(-1)
    assert 0.01 < moved.float().mean() < 0.3
    steps = torch.zeros(moved.shape)
    for axis in (2, 3):
        step = plain.float().diff(dim=axis).abs().amax(-1)
        for narrow in (steps.narrow(axis, 1, step.shape[axis]), steps.narrow(axis, 0, step.shape[axis])):
            narrow.copy_(torch.maximum(narrow, step))
    # Contrast counts before highlights are clipped to white, hence not quite all.
    assert (steps[moved] > 0.2 * 255 - 1.5).float().mean() > 0.97


def test_labels_do_not_depend_on_the_batch(world, samples):
    alone = world[5]
    for name, value in samples[5].items():
        if isinstance(value, torch.Tensor):
            assert torch.equal(value, alone[name]), name
        else:
            assert value == alone[name], name


def test_a_second_world_draws_the_same_clips(small_config, samples):
    again = ProbeWorld("train", 20, small_config)
    assert torch.equal(again[3]["video"], samples[3]["video"])
    assert torch.equal(again[3]["tracks"], samples[3]["tracks"])


def test_seed_split_and_index_each_change_the_clip(small_config, samples):
    other_seed = ProbeWorld("train", 20, dataclasses.replace(small_config, seed=1))
    other_split = ProbeWorld("test", 20, small_config)
    first = samples[0]["video"]
    for clip in (other_seed[0], other_split[0], samples[1]):
        assert (clip["video"] != first).float().mean() > 0.5


def test_a_block_of_192_clips_holds_every_pair_of_classes_once(world):
    scenes = [world.scene(index) for index in range(192, 384)]
    pairs = {(int(scene.kind[0]), scene.motion) for scene in scenes}
    assert len(pairs) == len(OBJECT_NAMES) * len(MOTION_NAMES) == 192


def test_a_pickled_world_is_small_and_the_same(world):
    packed = pickle.dumps(world)
    assert len(packed) < 10_000
    assert torch.equal(pickle.loads(packed).render_batch([4]), world.render_batch([4]))


def test_config_survives_json(small_config):
    assert ProbeWorldConfig(**json.loads(json.dumps(small_config.to_dict()))) == small_config


def test_textures_of_splits_differ():
    train, test = (texture_library(0, split, False) for split in ("train", "test"))
    noise = train.members("noise")[0]
    size = train.texels.shape[1] // len(train.family)
    one = slice(noise * size, (noise + 1) * size)
    assert (train.texels[:, one] != test.texels[:, one]).mean() > 0.5


@pytest.mark.skipif(photograph_folder() is None, reason="scikit-image does not bundle its photographs here")
def test_splits_see_disjoint_columns_of_every_photograph():
    spans: dict[str, dict[str, tuple[int, int]]] = {}
    for split in ("train", "validation", "test"):
        crops = [source.split(":") for source in texture_library(0, split, True).source if ":" in source]
        assert {name for name, _ in crops} == set(PHOTOGRAPHS)
        for name, box in crops:
            left, _, right, _ = map(int, box.split(","))
            low, high = spans.setdefault(name, {}).get(split, (left, right))
            spans[name][split] = (min(low, left), max(high, right))
    for found in spans.values():
        assert found["train"][1] <= found["validation"][0] < found["validation"][1] <= found["test"][0]


def test_pixels_and_labels_have_their_types_and_ranges(samples, small_config):
    side, frames = small_config.resolution, small_config.num_frames
    for sample in samples:
        assert sample["video"].dtype == torch.uint8 and sample["video"].shape == (frames, side, side, 3)
        assert 20 < sample["video"].float().mean() < 235 and sample["video"].float().std() > 15
        assert sample["depth"].dtype == torch.float32 and 0.5 < sample["depth"].min() < sample["depth"].max() < 10
        assert 0 <= sample["object"] < 12 and 0 <= sample["action_motion"] < 16
        assert sample["tracks"].dtype == torch.float32 and sample["tracks"].shape == (64, frames, 2)
        assert sample["visible"].dtype == torch.bool and sample["visible"][:, 0].all()
        assert sample["boxes"].shape == (4, frames, 4) and sample["present"].shape == (4, frames)
        assert set(np.unique(sample["instance"].numpy())) <= {0, 1, 2, 3, 255}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"num_frames": 4}, "num_frames must be odd"),
        ({"resolution": 8}, "resolution must be at least 16"),
        ({"seed": -1}, "seed must not be negative"),
        ({"travel": (0.4, 0.2)}, "travel must be an increasing range"),
        ({"antialias": 2.0}, "antialias must lie in"),
        ({"blur": 0.5}, "blur must lie in"),
        ({"num_tracks": 0}, "num_tracks must be positive"),
        ({"focal": 0.0}, "must be positive"),
    ],
)
def test_bad_configs_are_named(changes, words):
    with pytest.raises(ValueError, match=words):
        ProbeWorldConfig(**changes)


def test_bad_worlds_and_indices_are_named(small_config):
    with pytest.raises(ValueError, match="split must be one of"):
        ProbeWorld("dev", 10, small_config)
    with pytest.raises(ValueError, match="size must be positive"):
        ProbeWorld("train", 0, small_config)
    with pytest.raises(IndexError, match="index must lie in"):
        ProbeWorld("train", 10, small_config)[10]
