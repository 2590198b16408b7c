# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Saved diffusers pipelines as backbones: pixels in, maps out."""

import pytest
import torch
from tiny_denoisers_pipelines import PIPELINES, tiny_pipeline

from hf_vdrep.backbones import open_backbone
from hf_vdrep.backbones.denoisers import DenoiserBackbone

VIDEOS = {"wan": 4, "cogvideox": 4, "ltx": 4, "hunyuan_video": 4}


@pytest.fixture(scope="session")
def folders(tmp_path_factory):
    """Each pipeline saved once."""
    root, saved = tmp_path_factory.mktemp("pipelines"), {}

    def folder(name):
        if name not in saved:
            tiny_pipeline(name).save_pretrained(root / name)
            saved[name] = root / name
        return saved[name]

    return folder


def clips(frames=5, side=64, count=2):
    draw = torch.Generator().manual_seed(3)
    return torch.randint(0, 256, (count, frames, side, side, 3), dtype=torch.uint8, generator=draw)


def read(backbone, videos, layers=(0, -1), timesteps=(200,), ids=("a", "b"), seed=0):
    inputs = backbone.prepare(videos)
    return backbone.extract(inputs, sample_ids=ids[: len(videos)], layers=layers, timesteps=timesteps, seed=seed)


@pytest.mark.parametrize("name", sorted(PIPELINES))
def test_a_saved_pipeline_opens_and_gives_maps(name, folders):
    """Maps of the pixels' size over the stride, a step for the frames that the tokenizer joins."""
    backbone = open_backbone(folders(name))
    assert isinstance(backbone, DenoiserBackbone)
    videos = clips()
    found = read(backbone, videos, layers=range(backbone.num_layers), timesteps=(0, 600))
    assert [(features.timestep, features.layer) for features in found] == [
        (timestep, layer) for timestep in (0, 600) for layer in range(backbone.num_layers)
    ]
    ratio = VIDEOS.get(name, 1)
    for features in found:
        assert features.values.shape[:2] == (2, 1 + 4 // ratio)
        assert features.values.shape[2] == features.values.shape[3] == 64 // features.stride
        assert features.frame_spans.tolist()[0] == [0, 1] and features.frame_spans.tolist()[-1][1] == 5
        assert torch.isfinite(features.values).all()


@pytest.mark.parametrize("name", ["sd1", "flux", "wan", "svd"])
def test_a_sample_s_features_do_not_depend_on_its_batch(name, folders):
    backbone = open_backbone(folders(name))
    videos = clips()
    together = read(backbone, videos)
    alone = read(backbone, videos[1:], ids=("b",))
    for one, both in zip(alone, together, strict=True):
        torch.testing.assert_close(one.values, both.values[1:], rtol=1e-4, atol=1e-5)


def test_a_change_in_the_pixels_moves_its_own_place(folders):
    """From pixels to the grid: the tokenizer spreads a change over neighbouring cells at most."""
    backbone = open_backbone(folders("wan"))
    plain = clips(count=1)
    changed = plain.clone()
    changed[:, 3:, 32:48, 16:32] ^= 255
    for before, after in zip(read(backbone, plain), read(backbone, changed), strict=True):
        moved = (after.values - before.values).norm(dim=-1)[0]
        step, row, column = (int(part) for part in torch.unravel_index(moved.argmax(), moved.shape))
        assert before.frame_spans[step].tolist() == [1, 5]
        assert abs(row - 2) <= 1 and abs(column - 1) <= 1


def test_a_unet_gives_maps_at_several_resolutions(folders):
    backbone = open_backbone(folders("sd1"))
    found = read(backbone, clips(1), layers=range(backbone.num_layers))
    assert [features.stride for features in found] == [16, 16, 16, 8, 8]
    assert backbone.layer_names() == ["down_blocks.0", "down_blocks.1", "mid_block", "up_blocks.0", "up_blocks.1"]


def test_layers_go_by_index_depth_and_name(folders):
    backbone = open_backbone(folders("flux"))
    by_name = read(backbone, clips(1), layers=["single_transformer_blocks.0"])[0]
    by_index = read(backbone, clips(1), layers=[1])[0]
    by_depth = read(backbone, clips(1), layers=[0.5])[0]
    assert by_name.layer == by_index.layer == 1 and torch.equal(by_name.values, by_index.values)
    assert by_depth.layer in (0, 1)


def test_a_site_and_discarded_channels_are_part_of_the_record(folders):
    plain = open_backbone(folders("dit"))
    modulated = open_backbone(folders("dit"), site="norm")
    fewer = open_backbone(folders("dit"), discard=[0, 5])
    assert len({plain.fingerprint, modulated.fingerprint, fewer.fingerprint}) == 3
    videos = clips(1)
    assert read(modulated, videos)[0].site == "norm"
    kept = read(fewer, videos)[0].values
    whole = read(plain, videos)[0].values
    assert torch.equal(kept, torch.cat([whole[..., 1:5], whole[..., 6:]], dim=-1))


def test_given_conditioning_takes_the_place_of_null(folders):
    text = torch.randn(1, 8, 8, generator=torch.Generator().manual_seed(0))
    plain = open_backbone(folders("sd1"))
    told = open_backbone(folders("sd1"), conditioning={"encoder_hidden_states": text})
    nothing = open_backbone(folders("sd1"), conditioning={"encoder_hidden_states": torch.zeros(1, 8, 8)})
    videos = clips(2)
    assert not torch.allclose(read(told, videos)[1].values, read(plain, videos)[1].values)
    assert torch.equal(read(nothing, videos)[1].values, read(plain, videos)[1].values)
    assert told.fingerprint != plain.fingerprint


@pytest.mark.parametrize(("name", "width"), [("flux", 32), ("ltx", 16), ("hunyuan_video", 16), ("pixart", 8)])
def test_masks_and_positions_follow_the_length_of_a_given_text(name, width, folders):
    text = torch.randn(1, 13, width, generator=torch.Generator().manual_seed(0))
    told = open_backbone(folders(name), conditioning={"encoder_hidden_states": text})
    found = read(told, clips())
    assert found[0].values.shape == read(open_backbone(folders(name)), clips())[0].values.shape
    assert torch.isfinite(found[1].values).all()


def test_live_modules_give_what_the_saved_ones_give(folders):
    pipeline = tiny_pipeline("pixart")
    live = DenoiserBackbone.from_pipeline(pipeline)
    saved = open_backbone(folders("pixart"))
    assert live.fingerprint == saved.fingerprint
    torch.testing.assert_close(read(live, clips(1))[0].values, read(saved, clips(1))[0].values)


def test_nothing_runs_after_the_deepest_block_and_no_hook_stays(folders):
    backbone = open_backbone(folders("wan"))
    ran = []
    handle = backbone.denoiser.blocks[1].register_forward_pre_hook(lambda *_: ran.append(1))
    read(backbone, clips(), layers=[0])
    handle.remove()
    assert not ran
    assert not any(m._forward_hooks or m._forward_pre_hooks for m in backbone.denoiser.modules())
