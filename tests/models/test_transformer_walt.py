# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""The denoiser: layout, the identity rule, twins of equal size, early stop."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F

from hf_vdrep.models import WaltTransformer3DModel

STEPS = torch.tensor([200, 700])


def test_blocks_alternate_and_the_image_twin_is_all_spatial(make_denoiser: Callable[..., WaltTransformer3DModel]):
    """WALT §4.2: spatial, spatiotemporal, spatial, ...; I-WALT has the spatiotemporal ones made spatial."""
    kinds = [type(block).__name__ for block in make_denoiser().blocks]
    assert kinds == ["WaltFirstBlock", "WaltSpatiotemporalBlock", "WaltSpatialBlock", "WaltSpatiotemporalBlock"]
    kinds = [type(block).__name__ for block in make_denoiser(objective="image").blocks]
    assert kinds == ["WaltFirstBlock"] + ["WaltSpatialBlock"] * 3


def test_twins_have_the_same_parameters_in_name_and_shape(make_denoiser: Callable[..., WaltTransformer3DModel]):
    """The study's fair comparison: same architecture, same parameter count."""
    video, image = make_denoiser().state_dict(), make_denoiser(objective="image").state_dict()
    assert {k: v.shape for k, v in video.items()} == {k: v.shape for k, v in image.items()}


@pytest.mark.parametrize("size", [{}, {"patch_size": 2, "spatial_window": (2, 2), "spatiotemporal_window": (1, 1)}])
def test_velocity_has_the_shape_of_the_latents(
    make_denoiser: Callable[..., WaltTransformer3DModel], noisy: torch.Tensor, size: dict
):
    model = make_denoiser(**size)
    assert model(noisy, STEPS).sample.shape == noisy.shape
    assert model(noisy[:, :, :1], STEPS, return_dict=False)[0].shape == (2, 4, 1, 4, 4)


def test_default_sizes_are_the_published_ones():
    """WALT Table 1 and 3d: L with r = 2 has 313 M parameters."""
    with torch.device("meta"):
        model = WaltTransformer3DModel()
    assert sum(p.numel() for p in model.parameters()) / 1e6 == pytest.approx(313, rel=0.01)


def test_a_stack_of_images_equals_the_images_one_by_one(denoiser: WaltTransformer3DModel, noisy: torch.Tensor):
    """WALT §4.2: under the identity mask T frames are T images, each with the first time embedding."""
    stack = denoiser(noisy, STEPS, image_mask=torch.tensor([True, False])).sample
    for frame in range(3):
        alone = denoiser(noisy[:1, :, frame : frame + 1], STEPS[:1]).sample
        torch.testing.assert_close(stack[:1, :, frame : frame + 1], alone, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(stack[1:], denoiser(noisy[1:], STEPS[1:]).sample, rtol=1e-4, atol=1e-5)


def test_the_image_twin_never_mixes_frames(make_denoiser: Callable[..., WaltTransformer3DModel], noisy: torch.Tensor):
    model = make_denoiser(objective="image")
    together = model(noisy, STEPS).sample
    alone = torch.cat([model(noisy[:, :, f : f + 1], STEPS).sample for f in range(3)], dim=2)
    torch.testing.assert_close(together, alone, rtol=1e-4, atol=1e-5)


def test_the_video_twin_mixes_frames(denoiser: WaltTransformer3DModel, noisy: torch.Tensor):
    changed = noisy.clone()
    changed[:, :, 2] += 1.0
    assert (denoiser(changed, STEPS).sample - denoiser(noisy, STEPS).sample)[:, :, 0].abs().max() > 1e-3


def test_an_image_goes_through_spatiotemporal_blocks_by_its_values(
    denoiser: WaltTransformer3DModel, noisy: torch.Tensor
):
    """WALT §4.2, the identity rule recomputed from the weights of one block."""
    block = denoiser.blocks[1]
    image = noisy[:, :, :1]
    tokens, (shared, embedding, grid, *_) = denoiser.embed(image, STEPS)
    a = shared + block.modulation.up(block.modulation.down(embedding))
    scale1, scale2, shift1, shift2, gate1, gate2 = (part[:, None] for part in a.chunk(6, dim=-1))
    normed = F.layer_norm(tokens, tokens.shape[-1:], eps=1e-6) * (1 + scale1) + shift1
    value = normed @ block.attn.to_v.weight.T + block.attn.to_v.bias
    y = tokens + gate1 * (value @ block.attn.to_out[0].weight.T + block.attn.to_out[0].bias)
    normed = F.layer_norm(y, y.shape[-1:], eps=1e-6) * (1 + scale2) + shift2
    expected = y + gate2 * block.ff(normed)
    torch.testing.assert_close(block(tokens, shared, embedding, grid), expected, rtol=1e-4, atol=1e-4)


def test_results_do_not_depend_on_the_batch(denoiser: WaltTransformer3DModel, noisy: torch.Tensor):
    alone = denoiser(noisy[1:], STEPS[1:]).sample
    torch.testing.assert_close(denoiser(noisy, STEPS).sample[1:], alone, rtol=1e-5, atol=1e-5)


def test_self_conditioning_enters_and_its_absence_means_zeros(denoiser: WaltTransformer3DModel, noisy: torch.Tensor):
    """WALT §4.3: the estimate of the clean latents is concatenated along channels."""
    absent = denoiser(noisy, STEPS).sample
    zeros = denoiser(noisy, STEPS, self_condition=torch.zeros_like(noisy)).sample
    torch.testing.assert_close(zeros, absent, rtol=0, atol=0)
    assert (denoiser(noisy, STEPS, self_condition=noisy).sample - absent).abs().max() > 1e-3


def test_timestep_and_class_condition_the_output(
    make_denoiser: Callable[..., WaltTransformer3DModel], noisy: torch.Tensor
):
    model = make_denoiser(num_classes=3)
    null = model(noisy, STEPS).sample
    torch.testing.assert_close(model(noisy, STEPS, class_labels=torch.tensor([3, 3])).sample, null, rtol=0, atol=0)
    assert (model(noisy, STEPS, class_labels=torch.tensor([0, 1])).sample - null).abs().max() > 1e-3
    assert (model(noisy, STEPS - 100).sample - null).abs().max() > 1e-3


def test_a_fresh_model_predicts_zero_and_its_blocks_change_nothing(
    denoiser: WaltTransformer3DModel, noisy: torch.Tensor
):
    """AdaLN-zero: gates and the last projection start at zero, so that training starts from the identity."""
    model = WaltTransformer3DModel.from_config(denoiser.config)
    assert model(noisy, STEPS).sample.abs().max() == 0
    first, last = model.forward_intermediates(noisy, STEPS, [0, -1])
    torch.testing.assert_close(first, last, rtol=0, atol=0)


def test_intermediates_are_what_hooks_on_the_blocks_see(denoiser: WaltTransformer3DModel, noisy: torch.Tensor):
    """timm's forward_intermediates contract, and nothing runs beyond the deepest layer."""
    seen: dict[int, torch.Tensor] = {}
    for index, block in enumerate(denoiser.blocks):
        block.register_forward_hook(lambda _m, _i, output, index=index: seen.__setitem__(index, output))
    deep, shallow = denoiser.forward_intermediates(noisy, STEPS, [2, 0.25])
    assert set(seen) == {0, 1, 2}
    early = dict(seen)
    denoiser(noisy, STEPS)
    assert deep.shape == (2, 3, 4, 4, 16)
    torch.testing.assert_close(deep.flatten(1, 3), seen[2], rtol=0, atol=0)
    torch.testing.assert_close(shallow.flatten(1, 3), early[0], rtol=0, atol=0)


def test_tokens_keep_the_order_frame_row_column(make_denoiser: Callable[..., WaltTransformer3DModel]):
    """Moving one latent pixel moves the token of its frame, row and column most of all; before any attention, alone."""
    model = make_denoiser(num_layers=1, spatial_window=(1, 1))
    latents = torch.zeros(1, 4, 3, 4, 4)
    moved = latents.clone()
    moved[0, :, 1, 2, 3] = 1.0
    before, after = (model.forward_intermediates(x, STEPS[:1], [0])[0] for x in (latents, moved))
    assert (after - before).abs().amax(-1)[0].nonzero().tolist() == [[1, 2, 3]]


def test_gradient_checkpointing_gives_the_same_gradients(denoiser: WaltTransformer3DModel, noisy: torch.Tensor):
    gradients = []
    for enable in (False, True):
        denoiser.requires_grad_(True).train().zero_grad()
        if enable:
            denoiser.enable_gradient_checkpointing()
        denoiser(noisy, STEPS).sample.square().mean().backward()
        gradients.append(denoiser.patch_embed.weight.grad.clone())
    torch.testing.assert_close(*gradients)


def test_save_and_load_keep_the_function(denoiser: WaltTransformer3DModel, noisy: torch.Tensor, tmp_path: Path):
    denoiser.save_pretrained(tmp_path)
    loaded = WaltTransformer3DModel.from_pretrained(tmp_path)
    torch.testing.assert_close(loaded.state_dict(), denoiser.state_dict(), rtol=0, atol=0)
    torch.testing.assert_close(loaded(noisy, STEPS).sample, denoiser(noisy, STEPS).sample, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        ((1, 3, 3, 4, 4), r"hidden_states must be \(B, 4, T, h, w\), got \(1, 3, 3, 4, 4\)"),
        ((1, 4, 4, 4, 4), "hidden_states may have at most 3 latent frames, got 4"),
    ],
)
def test_wrong_latents_are_named(denoiser: WaltTransformer3DModel, shape: tuple[int, ...], message: str):
    with pytest.raises(ValueError, match=message):
        denoiser(torch.zeros(shape), torch.tensor([0]))


def test_wrong_arguments_are_named(denoiser: WaltTransformer3DModel, noisy: torch.Tensor):
    with pytest.raises(ValueError, match=r"image_mask must be \(2,\), got \(3,\)"):
        denoiser(noisy, STEPS, image_mask=torch.zeros(3, dtype=torch.bool))
    with pytest.raises(ValueError, match="class_labels given, but the model has num_classes=None"):
        denoiser(noisy, STEPS, class_labels=torch.tensor([0, 0]))
    with torch.device("meta"), pytest.raises(ValueError, match="objective must be 'video' or 'image', got 'both'"):
        WaltTransformer3DModel(objective="both")
