# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Frames in another order."""

import pytest
import torch

from hf_vdrep.study.grid.frame_order import permutation, reorder

CLIPS = torch.arange(2 * 5).view(2, 5, 1)


def test_reversed_twice_is_forward_and_frozen_repeats_the_middle():
    ids = ["a", "b"]
    assert torch.equal(reorder(reorder(CLIPS, "reversed", ids), "reversed", ids), CLIPS)
    assert torch.equal(reorder(CLIPS, "frozen", ids), CLIPS[:, 2:3].expand(-1, 5, -1))
    assert reorder(CLIPS, "forward", ids) is CLIPS


def test_a_shuffle_keeps_the_frames_depends_on_the_sample_alone_and_is_never_the_identity():
    both = reorder(CLIPS, "shuffled", ["a", "b"])
    assert torch.equal(both.sort(dim=1).values, CLIPS)
    assert torch.equal(reorder(CLIPS[1:], "shuffled", ["b"]), both[1:])
    assert all(permutation(str(number), 2).tolist() == [1, 0] for number in range(20))


def test_an_unknown_order_is_named():
    with pytest.raises(ValueError, match=r"frame_order must be one of .*, got 'sideways'"):
        reorder(CLIPS, "sideways", ["a", "b"])
