# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""A 2-D tokenizer grown into a causal 3-D one: single frames stay what they were."""

from pathlib import Path

import pytest
import torch

from hf_vdrep.models import AutoencoderWalt

IMAGE = {
    "latent_channels": 4,
    "block_out_channels": (8, 8, 8, 16),
    "layers_per_block": (0, 1, 1, 1),
    "mid_block_layers": 1,
    "temporal_downsample": (False, False, False),
    "temporal_kernel_sizes": 1,
    "norm_num_groups": 4,
    "latents_std": [0.5, 1.5, 1.0, 2.0],
}


@pytest.fixture
def image_tokenizer() -> AutoencoderWalt:
    torch.manual_seed(0)
    model = AutoencoderWalt(**IMAGE).eval().requires_grad_(False)
    for parameter in model.parameters():
        parameter.copy_(torch.randn_like(parameter) * 0.2)
    return model


@pytest.mark.parametrize(("kernels", "strides"), [(3, None), ((1, 3, 3, 3), (True, True, False)), (5, (False,) * 3)])
@torch.no_grad()
def test_single_frames_are_coded_to_the_bit_as_before(image_tokenizer: AutoencoderWalt, kernels, strides):
    """papers.md §1.2: for a causal kernel the present is the last tap."""
    images = torch.rand(2, 3, 1, 32, 24, generator=torch.Generator().manual_seed(0)) * 2 - 1
    video = AutoencoderWalt.from_image_autoencoder(image_tokenizer, strides, kernels)
    latents = image_tokenizer.encode(images).latent_dist.mode()
    assert torch.equal(video.encode(images).latent_dist.mode(), latents)
    assert torch.equal(video.decode(latents).sample, image_tokenizer.decode(latents).sample)
    assert video.config.latents_std == image_tokenizer.config.latents_std


@torch.no_grad()
def test_a_clip_starts_as_pictures_of_its_latent_frames(image_tokenizer: AutoencoderWalt):
    """The last tap alone is filled: latent step k is frame 4k as an image, and fills its four frames alike."""
    clip = torch.rand(1, 3, 9, 16, 16, generator=torch.Generator().manual_seed(0)) * 2 - 1
    video = AutoencoderWalt.from_image_autoencoder(image_tokenizer)
    latents = video.encode(clip).latent_dist.mode()
    pictures = image_tokenizer.encode(clip[:, :, ::4]).latent_dist.mode()
    torch.testing.assert_close(latents, pictures, rtol=0, atol=1e-5)
    decoded, stills = video.decode(latents).sample, image_tokenizer.decode(pictures).sample
    torch.testing.assert_close(decoded, stills[:, :, [0] + [1] * 4 + [2] * 4], rtol=0, atol=1e-5)


def test_a_saved_tokenizer_is_inflated_by_its_folder(image_tokenizer: AutoencoderWalt, tmp_path: Path):
    image_tokenizer.save_pretrained(tmp_path)
    video = AutoencoderWalt.from_image_autoencoder(tmp_path)
    assert (video.temporal_compression_ratio, video.spatial_compression_ratio) == (4, 8)
    weight = video.encoder.conv_in.weight
    assert torch.equal(weight[:, :, 2:], image_tokenizer.encoder.conv_in.weight) and not weight[:, :, :2].any()


def test_a_video_tokenizer_cannot_be_inflated(autoencoder: AutoencoderWalt):
    with pytest.raises(ValueError, match=r"image_autoencoder must be 2-D .*, got temporal_kernel_sizes=\(1, 1, 3, 3\)"):
        AutoencoderWalt.from_image_autoencoder(autoencoder)
