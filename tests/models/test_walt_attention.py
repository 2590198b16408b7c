# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Window attention against loops and closed forms."""

import math

import pytest
import torch

from hf_vdrep.models.walt_attention import WaltAttention
from hf_vdrep.models.walt_position import WaltRelativePositionBias, interpolate_space
from hf_vdrep.models.walt_windows import from_windows, to_windows

GRID = (3, 4, 6)


def scattered(module: torch.nn.Module) -> torch.nn.Module:
    torch.manual_seed(0)
    for parameter in module.parameters():
        torch.nn.init.normal_(parameter, std=0.5)
    return module.eval().requires_grad_(False)


@pytest.mark.parametrize("window", [(1, 4, 6), (3, 2, 2), (3, 4, 3), (1, 1, 1)])
def test_windows_hold_neighbouring_tokens(window: tuple[int, int, int]):
    """Non-overlapping boxes of the grid, tokens in the order t, h, w inside each (WALT §4.2)."""
    positions = torch.cartesian_prod(*map(torch.arange, GRID)).float()[None]
    windows = to_windows(positions, GRID, window)
    assert windows.shape[1] == math.prod(window)
    for tokens in windows:
        offsets = tokens - tokens[0]
        torch.testing.assert_close(offsets, torch.cartesian_prod(*map(torch.arange, window)).float().view(-1, 3))
    torch.testing.assert_close(from_windows(windows, GRID, window), positions, rtol=0, atol=0)


def test_position_bias_depends_on_the_offset_alone():
    """Swin-style bias (WALT §4.2): entry (i, j) is time[t_i - t_j] + space[h_i - h_j, w_i - w_j], by a plain loop."""
    bias = scattered(WaltRelativePositionBias(2, GRID))
    window = (3, 2, 3)
    out = bias(window)
    tokens = [(t, h, w) for t in range(3) for h in range(2) for w in range(3)]
    for i, (t1, h1, w1) in enumerate(tokens):
        for j, (t2, h2, w2) in enumerate(tokens):
            expected = bias.time[t1 - t2 + 2] + bias.space[h1 - h2 + 3, w1 - w2 + 5]
            torch.testing.assert_close(out[:, i, j], expected)


def test_position_bias_of_a_larger_window_is_interpolated():
    """Tables linear in the offset stay linear when they are stretched, with the outermost offsets where they were."""
    bias = WaltRelativePositionBias(1, GRID).requires_grad_(False)
    bias.time.copy_(torch.linspace(-1, 1, 5)[:, None])
    bias.space.copy_(torch.linspace(-1, 1, 7)[:, None, None].expand(7, 11, 1))
    out = bias((5, 4, 6))[0].view(5, 4, 6, 5, 4, 6)
    torch.testing.assert_close(out[4, 0, 0, 0, 0, 0].item() - out[0, 0, 0, 0, 0, 0].item(), 1.0)
    torch.testing.assert_close(out[:, 0, 0, 0, 0, 0] - out[0, 0, 0, 0, 0, 0], torch.arange(5) / 4)
    wide = bias((1, 4, 8))[0].view(4, 8, 4, 8)
    torch.testing.assert_close(wide[3, 0, 0, 0], torch.tensor(1.0))
    torch.testing.assert_close(wide[3, :, 0, 0], torch.ones(8))


def reference_attention(attn: WaltAttention, tokens: torch.Tensor, window: tuple[int, int, int]) -> torch.Tensor:
    """Softmax attention window by window and head by head, from the weights."""
    windows = to_windows(tokens, GRID, window)
    bias = attn.position_bias(window)
    heads, width = attn.heads, tokens.shape[-1] // attn.heads
    rows = []
    for rest in windows:
        parts = []
        for head in range(heads):
            cut = slice(head * width, (head + 1) * width)
            query, key = (norm(to(rest)[:, cut]) for norm, to in ((attn.norm_q, attn.to_q), (attn.norm_k, attn.to_k)))
            scores = query @ key.T / math.sqrt(width) + bias[head]
            parts.append(scores.softmax(-1) @ attn.to_v(rest)[:, cut])
        rows.append(torch.cat(parts, dim=-1))
    return attn.to_out[0](from_windows(torch.stack(rows), GRID, window))


@pytest.mark.parametrize("window", [(1, 4, 6), (3, 2, 2)])
def test_attention_is_softmax_within_each_window(window: tuple[int, int, int]):
    attn = scattered(WaltAttention(8, 2, GRID))
    tokens = torch.randn(2, math.prod(GRID), 8)
    torch.testing.assert_close(attn(tokens, GRID, window), reference_attention(attn, tokens, window))


def test_windows_do_not_see_each_other():
    """WALT §4.2: changing the tokens of one window leaves the others alone."""
    attn = scattered(WaltAttention(8, 2, GRID))
    tokens = torch.randn(1, math.prod(GRID), 8)
    changed = tokens.clone().unflatten(1, GRID)
    changed[:, :, :2, :2] += 1.0
    difference = attn(changed.flatten(1, 3), GRID, (3, 2, 2)) - attn(tokens, GRID, (3, 2, 2))
    moved = difference.abs().amax(-1).view(GRID) > 1e-6
    assert moved[:, :2, :2].all()
    assert not moved[:, 2:].any() and not moved[:, :, 2:].any()


def test_the_scale_of_queries_and_keys_does_not_matter():
    """QK-norm (WALT §5.2): logits stay bounded however large the projections grow."""
    attn = scattered(WaltAttention(8, 2, GRID))
    for module in (attn.to_q, attn.to_k):
        module.bias.zero_()
    tokens = torch.randn(1, math.prod(GRID), 8)
    before = attn(tokens, GRID, (1, 4, 6))
    attn.to_q.weight.mul_(7.0)
    attn.to_k.weight.mul_(3.0)
    torch.testing.assert_close(attn(tokens, GRID, (1, 4, 6)), before, rtol=1e-3, atol=1e-4)


def test_image_samples_pass_their_values_through():
    """WALT §4.2, identity mask: in a mixed batch the image's tokens attend to themselves alone."""
    attn = scattered(WaltAttention(8, 2, GRID))
    tokens = torch.randn(2, math.prod(GRID), 8)
    mixed = attn(tokens, GRID, (3, 2, 2), torch.tensor([True, False]))
    torch.testing.assert_close(mixed[0], attn.to_out[0](attn.to_v(tokens[0])))
    torch.testing.assert_close(mixed[1:], attn(tokens[1:], GRID, (3, 2, 2)))
    torch.testing.assert_close(attn.identity(tokens[0]), mixed[0])


def test_an_image_attends_as_under_an_explicit_identity_mask():
    """The identity rule is softmax attention with every other token masked out."""
    attn = scattered(WaltAttention(8, 2, GRID))
    tokens = torch.randn(1, math.prod(GRID), 8)
    value = attn.to_v(tokens)
    mask = torch.full((value.shape[1],) * 2, -torch.inf).fill_diagonal_(0.0)
    attended = torch.nn.functional.scaled_dot_product_attention(tokens, tokens, value, attn_mask=mask)
    torch.testing.assert_close(attn.identity(tokens), attn.to_out[0](attended))


def test_position_table_is_kept_at_its_own_size_and_resized_otherwise():
    table = torch.randn(4, 4, 3)
    assert interpolate_space(table, (4, 4)) is table
    constant = torch.full((4, 4, 3), 2.5)
    torch.testing.assert_close(interpolate_space(constant, (4, 7)), torch.full((4, 7, 3), 2.5))
