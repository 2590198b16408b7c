# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Sampling: an exact denoiser recovers its target, self-conditioning is carried, outputs and errors are clear."""

from collections.abc import Callable

import numpy as np
import PIL.Image
import pytest
import torch

from hf_vdrep.models import AutoencoderWalt, WaltPipeline, WaltTransformer3DModel, make_scheduler
from hf_vdrep.models.pipeline_conditions import Conditions
from hf_vdrep.models.pipeline_guidance import Guidance


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def sample(pipeline: WaltPipeline, **arguments: object) -> torch.Tensor:
    settings = {"num_inference_steps": 3, "output_type": "latent", "generator": seeded(), "return_dict": False}
    return pipeline(**settings | arguments)[0]


def test_an_exact_denoiser_is_sampled_to_its_data_point(pipeline: WaltPipeline, monkeypatch: pytest.MonkeyPatch):
    """If all data are one point x0, the true velocity at x_t is (sqrt(g) x_t - x0) / sqrt(1 - g): DDIM ends at x0."""
    target = torch.randn(1, 4, 3, 4, 4, generator=seeded(5))
    gamma = pipeline.scheduler.alphas_cumprod

    def exact(latents: torch.Tensor, timestep: torch.Tensor, *_: object) -> torch.Tensor:
        g = gamma[timestep]
        return (g.sqrt() * latents - target) / (1 - g).sqrt()

    monkeypatch.setattr(pipeline, "_predict", exact)
    torch.testing.assert_close(sample(pipeline, num_inference_steps=20), target, rtol=1e-3, atol=1e-3)


def test_each_step_is_told_the_estimate_of_the_last(pipeline: WaltPipeline, monkeypatch: pytest.MonkeyPatch):
    """WALT §4.3: none at the first step, then sqrt(g) x_t - sqrt(1 - g) v of the step before."""
    told, estimates = [], []
    predict = pipeline._predict

    def spy(latents: torch.Tensor, timestep: torch.Tensor, labels: object, estimate: object, scale: float):
        velocity = predict(latents, timestep, labels, estimate, scale)
        g = pipeline.scheduler.alphas_cumprod[timestep]
        told.append(estimate)
        estimates.append(g.sqrt() * latents - (1 - g).sqrt() * velocity)
        return velocity

    monkeypatch.setattr(pipeline, "_predict", spy)
    sample(pipeline)
    assert told[0] is None
    torch.testing.assert_close(told[1:], estimates[:-1])


def test_the_estimate_changes_what_is_sampled(
    pipeline: WaltPipeline, make_denoiser: Callable[..., WaltTransformer3DModel], autoencoder: AutoencoderWalt
):
    forgetful = sample(pipeline, callback_on_step_end=lambda *_: {"self_condition": None})
    assert (forgetful - sample(pipeline)).abs().max() > 1e-3
    plain = WaltPipeline(autoencoder, make_denoiser(self_condition=False), make_scheduler())
    plain.set_progress_bar_config(disable=True)
    torch.testing.assert_close(sample(plain, callback_on_step_end=lambda *_: {}), sample(plain), rtol=0, atol=0)


def test_the_same_generator_gives_the_same_video(pipeline: WaltPipeline):
    torch.testing.assert_close(sample(pipeline), sample(pipeline), rtol=0, atol=0)
    assert (sample(pipeline, generator=seeded(1)) - sample(pipeline)).abs().max() > 1e-3


def test_a_sample_with_its_own_generator_does_not_depend_on_the_batch(pipeline: WaltPipeline):
    together = sample(pipeline, batch_size=2, generator=[seeded(3), seeded(4)])
    torch.testing.assert_close(together[1:], sample(pipeline, generator=seeded(4)), rtol=1e-4, atol=1e-4)


def test_latents_are_denormalised_before_decoding(pipeline: WaltPipeline):
    """WALT Table 3e: the denoiser lives in normalised latents, the decoder does not."""
    latents = sample(pipeline)
    std, mean = (torch.tensor(pipeline.vae.config[k]).view(1, -1, 1, 1, 1) for k in ("latents_std", "latents_mean"))
    pixels = pipeline.vae.decode(latents * std + mean).sample
    expected = (pixels / 2 + 0.5).clamp(0, 1).transpose(1, 2)
    torch.testing.assert_close(sample(pipeline, output_type="pt"), expected, rtol=1e-4, atol=1e-4)


def test_videos_come_in_every_form(pipeline: WaltPipeline):
    """Training length by default: 1 + 4 * 2 frames of 32 pixels."""
    (frames,) = pipeline(num_inference_steps=1, generator=seeded()).frames
    assert len(frames) == 9 and isinstance(frames[0], PIL.Image.Image) and frames[0].size == (32, 32)
    array = sample(pipeline, output_type="np", num_frames=5, num_images_per_prompt=2)
    assert array.shape == (2, 5, 32, 32, 3) and array.min() >= 0 and array.max() <= 1
    assert sample(pipeline, output_type="pt").shape == (1, 9, 3, 32, 32)
    assert sample(pipeline).shape == (1, 4, 3, 4, 4)


def test_one_frame_is_an_image(pipeline: WaltPipeline):
    output = pipeline(num_frames=1, batch_size=2, num_inference_steps=1, generator=seeded())
    assert output.frames is None and [image.size for image in output.images] == [(32, 32)] * 2
    assert isinstance(sample(pipeline, num_frames=1, output_type="np"), np.ndarray)
    assert sample(pipeline, num_frames=1, output_type="pt").shape == (1, 3, 32, 32)


def test_guidance_moves_from_the_null_prediction_through_the_labelled_one(
    make_denoiser: Callable[..., WaltTransformer3DModel], autoencoder: AutoencoderWalt, noisy: torch.Tensor
):
    """Classifier-free guidance: null + scale * (labelled - null)."""
    pipeline = WaltPipeline(autoencoder, make_denoiser(num_classes=3), make_scheduler())
    step, labels = torch.tensor(500), torch.tensor([0, 2])
    steps = step.expand(2)
    null = pipeline.transformer(noisy, steps).sample
    labelled = pipeline.transformer(noisy, steps, labels).sample
    for scale in (1.0, 4.0):
        expected = null + scale * (labelled - null)
        found = pipeline._predict(noisy, step, Conditions(class_labels=labels), None, Guidance(scale))
        torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4)


def test_callback_sees_every_step_and_may_change_the_latents(pipeline: WaltPipeline):
    seen = []

    def callback(_pipeline: WaltPipeline, step: int, timestep: torch.Tensor, tensors: dict) -> dict:
        seen.append((step, int(timestep), set(tensors)))
        return {"latents": torch.zeros_like(tensors["latents"])}

    out = sample(pipeline, callback_on_step_end=callback, num_inference_steps=2)
    assert seen == [(0, 999, {"latents"}), (1, 499, {"latents"})]
    assert out.abs().max() == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"num_frames": 4}, r"num_frames must be 1 \+ 4k and at most 9, got 4"),
        ({"num_frames": 13}, "at most 9, got 13"),
        ({"num_frames": -3}, "got -3"),
        ({"height": 30}, "height must be a positive multiple of 8, got 30"),
        ({"class_labels": 1}, "class_labels must be None, got some"),
        ({"guidance_scale": 2.0}, "guidance_scale must be 1.0 without class_labels, got 2.0"),
        ({"output_type": "gif"}, "output_type must be one of pil, np, pt, latent, got 'gif'"),
        ({"batch_size": 0}, "batch_size must be at least 1, got 0"),
        ({"latents": torch.zeros(1, 4, 1, 4, 4)}, r"latents must be \(1, 4, 3, 4, 4\), got \(1, 4, 1, 4, 4\)"),
        ({"generator": [seeded()], "batch_size": 2}, r"one per sample \(2\), got 1"),
        ({"callback_on_step_end_tensor_inputs": ["pixels"]}, "must be among latents, self_condition, got pixels"),
    ],
)
def test_wrong_arguments_are_named(pipeline: WaltPipeline, arguments: dict, message: str):
    with pytest.raises(ValueError, match=message):
        sample(pipeline, **arguments)


def test_an_image_denoiser_makes_images_and_refuses_videos(
    make_denoiser: Callable[..., WaltTransformer3DModel], autoencoder: AutoencoderWalt
):
    pipeline = WaltPipeline(autoencoder, make_denoiser(objective="image"), make_scheduler())
    pipeline.set_progress_bar_config(disable=True)
    assert sample(pipeline).shape == (1, 4, 1, 4, 4)
    with pytest.raises(ValueError, match=r"num_frames must be 1, got 9 \(the denoiser's objective is 'image'\)"):
        sample(pipeline, num_frames=9)


def test_components_that_do_not_fit_are_refused(
    make_denoiser: Callable[..., WaltTransformer3DModel], autoencoder: AutoencoderWalt, denoiser: WaltTransformer3DModel
):
    with pytest.raises(ValueError, match="in_channels must equal the vae's latent_channels=4, got 8"):
        WaltPipeline(autoencoder, make_denoiser(in_channels=8), make_scheduler())
    with pytest.raises(ValueError, match="prediction_type must be 'v_prediction', got 'epsilon'"):
        WaltPipeline(autoencoder, denoiser, make_scheduler(prediction_type="epsilon"))
