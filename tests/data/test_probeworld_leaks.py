# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""What raw pixels give away of the motion: nothing where the order of frames is unknown, much where it is known."""

import numpy as np
import pytest
import torch

from hf_vdrep.data.probeworld import ProbeWorldConfig
from hf_vdrep.data.probeworld.calibrate import (
    floor,
    one_frame,
    reversal,
    ridge_accuracy,
    ridge_operator,
    ridge_views,
    shuffled,
    small_views,
)


@pytest.fixture(scope="module")
def views():
    config = ProbeWorldConfig(photographs=False)
    return small_views("train", 1152, config), small_views("test", 960, config)


@pytest.fixture(scope="module")
def motion(views):
    labels, truth = (np.array([scene.motion for scene in part.scenes]) for part in views)
    return floor("action_motion", ridge_views(*views), labels, truth, 16)


def test_motion_is_at_chance_from_the_middle_frame(motion):
    """tasks.md: a readout on raw pixels of one frame is at chance within its interval, here of 99 %."""
    assert motion.chance == pytest.approx(1 / 16)
    assert abs(motion.middle - 1 / 16) < 2.58 * np.sqrt(15 / 256 / motion.clips)


def test_the_same_readout_sees_the_motion_in_ordered_frames(motion):
    """The readout is not blind: with all frames in their order it is far above chance."""
    assert motion.clip > 0.25


def test_a_motion_and_its_reverse_look_alike_without_order(views):
    """One frame at an unknown time, or the clip shuffled: the twins of a pair are at chance within 99 %."""
    found = reversal(*views)
    margin = 2.58 * 0.5 / np.sqrt(found.clips)
    assert found.clips == 960
    for seen in (found.middle, found.some, found.shuffled):
        assert abs(seen - 0.5) < margin
    assert found.clip > 0.5 + 2 * margin


def test_the_readout_solves_the_normal_equations():
    """Ridge in its dual form against the primal one."""
    rng = np.random.default_rng(0)
    train, test = (torch.from_numpy(rng.normal(size=(count, 7))) for count in (30, 5))
    target = torch.from_numpy(rng.normal(size=(30, 2)))
    inputs, probe = train - train.mean(0), test - train.mean(0)
    penalty = 0.3 * (inputs**2).sum(1).mean()
    primal = torch.linalg.solve(inputs.T @ inputs + penalty * torch.eye(7, dtype=torch.float64), inputs.T @ target)
    torch.testing.assert_close(ridge_operator(train, test) @ target, probe @ primal)


def test_the_readout_reads_what_is_there():
    """A class that shifts the mean by five standard deviations is read without error."""
    rng = np.random.default_rng(1)
    labels = rng.integers(3, size=200)
    inputs = torch.from_numpy(rng.normal(size=(200, 4)) + 5 * np.eye(4)[labels])
    operator = ridge_operator(inputs[:150], inputs[150:])
    assert ridge_accuracy(operator, labels[:150], labels[150:], 3) == 1.0


def test_views_take_frames_of_their_own_clip():
    video = torch.arange(6.0)[:, None] * 10 + torch.arange(5.0)
    single = one_frame(video, np.random.default_rng(2))
    assert torch.equal((single / 10).floor(), torch.arange(6.0)) and len({v % 10 for v in single.tolist()}) > 1
    mixed = shuffled(video, np.random.default_rng(2))
    assert torch.equal(mixed.sort(1).values, video) and not torch.equal(mixed, video)
