# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Properties of the dense and the recurrent readout and of what they are built from."""

import pytest
import torch
from torch import nn

from hf_vdrep.probes.cross_attention import CrossAttentionBlock
from hf_vdrep.probes.dense import SRTDepthReadout, sub_grid
from hf_vdrep.probes.fourier import fourier_features, pixel_grid

SPANS = torch.tensor([[0, 1], [1, 5], [5, 9]])
NEAREST = {"width": 16, "num_heads": 2, "time_mode": "nearest"}


def scrambled(module: nn.Module) -> nn.Module:
    for parameter in module.parameters():
        nn.init.normal_(parameter, std=0.3)
    return module


def test_cross_attention_equals_torchs_kernel():
    """RMS-normed queries and keys through scaled_dot_product_attention, as an independent truth."""
    torch.manual_seed(0)
    block = scrambled(CrossAttentionBlock(16, 2)).double()
    queries, tokens = torch.randn(3, 5, 16).double(), torch.randn(3, 7, 16).double()

    def heads(x: torch.Tensor) -> torch.Tensor:
        return x.unflatten(-1, (2, 8)).transpose(1, 2)

    rms = nn.functional.rms_norm
    q = rms(heads(block.to_q(block.norm(queries))), (8,), block.q_scale, eps=1e-6)
    k = rms(heads(block.to_k(tokens)), (8,), block.k_scale, eps=1e-6)
    found = nn.functional.scaled_dot_product_attention(q, k, heads(block.to_v(tokens)))
    expected = queries + block.to_out(found.transpose(1, 2).flatten(2))
    expected = expected + block.mlp(block.mlp_norm(expected))
    torch.testing.assert_close(block(queries, *block.keys_values(tokens)), expected, rtol=1e-5, atol=1e-5)


def test_fourier_features_double_the_frequency_each_octave():
    """sin(2^i pi x) and the same shifted by pi / 2."""
    x = torch.tensor([[0.25, 0.5]])
    found = fourier_features(x, 2)[0]
    angles = torch.pi * torch.tensor([0.25, 0.5, 0.5, 1.0])
    torch.testing.assert_close(found, torch.cat([angles.sin(), angles.cos()]), rtol=1e-5, atol=1e-6)


def test_pixel_centres_lie_half_a_pixel_in():
    grid = pixel_grid(2, 4)
    assert grid[0, 0].tolist() == [0.125, 0.25]
    assert grid[1, 3].tolist() == [0.875, 0.75]


def test_sub_grids_of_all_offsets_cover_each_pixel_once():
    index = torch.cat([sub_grid(8, 12, 4, (row, column))[0] for row in range(4) for column in range(4)])
    assert sorted(index.tolist()) == list(range(96))
    index, points = sub_grid(8, 12, 4, (1, 2))
    torch.testing.assert_close(points[0], torch.tensor([2.5 / 12, 1.5 / 8]))
    assert index[0] == 12 + 2
    with pytest.raises(ValueError, match="offset"):
        sub_grid(8, 8, 4, (4, 0))


def test_depth_of_a_pixel_does_not_depend_on_the_others_asked():
    readout = scrambled(SRTDepthReadout(6, SPANS, 9, **NEAREST))
    values, pixels = torch.randn(2, 3, 4, 4, 6), torch.rand(10, 2)
    whole = readout(values, pixels)
    torch.testing.assert_close(readout(values, pixels[3:5]), whole[..., 3:5], rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(readout(values, pixels, torch.tensor([7, 2])), whole[:, [7, 2]], rtol=1e-4, atol=1e-4)


def test_depth_of_a_frame_reads_that_frames_features_alone():
    readout = scrambled(SRTDepthReadout(6, SPANS, 9, **NEAREST))
    values, pixels = torch.randn(1, 3, 4, 4, 6), torch.rand(5, 2)
    other = values.clone()
    other[:, 1] = torch.randn(4, 4, 6)
    change = (readout(values, pixels) - readout(other, pixels)).abs().amax(2)[0]
    assert (change[[0, 5, 6, 7, 8]] == 0).all()
    assert (change[1:5] > 1e-4).all()


def test_depth_starts_at_the_median_of_the_labels():
    readout = SRTDepthReadout(6, SPANS, 9, **NEAREST)
    readout.start_at(torch.tensor([0.0, 2.0, 3.0, 4.0, 99.0]))
    found = readout(torch.randn(1, 3, 4, 4, 6), torch.rand(5, 2)).exp()
    torch.testing.assert_close(found, torch.full_like(found, 3.0))


def test_the_place_of_a_token_matters():
    """Frozen features need not carry position: the readout must tell where a token stands."""
    values, points = torch.randn(1, 3, 4, 4, 6), torch.rand(1, 5, 2)
    depth = scrambled(SRTDepthReadout(6, SPANS, 9, **NEAREST))
    assert (depth(values, points[0]) - depth(values.flip(3), points[0])).abs().max() > 1e-4
