# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Super-resolution and the cascade (WALT §4.5, §5.3)."""

import pytest
import torch
from tiny_text import WIDTH, tiny_text

from hf_vdrep.models import (
    WaltCascadePipeline,
    WaltPipeline,
    WaltSuperResolutionPipeline,
    make_scheduler,
)

LARGE = {"low_res_scale": 2, "sample_size": 8, "patch_size": 2}


def quiet(pipeline):
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


@pytest.fixture
def larger(autoencoder, make_denoiser) -> WaltSuperResolutionPipeline:
    return quiet(WaltSuperResolutionPipeline(autoencoder, make_denoiser(3, **LARGE), make_scheduler()))


@pytest.fixture
def cascade(autoencoder, make_denoiser) -> WaltCascadePipeline:
    stages = {"transformer": make_denoiser(1, text_dim=WIDTH), "transformer_2": make_denoiser(3, **LARGE)}
    return quiet(WaltCascadePipeline(vae=autoencoder, scheduler=make_scheduler(), **stages, **tiny_text()))


def draw(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def sample(pipeline, **arguments):
    settings = {"num_inference_steps": 2, "output_type": "latent", "return_dict": False, "generator": draw()}
    return pipeline(**settings | arguments)[0]


def test_films_and_pictures_grow_by_the_scale(larger):
    film = torch.rand(1, 9, 3, 32, 32, generator=draw(1))
    assert sample(larger, video=film).shape == (1, 4, 3, 8, 8)
    assert sample(larger, video=film, output_type="pt").shape == (1, 9, 3, 64, 64)
    assert sample(larger, image=film[:, 0], output_type="pt").shape == (1, 3, 64, 64)


@torch.no_grad()
def test_the_denoiser_is_told_the_small_latents_with_their_noise(larger, monkeypatch):
    """z_lr at level t_sr is sqrt(g) z_lr + sqrt(1 - g) noise, and t_sr goes with it."""
    told = []
    forward = larger.transformer.forward
    monkeypatch.setattr(larger.transformer, "forward", lambda *a, **k: told.append(k) or forward(*a, **k))
    small = torch.randn(1, 4, 3, 4, 4, generator=draw(2))
    sample(larger, low_res_latents=small, noise_level=0)
    torch.testing.assert_close(told[0]["low_res"], small, rtol=0, atol=0)
    assert told[0]["low_res_timestep"].tolist() == [0]
    told.clear()
    sample(larger, low_res_latents=small, noise_level=300, generator=draw(7))
    gamma = larger.scheduler.alphas_cumprod[300]
    noise = torch.randn(small.shape, generator=draw(7))
    torch.testing.assert_close(told[0]["low_res"], gamma.sqrt() * small + (1 - gamma).sqrt() * noise)
    assert told[1]["low_res_timestep"].tolist() == [300]


@torch.no_grad()
def test_pixels_are_encoded_as_the_tokenizer_does(larger):
    film = torch.rand(1, 9, 3, 32, 32, generator=draw(1))
    latents = larger.vae.normalize(larger.vae.encode(film.transpose(1, 2) * 2 - 1).latent_dist.mode())
    torch.testing.assert_close(
        sample(larger, video=film), sample(larger, low_res_latents=latents), rtol=1e-4, atol=1e-4
    )


def test_what_is_small_decides_what_is_large(larger):
    one, other = (sample(larger, low_res_latents=torch.full((1, 4, 3, 4, 4), v)) for v in (-1.0, 1.0))
    assert (one - other).abs().max() > 1e-4


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, "give exactly one of image, video, low_res_latents, got none"),
        ({"low_res_latents": torch.zeros(1, 4, 3, 4, 4), "noise_level": 1000}, r"noise_level must lie in \[0, 999\]"),
        ({"low_res_latents": torch.zeros(1, 4, 5, 4, 4)}, "num_frames must be 1 .* at most 9, got 17"),
        ({"low_res_latents": torch.zeros(2, 4, 3, 4, 4), "class_labels": 1}, "class_labels must be None"),
        ({"image": torch.zeros(1, 3, 20, 16)}, "image must have sides that are multiples of 8, got 20 x 16"),
        ({"video": torch.zeros(1, 5, 3, 16, 20)}, "video must have sides that are multiples of 8, got 16 x 20"),
        (
            {"low_res_latents": torch.zeros(3, 4, 3, 4, 4), "noise_level": 5, "generator": [draw(), draw()]},
            r"generator must be one, or one per sample \(3\), got 2",
        ),
    ],
)
def test_wrong_arguments_are_named(larger, arguments, message):
    with pytest.raises(ValueError, match=message):
        sample(larger, **arguments)


def test_a_denoiser_of_one_size_is_refused(autoencoder, make_denoiser):
    with pytest.raises(ValueError, match="transformer must be a super-resolution model"):
        WaltSuperResolutionPipeline(autoencoder, make_denoiser(), make_scheduler())
    with pytest.raises(ValueError, match="transformer_2 must be a super-resolution model"):
        WaltCascadePipeline(autoencoder, make_denoiser(), make_scheduler(), make_denoiser())


def test_the_cascade_is_its_stages_in_a_row(cascade):
    base = quiet(
        WaltPipeline(cascade.vae, cascade.transformer, cascade.scheduler, cascade.text_encoder, cascade.tokenizer)
    )
    generator = draw()
    small = sample(base, prompt="a red cube", guidance_scale=3.0, generator=generator, num_frames=5)
    upscaler = quiet(WaltSuperResolutionPipeline(cascade.vae, cascade.transformer_2, cascade.scheduler))
    large = sample(upscaler, low_res_latents=small, noise_level=100, generator=generator, num_inference_steps=3)
    found = sample(
        cascade,
        prompt="a red cube",
        guidance_scale=3.0,
        num_inference_steps=[2, 3],
        noise_level=100,
        generator=draw(),
        num_frames=5,
    )
    torch.testing.assert_close(found, large, rtol=0, atol=0)


def test_the_cascade_gives_pixels_and_comes_back_from_its_folder(cascade, tmp_path):
    film = sample(cascade, prompt="a red cube", output_type="pt", num_frames=5)
    assert film.shape == (1, 5, 3, 64, 64)
    cascade.save_pretrained(tmp_path)
    again = quiet(WaltCascadePipeline.from_pretrained(tmp_path))
    assert again.transformer_3 is None
    torch.testing.assert_close(sample(again, prompt="a red cube", output_type="pt", num_frames=5), film)


def test_a_cascade_that_is_stopped_shows_what_is_there(cascade):
    def stop(pipe, *_):
        pipe._interrupt = True
        return {}

    film = sample(cascade, prompt="a red cube", num_frames=5, callback_on_step_end=stop)
    assert film.shape == (1, 4, 2, 4, 4)  # of the first stage


def test_settings_for_another_number_of_stages_are_refused(cascade):
    with pytest.raises(ValueError, match="num_inference_steps must be one value, or one for each of 2 stages, got 3"):
        sample(cascade, num_inference_steps=[1, 2, 3])
