# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Tiles and slices: the result of the whole, in less memory."""

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from hf_vdrep.models import AutoencoderWalt
from hf_vdrep.models.autoencoder_tiling import Tiling, tiled_conv
from hf_vdrep.models.causal_conv import CausalConv3d

CPU = torch.device("cpu")


class LargestTensor(TorchDispatchMode):
    """Most elements of any tensor that an operation returned."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name, self.elements = name, 0

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        result = function(*args, **(kwargs or {}))
        if torch.is_tensor(result) and self.name in str(function):
            self.elements = max(self.elements, result.numel())
        return result


@pytest.mark.parametrize("tile", [(8, 8), (16, 8), (5, 7), (24, 100)])
def test_tiles_give_the_latents_and_the_pixels_of_the_whole(autoencoder: AutoencoderWalt, tile: tuple[int, int]):
    """GroupNorm pools over whole frames; statistics of tiles would differ by far more than 1e-4."""
    video = torch.rand(2, 3, 9, 32, 40, generator=torch.Generator().manual_seed(0)) * 2 - 1
    latents = autoencoder.encode(video).latent_dist.mode()
    pixels = autoencoder.decode(latents).sample
    autoencoder.enable_tiling(*tile)
    torch.testing.assert_close(autoencoder.encode(video).latent_dist.mode(), latents, rtol=0, atol=1e-4)
    torch.testing.assert_close(autoencoder.decode(latents).sample, pixels, rtol=0, atol=1e-4)
    autoencoder.disable_tiling()
    assert torch.equal(autoencoder.decode(latents).sample, pixels)


def test_tiles_on_their_own_would_not_do(autoencoder: AutoencoderWalt):
    """Why layers are cut and not the clip: each tile has other statistics."""
    video = torch.rand(1, 3, 1, 32, 64, generator=torch.Generator().manual_seed(0)) * 2 - 1
    video[..., 32:] *= 0.1
    whole = autoencoder.encode(video).latent_dist.mode()
    left = autoencoder.encode(video[..., :32]).latent_dist.mode()
    assert (left - whole[..., :4])[..., :2].abs().max() > 1e-2


def test_a_tiled_stream_is_the_tiled_whole(autoencoder: AutoencoderWalt):
    video = torch.rand(1, 3, 9, 32, 32, generator=torch.Generator().manual_seed(0)) * 2 - 1
    autoencoder.enable_tiling(16, 16)
    latents = autoencoder.encode(video).latent_dist.mode()
    assert torch.equal(torch.cat(list(autoencoder.encode_stream(video.split(3, dim=2))), dim=2), latents)
    pixels = autoencoder.decode(latents).sample
    assert torch.equal(torch.cat(list(autoencoder.decode_stream(latents.split(2, dim=2))), dim=2), pixels)


@pytest.mark.parametrize(("kernel", "stride"), [((3, 3, 3), (1, 1, 1)), ((3, 3, 3), (2, 2, 2)), ((1, 5, 1), (1, 2, 1))])
@pytest.mark.parametrize("tile", [(1, 1), (2, 3), (9, 9)])
def test_a_tiled_convolution_is_the_convolution(kernel: tuple, stride: tuple, tile: tuple[int, int]):
    """Each tile's halo holds its real neighbours, and zeros over the border only; the cache is whole."""
    torch.manual_seed(0)
    conv = CausalConv3d(2, 3, kernel, stride)
    x, later = torch.randn(1, 2, 5, 6, 8), torch.randn(1, 2, 4, 6, 8)
    tiling = Tiling(*tile, CPU, CPU)
    expected, cache = conv(x, {})
    out, tiled_cache = tiled_conv(conv, x, {}, tiling)
    torch.testing.assert_close(out, expected, rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(
        tiled_conv(conv, later, tiled_cache, tiling)[0], conv(later, cache)[0], rtol=1e-5, atol=1e-5
    )
    assert tiled_conv(conv, x, None, tiling)[1] is None


@torch.no_grad()
def test_working_memory_is_bounded_by_the_tile(autoencoder: AutoencoderWalt):
    """No activation and no convolution returns more than a tile (and its halo) of any layer."""
    latents = torch.zeros(1, 4, 1, 16, 16)
    autoencoder.enable_tiling(16, 16)
    for name in ("convolution", "silu"):
        with LargestTensor(name) as tiled:
            autoencoder.decode(latents)
        autoencoder.disable_tiling()
        with LargestTensor(name) as whole:
            autoencoder.decode(latents)
        autoencoder.enable_tiling()
        assert whole.elements >= 8 * 64 * 64 and 0 < tiled.elements <= 64 * 18 * 18


def test_small_inputs_stay_whole(autoencoder: AutoencoderWalt, clip: torch.Tensor):
    whole = autoencoder.encode(clip).latent_dist.mode()
    autoencoder.enable_tiling()
    assert (autoencoder.tile_sample_min_height, autoencoder.tile_sample_min_width) == (256, 256)
    assert torch.equal(autoencoder.encode(clip).latent_dist.mode(), whole)


def test_half_precision_tiles_stay_close(autoencoder: AutoencoderWalt):
    autoencoder.to(torch.bfloat16)
    video = (torch.rand(1, 3, 5, 32, 32, generator=torch.Generator().manual_seed(0)) * 2 - 1).bfloat16()
    whole = autoencoder.encode(video).latent_dist.mode()
    autoencoder.enable_tiling(16, 16, tile_storage_device="cpu")
    tiled = autoencoder.encode(video).latent_dist.mode()
    assert tiled.dtype == torch.bfloat16
    assert (tiled - whole).abs().mean() < 0.02 * whole.abs().mean()


def test_slices_give_the_batch(autoencoder: AutoencoderWalt, clip: torch.Tensor, noisy: torch.Tensor):
    latents, pixels = autoencoder.encode(clip).latent_dist.mode(), autoencoder.decode(noisy).sample
    autoencoder.enable_slicing()
    torch.testing.assert_close(autoencoder.encode(clip).latent_dist.mode(), latents, rtol=0, atol=1e-5)
    torch.testing.assert_close(autoencoder.decode(noisy).sample, pixels, rtol=0, atol=1e-5)
    autoencoder.enable_tiling(16, 16)
    torch.testing.assert_close(autoencoder.encode(clip).latent_dist.mode(), latents, rtol=0, atol=1e-4)
    autoencoder.disable_slicing()
    autoencoder.disable_tiling()
    assert torch.equal(autoencoder.decode(noisy).sample, pixels)


def test_a_tile_without_extent_is_refused(autoencoder: AutoencoderWalt):
    with pytest.raises(ValueError, match="tile_sample_min_width must be at least 1, got 0"):
        autoencoder.enable_tiling(16, 0)
