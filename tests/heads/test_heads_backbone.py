# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""WALT as a backbone: stages, maps and channels, as transformers' backbone tests ask for them."""

from pathlib import Path

import pytest
import torch
from tiny_heads import CLASSES, LAYERS, WIDTH, inputs_of, make, make_config
from transformers import AutoBackbone, AutoModel

from hf_vdrep.heads import WaltBackbone
from hf_vdrep.heads.sites import SITES


@torch.no_grad()
def test_maps_are_the_hidden_states_in_their_places(folder: Path):
    backbone = WaltBackbone.from_pretrained(folder, out_indices=[0, 1, 3])
    assert backbone.out_features == ["stem", "stage1", "stage3"]
    assert backbone.stage_names == ["stem", "stage1", "stage2", "stage3"]
    assert backbone.channels == [WIDTH] * 3 and len(backbone.num_features) == LAYERS + 1
    picture = inputs_of("backbone")["pixel_values"]
    states = AutoModel.from_pretrained(folder)(picture, output_hidden_states=True).hidden_states
    maps = backbone(picture).feature_maps
    assert [tuple(each.shape) for each in maps] == [(2, WIDTH, 4, 4)] * 3
    for each, index in zip(maps, (0, 1, 3), strict=True):
        torch.testing.assert_close(each, states[index].mT.unflatten(2, (4, 4)), rtol=1e-5, atol=1e-5)


@torch.no_grad()
def test_clips_give_maps_with_time():
    clip = inputs_of("camera_pose")["pixel_values_videos"]
    (found,) = make("backbone", out_features=["stage2"])(pixel_values_videos=clip).feature_maps
    assert found.shape == (2, WIDTH, 3, 4, 4)


def test_the_last_stage_is_the_default_and_no_block_runs_after_the_last_asked_for():
    assert make("backbone").out_features == ["stage3"] and make("backbone").out_indices == [3]
    backbone, ran = make("backbone", out_features=["stem", "stage1"]), []
    for index, block in enumerate(backbone.walt.transformer.blocks):
        block.register_forward_hook(lambda *_, index=index: ran.append(index))
    backbone(**inputs_of("backbone"))
    assert ran == [0]
    backbone.out_indices = [2]
    assert backbone.out_features == ["stage2"] and len(backbone(**inputs_of("backbone")).feature_maps) == 1


def test_the_auto_class_builds_it_and_stages_survive_files(tmp_path: Path):
    """`AutoBackbone.from_pretrained` fails on local folders upstream; `from_config` is the way there."""
    backbone = AutoBackbone.from_config(make_config(out_features=["stage1", "stage3"]))
    assert type(backbone) is WaltBackbone is CLASSES["backbone"]
    backbone.save_pretrained(tmp_path / "walt")
    loaded = WaltBackbone.from_pretrained(tmp_path / "walt")
    assert loaded.out_features == ["stage1", "stage3"] and loaded.out_indices == [1, 3]


@pytest.mark.parametrize("wrong", [{"out_features": ["stage9"]}, {"out_features": ["stage2", "stage1"]}])
def test_stages_that_do_not_exist_or_run_backwards_are_refused(wrong: dict):
    with pytest.raises(ValueError, match="out_features must be"):
        make_config(**wrong)


@torch.no_grad()
@pytest.mark.parametrize("inputs", ["backbone", "camera_pose"])
def test_a_site_within_the_blocks_can_be_read(folder: Path, tmp_path: Path, inputs: str):
    """By hand: a block whose MLP is silenced puts out its middle; pictures pass spatiotemporal blocks too."""
    given, stages = inputs_of(inputs), ["stage1", "stage2"]
    stream = WaltBackbone.from_pretrained(folder, out_features=["stem", *stages])(**given).feature_maps
    found = {}
    for site in SITES:
        backbone = WaltBackbone.from_pretrained(folder, site=site, out_features=stages)
        found[site] = backbone(**given).feature_maps
    silenced = WaltBackbone.from_pretrained(folder, out_features=["stage1"])
    for part in silenced.walt.transformer.blocks[0].ff.parameters():
        part.zero_()
    close = {"rtol": 1e-4, "atol": 1e-4}
    torch.testing.assert_close(found["middle"][0], silenced(**given).feature_maps[0], **close)
    for index in range(2):
        torch.testing.assert_close(found["block"][index], stream[index + 1], rtol=0, atol=0)
        torch.testing.assert_close(found["middle"][index], stream[index] + found["attention"][index], **close)
        torch.testing.assert_close(stream[index + 1], found["middle"][index] + found["mlp"][index], **close)
        assert found["attention"][index].abs().max() > 0 and found["mlp"][index].abs().max() > 0
    assert backbone.site == "mlp"
    backbone.save_pretrained(tmp_path / "walt")
    loaded = WaltBackbone.from_pretrained(tmp_path / "walt")
    assert (loaded.site, loaded.out_features) == ("mlp", stages)
    torch.testing.assert_close(loaded(**given).feature_maps, found["mlp"], rtol=1e-5, atol=1e-5)
    assert WaltBackbone.from_pretrained(tmp_path / "walt", site="middle").site == "middle"
    assert AutoBackbone.from_config(make_config(site="attention")).site == "attention"


def test_sites_that_do_not_exist_are_named():
    with pytest.raises(ValueError, match="site must be one of block, middle, attention, mlp, got 'norm'"):
        WaltBackbone(make_config(), site="norm")
    with pytest.raises(ValueError, match="site must be block where out_features has the stem, got mlp"):
        WaltBackbone(make_config(out_features=["stem", "stage1"]), site="mlp")


def test_gradients_reach_through_a_site_with_checkpointing():
    gradients = []
    for checkpointing in (False, True):
        backbone = make("backbone", site="attention").train()
        if checkpointing:
            backbone.gradient_checkpointing_enable()
        backbone(**inputs_of("backbone")).feature_maps[0].square().mean().backward()
        gradients.append(backbone.get_input_embeddings().weight.grad)
    assert gradients[0].abs().max() > 0
    torch.testing.assert_close(*gradients)
