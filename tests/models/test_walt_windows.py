# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Windows that do not divide the grid, and the position tables behind them, against loops over tokens."""

import itertools
import math

import pytest
import torch

from hf_vdrep.models.walt_attention import WaltAttention
from hf_vdrep.models.walt_position import WaltRelativePositionBias, interpolate_line
from hf_vdrep.models.walt_windows import fit_window, from_windows, padded_grid, to_windows, window_mask

GRID = (3, 5, 7)
WINDOWS = [(1, 4, 4), (3, 2, 3), (3, 5, 2), (1, 5, 7), (2, 3, 7)]


@pytest.fixture
def attn() -> WaltAttention:
    torch.manual_seed(0)
    attn = WaltAttention(8, 2, GRID)
    for parameter in attn.parameters():
        torch.nn.init.normal_(parameter, std=0.5)
    return attn.eval().requires_grad_(False)


def box_of(token: tuple[int, int, int], window: tuple[int, int, int]) -> tuple[int, ...]:
    return tuple(place // size for place, size in zip(token, window, strict=True))


@pytest.mark.parametrize("window", WINDOWS)
def test_padding_fills_windows_up_and_is_dropped_again(window: tuple[int, int, int]):
    tokens = torch.randn(2, math.prod(GRID), 3)
    windows = to_windows(tokens, GRID, window)
    padded = padded_grid(GRID, window)
    assert all(p % w == 0 and 0 <= p - g < w for p, g, w in zip(padded, GRID, window, strict=True))
    assert windows.shape == (2 * math.prod(padded) // math.prod(window), math.prod(window), 3)
    torch.testing.assert_close(from_windows(windows, GRID, window), tokens, rtol=0, atol=0)
    mask = window_mask(GRID, window, tokens.device)
    if mask is not None:
        assert mask.sum() == math.prod(GRID) and mask.any(1).all()
        assert windows[~mask.repeat(2, 1)].abs().max() == 0


@pytest.mark.parametrize("window", WINDOWS)
@pytest.mark.parametrize("image", [False, True])
def test_attention_is_softmax_over_the_tokens_of_the_box(
    attn: WaltAttention, window: tuple[int, int, int], image: bool
):
    """Token by token: the others in its box of the grid, and nothing that was appended (WALT §4.2)."""
    tokens = torch.randn(1, math.prod(GRID), 8)
    places = list(itertools.product(*map(range, GRID)))
    query, key, value = (part[0] for part in attn.project(tokens))
    query, key = attn.norm_q(query), attn.norm_k(key)
    time, space = attn.position_bias.time, attn.position_bias.space
    rows = []
    for i, one in enumerate(places):
        near = [j for j, other in enumerate(places) if box_of(other, window) == box_of(one, window)]
        heads = []
        for head in range(2):
            bias = [
                time[one[0] - places[j][0] + 2, head]
                + space[one[1] - places[j][1] + 4, one[2] - places[j][2] + 6, head]
                for j in near
            ]
            scores = key[near, head] @ query[i, head] / 2 + torch.stack(bias)
            heads.append(scores.softmax(0) @ value[near, head])
        rows.append(torch.cat(heads))
    expected = value.flatten(1) if image else torch.stack(rows)
    found = attn(tokens, GRID, window, torch.tensor([image]))
    torch.testing.assert_close(found[0], attn.to_out[0](expected), rtol=1e-4, atol=1e-5)


def test_a_window_larger_than_the_frame_sees_the_frame(attn: WaltAttention):
    tokens = torch.randn(1, math.prod(GRID), 8)
    assert fit_window((1, 9, 9), GRID) == (1, 5, 7)
    torch.testing.assert_close(attn(tokens, GRID, (1, 9, 9)), attn(tokens, GRID, (1, 5, 7)), rtol=0, atol=0)


def test_changing_one_window_leaves_the_others_unchanged(attn: WaltAttention):
    """WALT §4.2, also where the last windows are filled up."""
    tokens = torch.randn(1, math.prod(GRID), 8)
    changed = tokens.clone().unflatten(1, GRID)
    changed[:, :, 4:, 4:] += 1.0
    difference = attn(changed.flatten(1, 3), GRID, (3, 4, 4)) - attn(tokens, GRID, (3, 4, 4))
    moved = difference.abs().amax(-1).view(GRID) > 1e-6
    assert moved[:, 4:, 4:].all() and not moved[:, :4].any() and not moved[:, :, :4].any()


def test_bias_of_a_window_within_the_grid_reads_the_table_itself():
    bias = WaltRelativePositionBias(1, GRID).requires_grad_(False)
    bias.space.copy_(torch.arange(9 * 13).view(9, 13, 1))
    out = bias((1, 2, 2))[0]
    assert out[0, 0] == 4 * 13 + 6 and out[0, 1] == 4 * 13 + 5 and out[3, 0] == 5 * 13 + 7


def test_line_interpolation_keeps_the_ends_and_straight_lines():
    line = torch.tensor([[0.0, 1.0], [2.0, 0.0], [4.0, -1.0]])
    expected = torch.stack([torch.linspace(0, 4, 5), torch.linspace(1, -1, 5)], dim=1)
    torch.testing.assert_close(interpolate_line(line, 5), expected)
    assert interpolate_line(line, 3) is line
