# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Text, given frames, low resolution, labels and noise levels: where they enter, and what their absence means."""

import math

import pytest
import torch
import torch.nn.functional as F
from denoiser_variants import build, inputs

from hf_vdrep.models.walt_conditioning import WaltLowResolution, given_frames
from hf_vdrep.models.walt_cross_attention import WaltCrossAttention

torch.set_num_threads(1)
GRID, WINDOW = (2, 3, 4), (1, 2, 4)


@pytest.fixture
def cross() -> WaltCrossAttention:
    torch.manual_seed(0)
    cross = WaltCrossAttention(8, 2)
    for parameter in cross.parameters():
        torch.nn.init.normal_(parameter, std=0.5)
    return cross.eval().requires_grad_(False)


def test_keys_and_values_are_the_window_and_the_text(cross: WaltCrossAttention):
    """WALT §4.3: concat[query tokens, text], window by window, head by head, from the weights."""
    tokens, text = torch.randn(2, math.prod(GRID), 8), torch.randn(2, 3, 8)
    mask = torch.tensor([[True, True, False], [True, False, False]])
    found = cross(tokens, text, GRID, WINDOW, mask).unflatten(1, GRID)
    for sample in range(2):
        for frame in range(2):
            for rows in (slice(0, 2), slice(2, 3)):
                own = tokens[sample].view(*GRID, 8)[frame, rows].reshape(-1, 8)
                keys = torch.cat([own, text[sample][mask[sample]]])
                parts = []
                for head in range(2):
                    cut = slice(4 * head, 4 * head + 4)
                    query = cross.norm_q(cross.to_q(own)[:, cut])
                    key = cross.norm_k(cross.to_k(keys)[:, cut])
                    parts.append((query @ key.T / 2).softmax(-1) @ cross.to_v(keys)[:, cut])
                expected = cross.to_out[0](torch.cat(parts, dim=-1))
                torch.testing.assert_close(found[sample, frame, rows].reshape(-1, 8), expected, rtol=1e-4, atol=1e-5)


def test_every_image_of_a_stack_reads_its_own_text(cross: WaltCrossAttention):
    tokens, text = torch.randn(1, math.prod(GRID), 8), torch.randn(1, 2, 3, 8)
    found = cross(tokens, text, GRID, WINDOW).unflatten(1, GRID)
    for frame in range(2):
        alone = cross(tokens[:, 12 * frame : 12 * frame + 12], text[:, frame], (1, 3, 4), WINDOW)
        torch.testing.assert_close(found[0, frame].flatten(0, 1), alone[0], rtol=1e-5, atol=1e-5)


@torch.no_grad()
def test_text_counts_in_every_layer_and_frames_stay_apart_there():
    """WALT §4.3, joint training: cross-attention in spatial windows, in every layer."""
    model = build("text")
    assert all(block.cross_attn.is_cross_attention and block.text_window == (1, 4, 4) for block in model.blocks)
    given = inputs(model)
    tokens, block_inputs = model.embed(**given)
    changed = block_inputs._replace(encoder_hidden_states=block_inputs.encoder_hidden_states + 1)
    for block in model.blocks:
        assert (block(tokens, *changed) - block(tokens, *block_inputs))[0].abs().max() > 1e-4


@torch.no_grad()
def test_no_text_means_the_learned_null_token():
    model = build("text")
    given = inputs(model)
    text = given.pop("encoder_hidden_states")
    mask = given.pop("encoder_attention_mask")
    null = model(**given).sample
    both = model(**given, encoder_hidden_states=text, encoder_attention_mask=mask).sample
    torch.testing.assert_close(both[1], null[1], rtol=1e-5, atol=1e-5)  # nothing is left of the second text
    assert (both[0] - null[0]).abs().max() > 1e-3
    short = model(**{k: v[:1] for k, v in given.items()}, encoder_hidden_states=text[:1, :3]).sample
    torch.testing.assert_close(both[:1], short, rtol=1e-4, atol=1e-5)  # masked tokens are as if they were not there
    model.text_embed.null.add_(1.0)
    assert (model(**given).sample - null).abs().max() > 1e-3


def test_given_frames_are_masked_latents_and_the_mask():
    """WALT §4.4: c_fp = concat(m * z, m)."""
    clean, like = torch.randn(2, 3, 4, 2, 2), torch.zeros(2, 3, 4, 2, 2)
    mask = torch.tensor([[True, False, False, False], [True, True, False, False]])
    clean[0, :, 1] = torch.nan
    planes = given_frames(clean, mask, like)
    assert planes.shape == (2, 4, 4, 2, 2)
    torch.testing.assert_close(planes[1, :3, :2], clean[1, :, :2], rtol=0, atol=0)
    assert planes[0, :, 1:].abs().max() == 0 and planes[1, :, 2:].abs().max() == 0
    assert planes[:, 3].amax((-1, -2)).bool().tolist() == mask.tolist()
    assert given_frames(None, None, like).abs().max() == 0


@torch.no_grad()
@pytest.mark.parametrize("count", [1, 2])
def test_one_or_two_given_frames_condition_and_none_means_zeros(count: int):
    """WALT §4.4: image to video gives one latent frame, video prediction two."""
    model = build("frames")
    given = inputs(model)
    clean = given.pop("frame_condition")
    given.pop("frame_mask")
    mask = torch.arange(3).expand(2, 3) < count
    none = model(**given).sample
    zeros = model(**given, frame_condition=clean, frame_mask=torch.zeros_like(mask)).sample
    torch.testing.assert_close(zeros, none, rtol=0, atol=0)
    seen = model(**given, frame_condition=clean, frame_mask=mask).sample
    assert (seen - none).abs().max() > 1e-3
    hidden = clean.clone()
    hidden[:, :, count:] += 1.0
    torch.testing.assert_close(model(**given, frame_condition=hidden, frame_mask=mask).sample, seen, rtol=0, atol=0)


@torch.no_grad()
def test_low_resolution_goes_through_depth_to_space():
    """WALT §4.5; channel c * 4 + 2 * y + x of the convolution becomes pixel (2 i + y, 2 j + x) of channel c."""
    module = WaltLowResolution(2, 2, 8)
    latents = torch.randn(1, 2, 3, 4, 5)
    found = module(latents)
    assert found.shape == (1, 2, 3, 8, 10)
    for frame in range(3):
        planes = F.conv2d(latents[:, :, frame], module.conv.weight, module.conv.bias, padding=1)
        for channel in range(2):
            for y in range(2):
                for x in range(2):
                    expected = planes[0, channel * 4 + 2 * y + x]
                    torch.testing.assert_close(found[0, channel, frame, y::2, x::2], expected)


@torch.no_grad()
def test_low_resolution_and_its_noise_level_condition_the_output():
    model = build("super")
    given = inputs(model)
    before = model(**given).sample
    assert (model(**given | {"low_res": given["low_res"] + 1}).sample - before).abs().max() > 1e-3
    assert (model(**given | {"low_res_timestep": torch.tensor([900, 50])}).sample - before)[0].abs().max() > 1e-3
    absent = model(**given | {"low_res_timestep": None}).sample
    torch.testing.assert_close(model(**given | {"low_res_timestep": torch.tensor([0, 0])}).sample, absent)


@torch.no_grad()
def test_a_stack_of_images_may_give_each_its_own_conditions():
    """WALT §4.1: T independent images in one batch element, with their own labels, noise levels and texts."""
    model = build("class", text_dim=6)
    latents, text = torch.randn(1, 4, 3, 4, 4), torch.randn(1, 3, 5, 6)
    labels, steps = torch.tensor([[0, 2, 3]]), torch.tensor([[10, 500, 900]])
    stack = model(
        latents, steps, class_labels=labels, image_mask=torch.tensor([True]), encoder_hidden_states=text
    ).sample
    for frame in range(3):
        alone = model(
            latents[:, :, frame : frame + 1],
            steps[:, frame],
            class_labels=labels[:, frame],
            encoder_hidden_states=text[:, frame],
        ).sample
        torch.testing.assert_close(stack[:, :, frame : frame + 1], alone, rtol=1e-4, atol=1e-5)


@torch.no_grad()
def test_separate_modulations_are_a_projection_of_each_block():
    """WALT Table 4, L with separate AdaLN: A_i = W_i e + b_i."""
    model = build("separate")
    assert model.adaln is None
    tokens, block_inputs = model.embed(**inputs(model))
    layer = model.blocks[1].modulation
    assert block_inputs.shared_modulation is None
    expected = block_inputs.embedding @ layer.linear.weight.T + layer.linear.bias
    scale1, shift1, gate1, scale2, shift2, gate2 = layer(None, block_inputs.embedding)
    rebuilt = torch.cat([scale1, scale2, shift1, shift2, gate1, gate2], dim=-1)[:, 0]
    torch.testing.assert_close(rebuilt, expected)
    assert tokens.shape == (2, 48, 16)


def test_parameters_exist_only_for_what_the_config_asks():
    plain = set(build("video").state_dict())
    assert set(build("image").state_dict()) == set(build("frames").state_dict()) == plain
    added = {
        "class": {"class_embed.weight"},
        "super": {f"low_res_embed.{name}" for name in ("conv.weight", "conv.bias")}
        | {f"low_res_embed.time_embed.linear_{i}.{kind}" for i in (1, 2) for kind in ("weight", "bias")},
    }
    for variant, names in added.items():
        assert set(build(variant).state_dict()) - plain == names
    text = set(build("text").state_dict()) - plain
    assert {name for name in text if not name.startswith("blocks.")} == {
        "text_embed.null",
        "text_embed.proj.weight",
        "text_embed.proj.bias",
    }
    assert plain - set(build("separate").state_dict()) == {"adaln.weight", "adaln.bias"} | {
        f"blocks.{i}.modulation.{name}.weight" for i in (1, 2, 3) for name in ("down", "up")
    }
