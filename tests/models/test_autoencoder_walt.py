# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""The tokenizer: causality, shapes, latent statistics, clear errors."""

from pathlib import Path

import pytest
import torch

from hf_vdrep.models import AutoencoderWalt
from hf_vdrep.models.autoencoder_blocks import DepthToSpaceUpsampler, depth_to_space_3d


def test_first_frame_latent_ignores_the_future(autoencoder: AutoencoderWalt, clip: torch.Tensor):
    """WALT §4.1: the first frame is encoded on its own, so an image is a one-frame video. To the bit, in a batch."""
    alone = autoencoder.encode(clip[:, :, :1]).latent_dist.mode()
    together = autoencoder.encode(clip).latent_dist.mode()[:, :, :1]
    torch.testing.assert_close(together, alone, rtol=0, atol=0)


def test_a_batch_gives_the_latents_of_its_clips(autoencoder: AutoencoderWalt, clip: torch.Tensor):
    """The convolution library sums in another order for another batch, so only to rounding."""
    together = autoencoder.encode(clip).latent_dist.mode()
    alone = torch.cat([autoencoder.encode(item).latent_dist.mode() for item in clip.split(1)])
    torch.testing.assert_close(together, alone, rtol=0, atol=1e-5)


@pytest.mark.parametrize("step", [1, 2])
def test_encoder_never_sees_the_future(autoencoder: AutoencoderWalt, clip: torch.Tensor, step: int):
    """WALT §4.1, causal 3-D convolutions: latent step k sees frames up to 4k."""
    changed = clip.clone()
    changed[:, :, 4 * step - 3 :] = 0.5
    before, after = (autoencoder.encode(x).latent_dist.mode() for x in (clip, changed))
    torch.testing.assert_close(after[:, :, :step], before[:, :, :step], rtol=0, atol=1e-5)
    assert (after[:, :, step] - before[:, :, step]).abs().max() > 1e-3


@pytest.mark.parametrize("step", [1, 2])
def test_decoder_never_sees_the_future(autoencoder: AutoencoderWalt, noisy: torch.Tensor, step: int):
    """WALT §4.1: frames up to 4k are decoded from the latent steps up to k."""
    changed = noisy.clone()
    changed[:, :, step:] = 0.5
    before, after = (autoencoder.decode(z).sample for z in (noisy, changed))
    known = 4 * (step - 1) + 1
    torch.testing.assert_close(after[:, :, :known], before[:, :, :known], rtol=0, atol=1e-5)
    assert (after[:, :, known:] - before[:, :, known:]).abs().max() > 1e-3


def test_an_image_decodes_like_the_first_frame_of_a_video(autoencoder: AutoencoderWalt, noisy: torch.Tensor):
    alone, together = autoencoder.decode(noisy[:, :, :1]).sample, autoencoder.decode(noisy).sample
    torch.testing.assert_close(together[:, :, :1], alone, rtol=0, atol=0)


def test_one_piece_and_frame_by_frame_agree(autoencoder: AutoencoderWalt, clip: torch.Tensor, noisy: torch.Tensor):
    """Causality: what comes later changes nothing, so a clip may be worked off in time order."""
    latents, pixels = autoencoder.encode(clip).latent_dist.mode(), autoencoder.decode(noisy).sample
    autoencoder.use_framewise_encoding = autoencoder.use_framewise_decoding = False
    torch.testing.assert_close(autoencoder.encode(clip).latent_dist.mode(), latents, rtol=0, atol=1e-5)
    torch.testing.assert_close(autoencoder.decode(noisy).sample, pixels, rtol=0, atol=1e-5)


@pytest.mark.parametrize(("frames", "steps"), [(1, 1), (5, 2), (9, 3)])
def test_frames_and_latent_steps_go_one_plus_four_k(autoencoder: AutoencoderWalt, frames: int, steps: int):
    """WALT Table 8: f_s = 8, f_t = 4, the first frame on its own; sizes need not be square."""
    latents = autoencoder.encode(torch.zeros(1, 3, frames, 16, 32)).latent_dist.mode()
    assert latents.shape == (1, 4, steps, 2, 4)
    assert autoencoder.decode(latents).sample.shape == (1, 3, frames, 16, 32)
    assert (autoencoder.spatial_compression_ratio, autoencoder.temporal_compression_ratio) == (8, 4)


def test_strides_are_chosen_step_by_step():
    """Space alone, time alone, both, neither: 4x in space, 4x in time; channels multiply accordingly."""
    torch.manual_seed(0)
    model = AutoencoderWalt(
        latent_channels=4, block_out_channels=(4, 4, 4, 4, 8), layers_per_block=0, mid_block_layers=1,
        temporal_downsample=(False, True, True, False), spatial_downsample=(True, False, True, False),
        norm_num_groups=2,
    )  # fmt: skip
    assert (model.spatial_compression_ratio, model.temporal_compression_ratio) == (4, 4)
    latents = model.encode(torch.zeros(1, 3, 9, 8, 12)).latent_dist.mode()
    assert latents.shape == (1, 4, 3, 2, 3) and model.decode(latents).sample.shape == (1, 3, 9, 8, 12)
    assert [block.conv.out_channels for s in model.decoder.up_blocks if (block := s.upsampler)] == [4, 32, 8, 16]


def test_default_layout_is_table_8():
    """WALT Table 8, UCF-101: 17x128x128x3 -> 5x16x16x8 with multipliers 1, 2, 2, 4 of 128 channels."""
    with torch.device("meta"):
        model = AutoencoderWalt()
        latents = model.encode(torch.empty(1, 3, 17, 128, 128)).latent_dist.mode()
    assert latents.shape == (1, 8, 5, 16, 16)
    assert model.encoder.conv_in.out_channels == 128 and model.encoder.conv_out.in_channels == 512


def test_depth_to_space_puts_channels_where_their_index_says():
    """Channel index ((t * 2 + h) * 2 + w) * C + c goes to offset (t, h, w) of channel c."""
    x = torch.arange(16.0).view(1, 16, 1, 1, 1)
    out = depth_to_space_3d(x, (2, 2, 2))
    expected = torch.arange(16.0).view(2, 2, 2, 2).permute(3, 0, 1, 2)[None]
    torch.testing.assert_close(out, expected, rtol=0, atol=0)


def test_temporal_upsampler_drops_the_second_frame():
    """papers.md §1.3: after every temporal doubling keep index 0 and 2.. so that 1 + k becomes 1 + 2k."""
    torch.manual_seed(0)
    upsampler = DepthToSpaceUpsampler(2, 3, 3, temporal=True)
    x = torch.randn(1, 2, 3, 2, 2)
    whole = depth_to_space_3d(upsampler.conv(x)[0], (2, 2, 2))
    torch.testing.assert_close(upsampler(x)[0], whole[:, :, [0, 2, 3, 4, 5]], rtol=0, atol=0)


def test_normalised_latents_have_the_statistics_of_the_config(autoencoder: AutoencoderWalt):
    """WALT Table 3e, by channel: (z - mean) / std, and back."""
    latents = torch.randn(2, 4, 3, 4, 4)
    normalised = autoencoder.normalize(latents)
    torch.testing.assert_close(normalised[:, 1], (latents[:, 1] + 0.2) / 1.5)
    torch.testing.assert_close(autoencoder.denormalize(normalised), latents)


def test_slicing_gives_the_same_latents(autoencoder: AutoencoderWalt, clip: torch.Tensor):
    whole = autoencoder.encode(clip).latent_dist.mode()
    autoencoder.use_slicing = True
    torch.testing.assert_close(autoencoder.encode(clip).latent_dist.mode(), whole, rtol=0, atol=1e-5)


def test_save_and_load_keep_weights_and_statistics(autoencoder: AutoencoderWalt, clip: torch.Tensor, tmp_path: Path):
    autoencoder.save_pretrained(tmp_path)
    loaded = AutoencoderWalt.from_pretrained(tmp_path)
    assert loaded.config.latents_std == [0.5, 1.5, 1.0, 2.0]
    torch.testing.assert_close(loaded.state_dict(), autoencoder.state_dict(), rtol=0, atol=0)
    torch.testing.assert_close(loaded(clip).sample, autoencoder(clip).sample, rtol=0, atol=1e-5)


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        ((1, 3, 4, 16, 16), r"sample must have 1 \+ 4k frames, got 4"),
        ((1, 3, 1, 20, 16), "sample height and width must be multiples of 8, got 20x16"),
        ((1, 1, 1, 16, 16), r"sample must be \(B, 3, T, H, W\), got \(1, 1, 1, 16, 16\)"),
        ((3, 1, 16, 16), r"sample must be \(B, 3, T, H, W\)"),
        ((1, 3, 0, 16, 16), r"sample must have 1 \+ 4k frames, got 0"),
    ],
)
def test_wrong_pixels_are_named(autoencoder: AutoencoderWalt, shape: tuple[int, ...], message: str):
    with pytest.raises(ValueError, match=message):
        autoencoder.encode(torch.zeros(shape))


def test_bytes_are_refused_before_a_convolution_trips_over_them(autoencoder: AutoencoderWalt):
    with pytest.raises(ValueError, match=r"sample must be floating point in \[-1, 1\], got torch.uint8"):
        autoencoder.encode(torch.zeros(1, 3, 1, 16, 16, dtype=torch.uint8))


@pytest.mark.parametrize("shape", [(1, 3, 1, 2, 2), (4, 1, 2, 2), (1, 4, 0, 2, 2)])
def test_wrong_latents_are_named(autoencoder: AutoencoderWalt, shape: tuple[int, ...]):
    with pytest.raises(ValueError, match=r"latents must be \(B, 4, T, h, w\), got"):
        autoencoder.decode(torch.zeros(shape))


def test_an_unknown_config_field_is_named(autoencoder: AutoencoderWalt):
    """Ignoring it would build another model than the file describes."""
    with pytest.raises(ValueError, match=r"config has unknown fields \['latent_chanels'\]; known: \['block_out"):
        AutoencoderWalt.from_config({**autoencoder.config, "latent_chanels": 4})
    with pytest.raises(TypeError, match="latent_chanels"):
        AutoencoderWalt(latent_chanels=4)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"latents_mean": [0.0]}, "latents_mean must have latent_channels=8 entries, got 1"),
        ({"layers_per_block": (1, 1)}, r"layers_per_block must be an int or have one entry per level \(4\), got 2"),
        ({"temporal_downsample": (True,)}, r"temporal_downsample must have one entry per step .* \(3\), got 1"),
        ({"spatial_downsample": (True,)}, r"spatial_downsample must have one entry per step .* \(3\), got 1"),
        ({"norm_num_groups": 48}, r"block_out_channels must be multiples of norm_num_groups=48, got \[128, 256"),
        ({"temporal_kernel_sizes": 0}, r"temporal_kernel_sizes must be at least 1, got \[0, 0, 0, 0\]"),
    ],
)
def test_wrong_arguments_are_named(change: dict, message: str):
    with torch.device("meta"), pytest.raises(ValueError, match=message):
        AutoencoderWalt(**change)
