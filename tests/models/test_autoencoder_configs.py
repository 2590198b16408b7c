# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""WALT Table 8, first stage, column by column; nothing is allocated."""

import itertools
import json

import pytest
import torch

from hf_vdrep.models import AutoencoderWalt, autoencoder_config, autoencoder_sizes, shipped

# Input frames x height x width, and latents T' x h x w, as papers.md §1.1 and §2.1 print them.
TABLE_8 = {
    "imagenet": ((1, 256, 256), (1, 32, 32)),
    "ucf-101": ((17, 128, 128), (5, 16, 16)),
    "k600": ((17, 128, 128), (5, 16, 16)),
    "t2v-base": ((17, 128, 128), (5, 16, 16)),
    "t2v-2x": ((17, 256, 448), (5, 32, 56)),
    "t2v-2x2x": ((17, 512, 896), (5, 64, 112)),
    "tiny": ((17, 64, 64), (5, 8, 8)),
}


@pytest.mark.parametrize("name", TABLE_8)
@torch.no_grad()
def test_every_column_of_the_table_has_its_shapes(name: str):
    (frames, height, width), latent = TABLE_8[name]
    with torch.device("meta"):
        model = AutoencoderWalt(**autoencoder_config(name))
        latents = model.encode(torch.empty(1, 3, frames, height, width)).latent_dist.mode()
        pixels = model.decode(latents).sample
    assert latents.shape == (1, 8, *latent) and pixels.shape == (1, 3, frames, height, width)
    multipliers = {"imagenet": (1, 1, 2, 4), "tiny": (1, 2, 4, 6)}.get(name, (1, 2, 2, 4))
    base = 16 if name == "tiny" else 128
    assert model.config.block_out_channels == [base * factor for factor in multipliers]


def test_time_goes_17_9_5_and_back_by_10_9_18_17():
    """papers.md §1.3, frame chain; the convolution of an up-sampler sees the doubled frames before one is dropped."""
    with torch.device("meta"):
        model = AutoencoderWalt(**autoencoder_config("k600"))
        lengths: list[int] = []
        for block in model.encoder.down_blocks:
            block.register_forward_hook(lambda module, inputs, output: lengths.append(output[0].shape[2]))
        model.use_framewise_encoding = model.use_framewise_decoding = False
        latents = model.encode(torch.empty(1, 3, 17, 128, 128)).latent_dist.mode()
        assert list(dict.fromkeys(lengths)) == [17, 9, 5]
        doubled: list[tuple[int, int]] = []
        for stage in model.decoder.up_blocks:
            if stage.upsampler is not None and stage.upsampler.temporal:
                stage.upsampler.register_forward_hook(
                    lambda module, inputs, output: doubled.append((2 * inputs[0].shape[2], output[0].shape[2]))
                )
        assert model.decode(latents).sample.shape[2] == 17
    assert doubled == [(10, 9), (18, 17)]


def test_parameters_of_the_video_tokenizer_add_up():
    """By hand, k = 3x3x3 = 27: MAGVIT-v2 with 4 blocks per level and 4 in the middle, widths 128, 256, 256, 512."""
    k, widths, c = 27, (128, 256, 256, 512), 8

    def blocks(width: int) -> int:
        return 4 * (2 * k * width * width + 4 * width)

    encoder = k * 3 * 128 + sum(map(blocks, widths)) + blocks(512)
    encoder += sum(k * a * b + b for a, b in itertools.pairwise(widths))
    encoder += 2 * 512 + 512 * c + c
    decoder = k * c * 512 + 512 + blocks(512) + sum(map(blocks, widths)) + sum(2 * (c + 1) * w for w in widths)
    for narrow, wide, factor in ((128, 256, 4), (256, 256, 8), (256, 512, 8)):
        decoder += k * wide * narrow * factor + narrow * factor
    decoder += 2 * 128 + k * 128 * 3 + 3
    rows = {row["name"]: row for row in autoencoder_sizes()}
    for row in rows.values():
        print(f"{row['name']:10} {row['input']} -> {row['latents']} {row['parameters'] / 1e6:.1f}M")
    assert (rows["k600"]["encoder"], rows["k600"]["decoder"]) == (encoder, decoder)
    assert rows["k600"]["parameters"] == rows["t2v-2x2x"]["parameters"] == 342_609_675


def test_the_tiny_config_is_the_one_that_ships():
    stored = json.loads((shipped.path("v-walt") / "vae" / "config.json").read_text())
    tiny = autoencoder_config("tiny")
    assert {key: stored[key] for key in tiny} == tiny


def test_an_unknown_name_is_named():
    with pytest.raises(ValueError, match=r"name must be one of \['imagenet', 'k600'.*\], got 'k400'"):
        autoencoder_config("k400")
