# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Sites of WALT against what a block computes, written out by its own parts."""

import pytest
import torch

from hf_vdrep.backbones import WaltBackbone, open_backbone
from hf_vdrep.models.walt_modulation import modulate

SITES = ["block", "norm", "middle", "attention", "mlp"]
ASKED = {"sample_ids": ["a", "b", "c"], "layers": [2, 1], "timesteps": [200]}


def read(backbone, clips):
    """site -> feature maps."""
    inputs = backbone.prepare(clips)
    return {site: backbone.at(site).extract(inputs, **ASKED) for site in SITES}


def by_hand(block, tokens, shared, embedding, grid):
    """A block's parts, one after the other (WALT §4.2)."""
    scale, shift, gate, scale_ff, shift_ff, gate_ff = block.modulation(shared, embedding, grid)
    normed = modulate(block.norm1(tokens), scale, shift)
    window = (grid[0], *block.window[1:]) if block.window[0] > 1 else block.window
    attention = gate * (
        block.attn.identity(normed) if grid[0] == 1 != block.window[0] else block.attn(normed, grid, window)
    )
    mlp = gate_ff * block.ff(modulate(block.norm2(tokens + attention), scale_ff, shift_ff))
    return {
        "norm": normed,
        "middle": tokens + attention,
        "attention": attention,
        "mlp": mlp,
        "block": tokens + attention + mlp,
    }


@pytest.mark.parametrize("frames", [1, 5, 17])
@torch.inference_mode()
def test_every_site_is_that_part_of_the_block(v_walt, videos, frames):
    """Spatial and spatiotemporal blocks; an image passes the latter by the identity rule, without their attention."""
    calls = []
    handles = [
        block.register_forward_pre_hook(lambda block, inputs: calls.append((block, inputs[:4])))
        for block in v_walt.transformer.blocks
    ]
    found = read(v_walt, videos[:, :frames])
    for handle in handles:
        handle.remove()
    first = calls[: len(calls) // len(SITES)]
    for place, layer in enumerate(ASKED["layers"]):
        block, inputs = first[layer]
        assert block is v_walt.transformer.blocks[layer]
        for site, truth in by_hand(block, *inputs).items():
            values = found[site][place].values
            torch.testing.assert_close(values.flatten(1, 3), truth, rtol=1e-4, atol=1e-5)
            assert (found[site][place].site, found[site][place].layer) == (site, layer)


@pytest.mark.parametrize("video_as", ["stack", "stride"])
def test_attention_and_mlp_together_are_what_a_block_adds(vae, image_transformer, videos, video_as):
    """Also for images, whose frames are folded into the batch; the maps keep shape, stride and spans."""
    found = read(WaltBackbone(vae, image_transformer, video_as=video_as), videos[:, :5])
    added = found["attention"][0].values + found["mlp"][0].values
    torch.testing.assert_close(found["block"][1].values + added, found["block"][0].values)
    for maps in found.values():
        assert maps[0].values.shape == found["block"][0].values.shape and maps[0].stride == found["block"][0].stride
        assert torch.equal(maps[0].frame_spans, found["block"][0].frame_spans)


@pytest.mark.parametrize("site", SITES)
def test_levels_in_one_pass_are_the_levels_at_every_site(v_walt, videos, site):
    sited = v_walt.at(site)
    inputs, asked = sited.prepare(videos[:, :5]), {**ASKED, "timesteps": [0, 200, 600]}
    for one, other in zip(sited.extract(inputs, **asked), sited.extract_stacked(inputs, **asked), strict=True):
        torch.testing.assert_close(one.values, other.values, rtol=1e-4, atol=1e-5)


def test_no_hook_is_left_and_nothing_runs_after_the_deepest_block(v_walt, videos):
    """Nor where the pass fails."""
    calls = []
    last = v_walt.transformer.blocks[-1].register_forward_pre_hook(lambda *_: calls.append(1))
    read(v_walt, videos[:, :5])
    last.remove()
    broken = v_walt.transformer.blocks[1].ff.register_forward_hook(lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        read(v_walt, videos[:, :5])
    broken.remove()
    assert not calls
    assert not any(part._forward_hooks or part._forward_pre_hooks for part in v_walt.transformer.modules())


def test_a_site_is_part_of_the_fingerprint_and_shares_the_weights(v_walt):
    assert len({v_walt.at(site).fingerprint for site in SITES}) == len(SITES)
    assert v_walt.at("block").fingerprint == v_walt.fingerprint
    assert v_walt.at("mlp").fingerprint == f"{v_walt.fingerprint}-mlp"  # as rows of the study are filed
    assert v_walt.at("mlp").transformer is v_walt.transformer


def test_models_with_blocks_are_opened_at_a_site_and_others_refuse(v_walt):
    assert open_backbone("v-walt", site="attention").site == "attention"
    with pytest.raises(ValueError, match="site must be one of block, norm, middle, attention, mlp for a WALT, got 'q'"):
        v_walt.at("q")
    with pytest.raises(ValueError, match="site must be left out for pixels: only denoisers take it"):
        open_backbone("pixels", site="mlp")
    with pytest.raises(ValueError, match="discard must be left out for i-walt: only denoisers of diffusers take it"):
        open_backbone("i-walt", discard=[1])


def test_a_block_that_calls_no_hooks_is_an_error(v_walt, videos, monkeypatch):
    monkeypatch.setattr(v_walt.transformer, "_run_block", lambda block, *inputs: inputs[0])
    with pytest.raises(RuntimeError, match="site 'mlp' must be read by hooks"):
        v_walt.at("mlp").extract(v_walt.prepare(videos[:, :5]), **ASKED)
