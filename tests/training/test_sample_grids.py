# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Sample grids: what the pipeline makes of fixed noise, pasted without loss."""

import numpy as np
import pytest
import torch
from torch import nn

from hf_vdrep.models import WaltPipeline, WaltTransformer3DModel, make_scheduler
from hf_vdrep.training.sample_grids import GAP, PAPER, SampleGrids, image_grid, video_strips
from hf_vdrep.training.stream import derive_seed


def make_model(config, objective="video", **more):
    torch.manual_seed(0)
    model = WaltTransformer3DModel(**config, in_channels=4, sample_size=2, objective=objective, **more)
    for parameter in model.parameters():
        nn.init.normal_(parameter, std=0.2)
    return model.train()


def test_pictures_lie_on_paper_in_reading_order():
    pictures = np.random.default_rng(0).integers(0, 255, (5, 4, 6, 3), np.uint8)
    grid = image_grid(pictures)
    assert grid.shape == (2 * 4 + 3 * GAP, 3 * 6 + 4 * GAP, 3) and grid.dtype == np.uint8
    for number, picture in enumerate(pictures):
        top, left = GAP + number // 3 * (4 + GAP), GAP + number % 3 * (6 + GAP)
        assert np.array_equal(grid[top : top + 4, left : left + 6], picture)
    assert (grid[-GAP - 4 :, -GAP - 6 :] == PAPER).all()


def test_a_strip_shows_frames_from_first_to_last():
    clips = np.arange(17, dtype=np.uint8)[None, :, None, None, None] * np.ones((1, 1, 2, 2, 3), np.uint8)
    strip = video_strips(clips, 5)
    assert strip.shape[1] == 5 * 2 + 6 * GAP
    assert [int(strip[GAP, GAP + number * (2 + GAP), 0]) for number in range(5)] == [0, 4, 8, 12, 16]


def test_grids_are_the_pipeline_s_samples_of_noise_that_never_changes(tiny_vae, tiny_denoiser_config):
    """The same picture at the same place whatever is drawn beside it; the model keeps its mode and no trace is left."""
    model = make_model(tiny_denoiser_config)
    before = torch.get_rng_state()
    grids = SampleGrids(tiny_vae, count=4, steps=2, seed=3)(model)
    fewer = SampleGrids(tiny_vae, count=1, steps=2, seed=3)(model)
    assert model.training and torch.equal(before, torch.get_rng_state())
    assert grids.keys() == {"images", "clips"}
    np.testing.assert_allclose(
        grids["images"][GAP : GAP + 16, GAP : GAP + 16].astype(int), fewer["images"][GAP:-GAP, GAP:-GAP], atol=1
    )
    pipeline = WaltPipeline(vae=tiny_vae, transformer=model.eval(), scheduler=make_scheduler())
    pipeline.set_progress_bar_config(disable=True)
    generators = [torch.Generator().manual_seed(derive_seed("samples", 3, place)) for place in range(2)]
    frames = pipeline(batch_size=2, num_inference_steps=2, generator=generators, output_type="np").frames
    last = np.round(frames[1][-1] * 255)
    np.testing.assert_allclose(grids["clips"][-GAP - 16 : -GAP, -GAP - 16 : -GAP], last, atol=1)


def test_an_image_model_draws_images_under_its_conditions(tiny_vae, tiny_denoiser_config):
    model = make_model(tiny_denoiser_config, "image", num_classes=3)
    asked = []

    def conditions(number):
        asked.append(number)
        return {"class_labels": [place % 3 for place in range(number)]}

    told = SampleGrids(tiny_vae, count=2, steps=2, conditions=conditions)(model)
    untold = SampleGrids(tiny_vae, count=2, steps=2)(model)
    assert told.keys() == {"images"} and asked == [2]
    assert not np.array_equal(told["images"], untold["images"])


@pytest.mark.parametrize("captions", [["a cube, fall", "", "a cube, fall"]])
def test_captions_are_encoded_once_and_an_empty_one_says_nothing(captions):
    from transformers import T5Config, T5EncoderModel

    from hf_vdrep.training.text_states import CaptionEncoder

    class Letters:
        def __call__(self, texts, max_length, **settings):
            rows = [[*(ord(letter) % 50 + 2 for letter in text[: max_length - 1]), 1] for text in texts]
            ids = torch.tensor([row + [0] * (max_length - len(row)) for row in rows])
            return {"input_ids": ids, "attention_mask": (ids > 0).long()}

    torch.manual_seed(0)
    encoder = T5EncoderModel(T5Config(vocab_size=60, d_model=8, d_kv=4, d_ff=8, num_layers=1, num_heads=2)).eval()
    calls = []
    encoder.register_forward_pre_hook(lambda module, args: calls.append(len(args[0])))
    encode = CaptionEncoder(Letters(), encoder, length=6)
    states, mask = encode(captions)
    again, _ = encode(captions[:1])
    assert calls == [2] and encode.width == 8 and states.shape == (3, 6, 8)
    assert mask.sum(1).tolist() == [6, 0, 6] and torch.equal(states[0], states[2]) and torch.equal(again[0], states[0])
    ids = Letters()(captions[:1], 6)["input_ids"]
    with torch.no_grad():
        torch.testing.assert_close(states[:1], encoder(ids).last_hidden_state)
