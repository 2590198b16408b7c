# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Frames in another order, and places within a block."""

import pytest
import torch

from hf_vdrep.backbones.walt import WaltBackbone
from hf_vdrep.study.grid.frame_order import permutation, reorder
from hf_vdrep.study.grid.site import SitedWalt

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


@pytest.mark.parametrize("frames", [1, 5])
def test_attention_and_mlp_together_are_what_a_block_adds(twins, frames):
    backbone = WaltBackbone.from_pretrained(twins["v_walt"])
    clip = torch.randint(0, 256, (2, frames, 32, 32, 3), dtype=torch.uint8)
    asked = {"sample_ids": ["a", "b"], "layers": [0, 1], "timesteps": [100]}
    inputs = backbone.prepare(clip)
    blocks = backbone.extract(inputs, **asked)
    parts = {site: SitedWalt(backbone, site).extract(inputs, **asked) for site in ("middle", "attention", "mlp")}
    for place, block in enumerate(blocks):
        middle, attention, mlp = (parts[site][place] for site in ("middle", "attention", "mlp"))
        torch.testing.assert_close(middle.values + mlp.values, block.values)
        assert attention.site == "attention" and attention.layer == block.layer
    added = parts["attention"][1].values + parts["mlp"][1].values
    torch.testing.assert_close(blocks[0].values + added, blocks[1].values)


def test_a_site_is_part_of_the_fingerprint_and_leaves_no_hook(twins):
    backbone = WaltBackbone.from_pretrained(twins["v_walt"])
    sited = SitedWalt(backbone, "mlp")
    assert sited.fingerprint != backbone.fingerprint != SitedWalt(backbone, "middle").fingerprint
    inputs = backbone.prepare(torch.zeros(1, 1, 32, 32, 3, dtype=torch.uint8))
    sited.extract(inputs, sample_ids=["a"], layers=[0], timesteps=[0])
    assert not any(block._forward_hooks or block._forward_pre_hooks for block in backbone.transformer.blocks)
