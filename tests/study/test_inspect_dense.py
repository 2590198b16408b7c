# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Dense maps and position patterns, against pooling done directly and patterns put in by hand."""

import zlib

import pytest
import torch
import torch.nn.functional as F

from hf_vdrep.backbones import FeatureMap, PixelBackbone, causal_frame_spans
from hf_vdrep.backbones.base import Backbone
from hf_vdrep.study.inspect_dense import Tap, dense_features, position_pattern


class Placed(Backbone):
    """Mean colour of 8-pixel cells, plus a pattern that depends on the place alone."""

    uses_timestep = True
    num_layers = 1
    stride = 8
    name = fingerprint = "placed"

    def __init__(self, noise=0.0):
        self.pattern = 5 * torch.randn(4, 4, 3, generator=torch.Generator().manual_seed(9))
        self.noise, self.calls = noise, []

    def prepare(self, videos):
        return F.avg_pool2d(videos.float().permute(0, 1, 4, 2, 3).flatten(0, 1), 8).unflatten(0, videos.shape[:2])

    def extract(self, inputs, *, sample_ids, layers, timesteps, seed=0):
        self.calls.append((list(sample_ids), seed))
        values = inputs.permute(0, 1, 3, 4, 2) + self.pattern
        for index, name in enumerate(sample_ids):
            generator = torch.Generator().manual_seed(zlib.crc32(f"{name} {seed}".encode()))
            values[index] += self.noise * torch.randn(values[index].shape, generator=generator)
        return [FeatureMap(values, 0, timesteps[0], causal_frame_spans(inputs.shape[1], 1), 8)]


def frames(count=5, side=32):
    return torch.randint(0, 256, (count, side, side, 3), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("density", [1, 2, 4])
def test_dense_features_are_those_of_cells_centred_on_the_finer_grid(density):
    """Cell (i, j) of the fine grid is the 8 x 8 mean around its centre: pooling with a stride of 8 / density."""
    clip = frames(count=1)
    dense = dense_features(PixelBackbone(patch=8, cells=1, ratio=1), clip, "x", Tap(density=density))
    margin = 4 - 4 // density
    pixels = F.pad(clip.permute(0, 3, 1, 2).float() / 127.5 - 1, (margin,) * 4, mode="replicate")
    expected = F.avg_pool2d(pixels, 8, stride=8 // density).permute(0, 2, 3, 1)
    torch.testing.assert_close(dense.values[0], expected, atol=1e-5, rtol=0)
    assert dense.stride == 8 // density


def test_every_shift_and_draw_has_its_own_noise():
    backbone = Placed()
    dense_features(backbone, frames(), "x", Tap(draws=3, density=2))
    assert [seed for _, seed in backbone.calls] == [0, 1, 2]
    assert all(names == ["x#0", "x#1", "x#2", "x#3"] for names, _ in backbone.calls)


def test_mean_of_draws_has_the_noise_of_a_mean():
    clean = dense_features(Placed(), frames(), "x", Tap()).values
    for draws in (1, 16):
        noisy = dense_features(Placed(noise=2.0), frames(), "x", Tap(draws=draws)).values
        assert abs(float((noisy - clean).std()) - 2 / draws**0.5) < 0.2 * 2 / draws**0.5


def test_pattern_of_places_is_found_whatever_is_seen():
    backbone = Placed()
    expected = backbone.pattern - backbone.pattern.mean((0, 1))
    found = position_pattern(backbone, frames(), "x", Tap())
    torch.testing.assert_close(found, expected, atol=1e-3, rtol=0)
    fine = position_pattern(backbone, frames(), "x", Tap(density=2))
    torch.testing.assert_close(fine[::2, 1::2], expected, atol=1e-3, rtol=0)


def test_density_must_divide_the_cell():
    with pytest.raises(ValueError, match="density must divide the 8 pixels of a cell of placed, got 3"):
        dense_features(Placed(), frames(), "x", Tap(density=3))
    with pytest.raises(ValueError, match="density must be at least 1, got 0"):
        Tap(density=0)
