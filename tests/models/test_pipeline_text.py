# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Sampling from prompts."""

import pytest
import torch
from tiny_text import WIDTH, tiny_text

from hf_vdrep.models import WaltPipeline, make_scheduler
from hf_vdrep.models.pipeline_text import encode_prompt


@pytest.fixture
def speaking(autoencoder, make_denoiser) -> WaltPipeline:
    made = WaltPipeline(autoencoder, make_denoiser(text_dim=WIDTH), make_scheduler(), **tiny_text())
    made.set_progress_bar_config(disable=True)
    return made


def sample(pipeline, **arguments):
    settings = {"num_inference_steps": 2, "output_type": "latent", "return_dict": False, "max_sequence_length": 6}
    return pipeline(generator=torch.Generator().manual_seed(0), **settings | arguments)[0]


def test_a_prompt_is_the_text_encoder_s_states(speaking):
    parts = tiny_text()
    found = encode_prompt(speaking.tokenizer, speaking.text_encoder, ["a red cube", "ball"], max_sequence_length=4)
    assert found.mask.tolist() == [[True, True, True, False], [True, False, False, False]]
    ids = torch.tensor([[2, 3, 5, 0], [6, 0, 0, 0]])
    torch.testing.assert_close(found.states, parts["text_encoder"](ids, attention_mask=(ids > 0).long())[0])


def test_what_is_said_changes_what_is_made(speaking):
    one, other, none = (sample(speaking, prompt=text) for text in ("a red cube", "a blue ball", None))
    assert (one - other).abs().max() > 1e-4 and (one - none).abs().max() > 1e-4
    torch.testing.assert_close(sample(speaking, prompt="a red cube"), one, rtol=0, atol=0)


@torch.no_grad()
def test_embeddings_stand_for_their_prompt(speaking):
    states, mask = encode_prompt(speaking.tokenizer, speaking.text_encoder, "a red cube", max_sequence_length=6)
    given = sample(speaking, prompt_embeds=states, prompt_attention_mask=mask)
    torch.testing.assert_close(given, sample(speaking, prompt="a red cube"), rtol=0, atol=0)


def test_padding_says_nothing(speaking):
    """A longer sequence of padding, the same sample."""
    short, long = (sample(speaking, prompt="a red cube", max_sequence_length=length) for length in (3, 9))
    torch.testing.assert_close(short, long, rtol=1e-4, atol=1e-5)


def test_prompts_of_a_batch_do_not_mix(speaking):
    latents = torch.randn(2, 4, 3, 4, 4, generator=torch.Generator().manual_seed(1))
    both = sample(speaking, prompt=["a red cube", "ball rolls"], latents=latents)
    for row, text in enumerate(("a red cube", "ball rolls")):
        alone = sample(speaking, prompt=text, latents=latents[row : row + 1])
        torch.testing.assert_close(both[row : row + 1], alone, rtol=1e-4, atol=1e-4)


def test_a_negative_prompt_takes_the_place_of_the_null_text(speaking):
    latents = torch.randn(1, 4, 3, 4, 4, generator=torch.Generator().manual_seed(1))
    step = torch.tensor(600)
    calls = []
    forward = speaking.transformer.forward

    def spy(*args, **kwargs):
        calls.append(kwargs.get("encoder_hidden_states"))
        return forward(*args, **kwargs)

    speaking.transformer.forward = spy
    sample(speaking, prompt="ball", negative_prompt="red", guidance_scale=3.0, latents=latents, num_inference_steps=1)
    positive, negative = calls
    assert not torch.equal(positive, negative)
    calls.clear()
    sample(speaking, prompt="ball", guidance_scale=3.0, latents=latents, num_inference_steps=1)
    assert calls[1] is None
    assert int(step) == 600


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"prompt": 7}, "prompt must be a string or a list of strings"),
        ({"prompt": "a", "prompt_embeds": torch.zeros(1, 2, WIDTH)}, "give prompt or prompt_embeds, got both"),
        ({"prompt_embeds": torch.zeros(2, WIDTH)}, r"prompt_embeds must be \(N, L, D\), got \(2, 8\)"),
        ({"prompt_attention_mask": torch.ones(1, 2)}, "prompt_attention_mask must come with prompt_embeds"),
        ({"prompt": ["a", "ball"], "batch_size": 3}, r"prompt must be one, or one per sample \(3\), got 2"),
        ({"guidance_scale": 2.0}, "guidance_scale must be 1.0 without class_labels or a prompt"),
    ],
)
def test_wrong_texts_are_named(speaking, arguments, message):
    with pytest.raises(ValueError, match=message):
        sample(speaking, **arguments)


def test_a_model_without_words_refuses_prompts(pipeline):
    with pytest.raises(ValueError, match="negative_prompt must be None, got one"):
        sample(pipeline, negative_prompt="red")
    with pytest.raises(ValueError, match=r"negative_prompt must be None, got one \(the denoiser takes no text\)"):
        sample(pipeline, negative_prompt_embeds=torch.zeros(1, 2, WIDTH))
    with pytest.raises(ValueError, match="no tokenizer and text_encoder"):
        sample(pipeline, prompt="a red cube")
    with pytest.raises(ValueError, match="the denoiser takes no text"):
        sample(pipeline, prompt_embeds=torch.zeros(1, 2, WIDTH))


def test_a_text_encoder_of_another_width_is_refused(autoencoder, make_denoiser):
    with pytest.raises(ValueError, match="text_encoder must have the denoiser's text_dim=16, got 8"):
        WaltPipeline(autoencoder, make_denoiser(text_dim=16), make_scheduler(), **tiny_text())
