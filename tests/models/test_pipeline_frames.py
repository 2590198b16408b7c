# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Video from a picture, from a film, and longer than one piece (WALT §4.4, App. A)."""

import numpy as np
import PIL.Image
import pytest
import torch

from hf_vdrep.models import WaltImageToVideoPipeline, make_scheduler


@pytest.fixture
def going_on(autoencoder, make_denoiser) -> WaltImageToVideoPipeline:
    """Nine frames of 32 pixels: three latent frames, of which one or two are given."""
    made = WaltImageToVideoPipeline(autoencoder, make_denoiser(frame_conditioning=True), make_scheduler())
    made.set_progress_bar_config(disable=True)
    return made


def sample(pipeline, **arguments):
    settings = {"num_inference_steps": 2, "output_type": "latent", "return_dict": False}
    return pipeline(generator=torch.Generator().manual_seed(0), **settings | arguments)[0]


def picture(value: int = 200) -> PIL.Image.Image:
    rows = np.linspace(0, value, 32).astype(np.uint8)
    return PIL.Image.fromarray(np.broadcast_to(rows[:, None, None], (32, 32, 3)).copy())


@torch.no_grad()
def test_the_first_latent_frame_is_the_picture_s(going_on):
    image = picture()
    latents = sample(going_on, image=image)
    assert latents.shape == (1, 4, 3, 4, 4)
    pixels = torch.from_numpy(np.asarray(image)).permute(2, 0, 1)[None, :, None].float() / 127.5 - 1
    known = going_on.vae.normalize(going_on.vae.encode(pixels).latent_dist.mode())
    torch.testing.assert_close(latents[:, :, :1], known, rtol=1e-4, atol=1e-4)


@torch.no_grad()
def test_the_denoiser_is_told_clean_latents_and_their_mask(going_on, monkeypatch):
    """c_fp = concat(m * z, m), z the clean latents: one frame of a picture, two of a film."""
    told = []
    forward = going_on.transformer.forward
    monkeypatch.setattr(going_on.transformer, "forward", lambda *a, **k: told.append(k) or forward(*a, **k))
    film = torch.rand(8, 3, 32, 32, generator=torch.Generator().manual_seed(3))
    for given, count in (({"image": picture()}, 1), ({"video": film}, 2)):
        told.clear()
        latents = sample(going_on, **given)
        assert len(told) == 2
        for call in told:
            assert call["frame_mask"].tolist() == [[place < count for place in range(3)]]
            torch.testing.assert_close(call["frame_condition"][:, :, :count], latents[:, :, :count])
            assert not call["frame_condition"][:, :, count:].any()
    known = going_on.encode_pixels(film[None, -5:].transpose(1, 2) * 2 - 1)
    torch.testing.assert_close(latents[:, :, :2], known, rtol=1e-4, atol=1e-4)


def test_guidance_drops_the_given_frames(going_on, monkeypatch):
    """WALT §4.4: classifier-free guidance with c_fp as the condition."""
    told = []
    forward = going_on.transformer.forward
    monkeypatch.setattr(going_on.transformer, "forward", lambda *a, **k: told.append(k) or forward(*a, **k))
    sample(going_on, image=picture(), guidance_scale=2.0, num_inference_steps=1)
    assert ["frame_condition" in call for call in told] == [True, False]


def test_another_picture_gives_another_film(going_on):
    bright, dark = (sample(going_on, image=picture(value)) for value in (250, 50))
    assert (bright[:, :, 1:] - dark[:, :, 1:]).abs().max() > 1e-4


def test_pictures_of_a_batch_do_not_mix(going_on):
    latents = torch.randn(2, 4, 3, 4, 4, generator=torch.Generator().manual_seed(1))
    pictures = [picture(250), picture(50)]
    both = sample(going_on, image=pictures, latents=latents)
    for row, image in enumerate(pictures):
        alone = sample(going_on, image=image, latents=latents[row : row + 1])
        torch.testing.assert_close(both[row : row + 1], alone, rtol=1e-4, atol=1e-4)


@torch.no_grad()
def test_a_long_film_goes_on_from_its_own_last_five_frames(going_on, monkeypatch):
    """17 frames from pieces of 9 that overlap by 5: 9 + 4 + 4."""
    given = []
    encode = going_on.encode_pixels
    monkeypatch.setattr(going_on, "encode_pixels", lambda pixels: given.append(pixels) or encode(pixels))
    film = sample(going_on, image=picture(), num_frames=17, output_type="pt")
    assert film.shape == (1, 17, 3, 32, 32)
    assert [pixels.shape[2] for pixels in given] == [1, 5, 5]
    for piece, end in ((given[1], 9), (given[2], 13)):
        shown = (piece / 2 + 0.5).clamp(0, 1).transpose(1, 2)
        torch.testing.assert_close(film[:, end - 5 : end], shown, rtol=1e-4, atol=1e-4)


def test_films_come_as_pictures_and_arrays(going_on):
    frames = sample(going_on, image=picture(), output_type="pil")
    assert len(frames[0]) == 9 and frames[0][0].size == (32, 32)
    assert sample(going_on, image=picture(), num_frames=13, output_type="np").shape == (1, 13, 32, 32, 3)
    film = [picture(value) for value in (10, 60, 110, 160, 210, 255)]
    assert sample(going_on, video=film, num_images_per_prompt=2, output_type="pt").shape == (2, 9, 3, 32, 32)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, "give exactly one of image and video, got none"),
        ({"image": picture(), "video": [picture()] * 5}, "give exactly one of image and video, got both"),
        ({"video": [picture()] * 4}, "video must have at least 5 frames, got 4"),
        ({"image": picture(), "num_frames": 8}, r"num_frames must be 1 \+ 4k and at least 5, got 8"),
        ({"image": picture(), "num_frames": 1}, "at least 5, got 1"),
        ({"image": picture(), "num_frames": 17}, "num_frames must be at most 9 for output_type 'latent', got 17"),
        ({"image": [picture()] * 2, "class_labels": [0]}, "class_labels must be None"),
    ],
)
def test_wrong_arguments_are_named(going_on, arguments, message):
    with pytest.raises(ValueError, match=message):
        sample(going_on, **arguments)


def test_a_piece_must_be_longer_than_what_it_goes_on_from(autoencoder, make_denoiser):
    """Five frames at once can never become nine: each piece would add none."""
    denoiser = make_denoiser(frame_conditioning=True, sample_frames=2)
    short = WaltImageToVideoPipeline(autoencoder, denoiser, make_scheduler())
    with pytest.raises(ValueError, match="num_frames must be at most 5, got 9: a piece must be longer"):
        sample(short, image=picture(), num_frames=9, output_type="pt")


def test_a_stopped_film_ends_with_its_piece(going_on):
    def stop(pipe, *_):
        pipe._interrupt = True
        return {}

    film = sample(going_on, image=picture(), num_frames=17, output_type="pt", callback_on_step_end=stop)
    assert film.shape[1] == 9


def test_a_denoiser_that_takes_no_frames_is_refused(autoencoder, make_denoiser):
    for changes in ({}, {"frame_conditioning": True, "objective": "image"}):
        with pytest.raises(ValueError, match="transformer must be a video model with frame_conditioning"):
            WaltImageToVideoPipeline(autoencoder, make_denoiser(**changes), make_scheduler())
