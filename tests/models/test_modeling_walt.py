# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""The transformers face: what it computes, what it accepts, how it starts."""

from pathlib import Path

import pytest
import torch

from hf_vdrep.models import WaltConfig, WaltModel, make_scheduler


@pytest.fixture
def model(saved: Path) -> WaltModel:
    return WaltModel.from_pretrained(saved).requires_grad_(False)


def test_features_are_those_of_the_components_composed_by_hand(model: WaltModel, clip: torch.Tensor):
    """encode -> normalise -> sqrt(g) z + sqrt(1 - g) e -> blocks, with the noise of the seed."""
    latents = model.vae.normalize(model.vae.encode(clip).latent_dist.mode())
    noise = torch.randn(latents.shape[1:], generator=torch.Generator().manual_seed(3))
    g = make_scheduler().alphas_cumprod[150]
    noisy = g.sqrt() * latents + (1 - g).sqrt() * noise
    steps = torch.tensor([150, 150])
    expected = model.transformer.forward_intermediates(noisy, steps, [0, 1, 2, 3])
    output = model(clip, timestep=150, seed=3, output_hidden_states=True)
    assert len(output.hidden_states) == 5 == model.config.num_hidden_layers + 1
    for state, values in zip(output.hidden_states[1:], expected, strict=True):
        torch.testing.assert_close(state, values.flatten(1, 3), rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(output.last_hidden_state, output.hidden_states[-1], rtol=0, atol=0)
    assert output.last_hidden_state.shape == (2, 3 * 4 * 4, model.config.hidden_size)
    assert model.token_grid(9, 32, 32) == (3, 4, 4)


def test_all_ways_to_pass_a_clip_agree(model: WaltModel, clip: torch.Tensor):
    expected = model(clip).last_hidden_state
    latents = model.vae.normalize(model.vae.encode(clip).latent_dist.mode())
    noise = torch.randn(latents.shape[1:], generator=torch.Generator().manual_seed(0)).expand_as(latents)
    for given in (
        {"pixel_values_videos": clip.transpose(1, 2)},
        {"latents": latents},
        {"latents": latents, "latent_noise": noise},
        {"pixel_values": clip, "timestep": torch.tensor([200, 200]), "seed": [0, 0]},
    ):
        torch.testing.assert_close(model(**given).last_hidden_state, expected, rtol=1e-5, atol=1e-5)


def test_an_image_is_a_clip_of_one_frame(model: WaltModel, clip: torch.Tensor):
    image = model(clip[:, :, 0]).last_hidden_state
    assert image.shape == (2, 16, 16)
    torch.testing.assert_close(image, model(clip[:, :, :1]).last_hidden_state, rtol=1e-5, atol=1e-5)


def test_features_of_a_sample_do_not_depend_on_its_batch(model: WaltModel, clip: torch.Tensor):
    together, alone = model(clip).last_hidden_state, model(clip[1:]).last_hidden_state
    torch.testing.assert_close(together[1:], alone, rtol=1e-4, atol=1e-4)
    apart = model(clip, seed=[5, 6], timestep=torch.tensor([10, 20])).last_hidden_state
    torch.testing.assert_close(apart[1:], model(clip[1:], seed=6, timestep=20).last_hidden_state, rtol=1e-4, atol=1e-4)


def test_selected_hidden_states_keep_their_place_and_stop_the_model_early(model: WaltModel, clip: torch.Tensor):
    """transformers' own spelling: the tuple keeps its length, the other entries are None."""
    whole = model(clip, output_hidden_states=True).hidden_states
    ran = []
    for index, block in enumerate(model.transformer.blocks):
        block.register_forward_hook(lambda *_, index=index: ran.append(index))
    output = model(clip, output_hidden_states=[0, 2], stop_early=True)
    assert ran == [0, 1]
    assert [state is None for state in output.hidden_states] == [False, True, False, True, True]
    torch.testing.assert_close(output.hidden_states[2], whole[2], rtol=0, atol=0)
    torch.testing.assert_close(output.last_hidden_state, whole[2], rtol=0, atol=0)
    last = model(clip, output_hidden_states=-1)
    torch.testing.assert_close(last.hidden_states[-1], whole[-1], rtol=0, atol=0)
    assert model(clip).hidden_states is None


def test_outputs_come_as_a_tuple_on_request(model: WaltModel, clip: torch.Tensor):
    (last,) = model(clip, return_dict=False)
    assert last.shape == (2, 48, 16)


def test_fresh_weights_follow_the_laws_of_the_components(saved: Path):
    """A parent has the last word over its children's initialisation: AdaLN-zero, AdaGN to the identity."""
    model = WaltModel(WaltConfig.from_pretrained(saved))
    fresh = type(model.transformer).from_config(model.transformer.config)
    for ours, theirs in ((model.transformer, fresh), (model.vae, type(model.vae).from_config(model.vae.config))):
        for name, parameter in theirs.named_parameters():
            value = ours.get_parameter(name)
            if parameter.std(correction=0) == 0:
                torch.testing.assert_close(value.data, parameter.data, rtol=0, atol=0, msg=name)
            elif parameter.numel() > 200:
                assert value.std().item() == pytest.approx(parameter.std().item(), rel=0.3), name


def test_gradients_reach_every_parameter_that_the_features_use_and_checkpointing_changes_none(
    saved: Path, clip: torch.Tensor
):
    gradients = []
    for checkpointing in (False, True):
        model = WaltModel.from_pretrained(saved).train()
        if checkpointing:
            model.gradient_checkpointing_enable()
        model(clip).last_hidden_state.square().mean().backward()
        gradients.append(model.transformer.patch_embed.weight.grad)
        assert model.vae.encoder.conv_in.weight.grad.abs().max() > 0
    torch.testing.assert_close(*gradients)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, "give exactly one of pixel_values, pixel_values_videos, latents, got none"),
        ({"pixel_values": 0, "latents": 0}, "got pixel_values, latents"),
        ({"timestep": 1200}, r"timestep must be an integer in \[0, 999\], got 1200"),
        ({"timestep": -1}, "got -1"),
        ({"timestep": 0.5}, "got 0.5"),
        ({"output_hidden_states": [9]}, r"output_hidden_states must lie in \[-5, 4\], got 9"),
        ({"seed": [1]}, r"one per sample \(2\), got 1"),
    ],
)
def test_wrong_arguments_are_named(model: WaltModel, clip: torch.Tensor, arguments: dict, message: str):
    tensors = {name: clip for name, value in arguments.items() if name in ("pixel_values", "latents") and value == 0}
    if arguments and not tensors:
        arguments = {"pixel_values": clip} | arguments
    with pytest.raises(ValueError, match=message):
        model(**arguments | tensors)


def test_naming_a_hidden_state_stops_the_model_behind_it(model: WaltModel, clip: torch.Tensor):
    """Half the cost for a block in the middle; asking for all of them, or for none, runs all."""
    ran = []
    for index, block in enumerate(model.transformer.blocks):
        block.register_forward_hook(lambda *_, index=index: ran.append(index))
    for selection, expected in (([2], [0, 1]), (1, [0]), ([0], [0]), (True, [0, 1, 2, 3]), (None, [0, 1, 2, 3])):
        ran.clear()
        output = model(clip, output_hidden_states=selection)
        assert ran == expected
    ran.clear()
    output = model(clip, output_hidden_states=[2], stop_early=False)
    assert ran == [0, 1, 2, 3]
    torch.testing.assert_close(output.last_hidden_state, model(clip).last_hidden_state)


def test_a_map_of_one_block_is_its_hidden_state_unfolded(model: WaltModel, clip: torch.Tensor):
    latents = model.encode_latents(pixel_values=clip)
    values = model.read(latents, 1, timestep=30, seed=2)
    state = model(clip, timestep=30, seed=2, output_hidden_states=[2]).hidden_states[2]
    assert values.shape == (2, *model.grid_of(latents), model.config.hidden_size)
    torch.testing.assert_close(values.flatten(1, 3), state, rtol=0, atol=0)


def test_seed_and_timestep_of_the_config_are_the_defaults(saved: Path, clip: torch.Tensor):
    told = WaltModel.from_pretrained(saved, timestep=40, seed=6).requires_grad_(False)
    model = WaltModel.from_pretrained(saved).requires_grad_(False)
    expected = model(clip, timestep=40, seed=6).last_hidden_state
    torch.testing.assert_close(told(clip).last_hidden_state, expected)
    assert (expected - model(clip).last_hidden_state).abs().max() > 1e-3


def test_conditions_reach_the_denoiser_and_strange_words_do_not(make_denoiser, autoencoder, clip: torch.Tensor):
    """`class_labels` by name; what a caller of transformers adds is passed over."""
    config = WaltConfig(
        vae_config=dict(autoencoder.config), transformer_config=dict(make_denoiser(num_classes=3).config)
    )
    model = WaltModel(config).eval().requires_grad_(False)
    model.transformer, model.vae = make_denoiser(num_classes=3), autoencoder
    label = torch.tensor([1, 1])
    null, told = model(clip), model(clip, class_labels=label, num_items_in_batch=2, interpolate_pos_encoding=False)
    assert (null.last_hidden_state - told.last_hidden_state).abs().max() > 1e-3
    by_hand = model.transformer.forward_intermediates
    latents = model.encode_latents(clip)
    noise = torch.randn(latents.shape[1:], generator=torch.Generator().manual_seed(0)).expand_as(latents)
    steps = torch.tensor([200, 200])
    (expected,) = by_hand(model.scheduler.add_noise(latents, noise, steps), steps, [-1], class_labels=label)
    torch.testing.assert_close(told.last_hidden_state, expected.flatten(1, 3), rtol=1e-5, atol=1e-5)


def test_a_block_cache_is_refused(model: WaltModel, clip: torch.Tensor):
    """It skips blocks, whose features would be those of an earlier step (ecosystem note §8)."""
    from diffusers import FirstBlockCacheConfig

    model.transformer.enable_cache(FirstBlockCacheConfig(threshold=0.1))
    with pytest.raises(ValueError, match="block cache must be off, got on"):
        model(clip)
    model.transformer.disable_cache()
    assert model(clip).last_hidden_state.isfinite().all()


def test_attention_weights_of_a_mixed_batch_follow_the_identity_rule(model: WaltModel, clip: torch.Tensor):
    """WALT §4.2: in spatiotemporal blocks the tokens of a stack of images attend to themselves alone."""
    mask = torch.tensor([True, False])
    told = model(clip, image_mask=mask, output_attentions=True)
    images, clips = told.attentions[1].chunk(2)
    torch.testing.assert_close(images, torch.eye(12).expand_as(images))
    assert (clips - torch.eye(12)).abs().max() > 0.1
    alone = model(clip[1:], output_attentions=True)
    torch.testing.assert_close(clips, alone.attentions[1], rtol=1e-4, atol=1e-4)


def test_attention_weights_make_the_blocks_output(model: WaltModel, clip: torch.Tensor):
    """The weights times the values, projected, are what the attention adds: softmax(q k / sqrt(d) + bias) v."""
    attention = model.transformer.blocks[0].attn
    seen = {}
    attention.register_forward_hook(lambda module, inputs, output: seen.update(tokens=inputs[0], output=output))
    weights = model(clip, output_attentions=True).attentions[0]
    frames = seen["tokens"].reshape(6, 16, 16)
    values = attention.to_v(frames).unflatten(-1, (2, 8)).transpose(1, 2)
    mixed = attention.to_out[0]((weights @ values).transpose(1, 2).flatten(2))
    torch.testing.assert_close(mixed.reshape(2, 48, 16), seen["output"], rtol=1e-4, atol=1e-4)


def test_the_names_in_the_files_load_too(model: WaltModel, saved: Path):
    """transformers' Trainer reads the files by itself when it resumes."""
    from safetensors.torch import load_file

    other = WaltModel(model.config)
    for part in ("vae", "transformer"):
        other.load_state_dict(load_file(saved / part / "diffusion_pytorch_model.safetensors"), strict=False)
    torch.testing.assert_close(other.state_dict(), model.state_dict(), rtol=0, atol=0)
