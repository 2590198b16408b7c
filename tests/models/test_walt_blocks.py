# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""AdaLN-LoRA and the two kinds of block, against their formulae."""

import pytest
import torch
import torch.nn.functional as F

from hf_vdrep.models.walt_blocks import WaltSpatialBlock, WaltSpatiotemporalBlock
from hf_vdrep.models.walt_modulation import AdaLayerNormLora

GRID = (2, 2, 4)
DIM = 8


def scattered(module: torch.nn.Module) -> torch.nn.Module:
    torch.manual_seed(0)
    for parameter in module.parameters():
        torch.nn.init.normal_(parameter, std=0.5)
    return module.eval().requires_grad_(False)


def test_block_modulation_is_the_shared_one_plus_a_low_rank_term():
    """WALT Eq. 3: A_i = A_1 + W_b W_a (c + t), split into scale, scale, shift, shift, gate, gate."""
    module = scattered(AdaLayerNormLora(DIM, rank=2))
    shared, embedding = torch.randn(3, 6 * DIM), torch.randn(3, DIM)
    expected = shared + embedding @ module.down.weight.T @ module.up.weight.T
    scale1, shift1, gate1, scale2, shift2, gate2 = module(shared, embedding)
    rebuilt = torch.cat([scale1, scale2, shift1, shift2, gate1, gate2], dim=-1)[:, 0]
    torch.testing.assert_close(rebuilt, expected)
    assert torch.linalg.matrix_rank(module.up.weight @ module.down.weight) == 2


def test_first_block_uses_the_shared_modulation_alone():
    """WALT Eq. 3: only blocks after the first have a correction."""
    module = AdaLayerNormLora(DIM, rank=0)
    shared = torch.randn(3, 6 * DIM)
    assert sum(p.numel() for p in module.parameters()) == 0
    torch.testing.assert_close(module(shared, torch.randn(3, DIM))[0][:, 0], shared[:, :DIM])


@pytest.mark.parametrize(("kind", "window"), [(WaltSpatialBlock, (1, 2, 4)), (WaltSpatiotemporalBlock, (2, 2, 2))])
def test_block_is_two_gated_residual_branches(kind: type, window: tuple[int, int, int]):
    """x + gate * attn(scale-shift(LN x)), then the same around the MLP."""
    block = scattered(kind(DIM, 2, GRID, window, 2, 4.0))
    x, shared, embedding = torch.randn(2, 16, DIM), torch.randn(2, 6 * DIM), torch.randn(2, DIM)
    a = shared + embedding @ block.modulation.down.weight.T @ block.modulation.up.weight.T
    scale1, scale2, shift1, shift2, gate1, gate2 = (part[:, None] for part in a.chunk(6, dim=-1))
    branch = F.layer_norm(x, (DIM,), eps=1e-6) * (1 + scale1) + shift1
    y = x + gate1 * block.attn(branch, GRID, window)
    branch = F.layer_norm(y, (DIM,), eps=1e-6) * (1 + scale2) + shift2
    expected = y + gate2 * block.ff(branch)
    torch.testing.assert_close(block(x, shared, embedding, GRID), expected, rtol=1e-4, atol=1e-4)


def test_spatial_block_keeps_frames_apart_and_the_other_joins_them():
    """WALT §4.2: spatial windows lie within a frame, spatiotemporal windows span all frames."""
    x, shared, embedding = torch.randn(1, 16, DIM), torch.randn(1, 6 * DIM), torch.randn(1, DIM)
    changed = x.clone()
    changed[:, 8:] = torch.randn(1, 8, DIM)
    moved = {}
    for kind, window in ((WaltSpatialBlock, (1, 2, 4)), (WaltSpatiotemporalBlock, (2, 2, 2))):
        block = scattered(kind(DIM, 2, GRID, window, 0, 4.0))
        difference = block(changed, shared, embedding, GRID) - block(x, shared, embedding, GRID)
        moved[kind] = difference[:, :8].abs().max()
    assert moved[WaltSpatialBlock] < 1e-6 < 1e-3 < moved[WaltSpatiotemporalBlock]
