# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Noise levels in one pass: every denoiser gives each sample what its own level alone would give."""

import pytest
import torch
from test_denoiser_coverage import latents_of
from tiny_denoisers import tiny_denoiser
from tiny_denoisers_pipelines import tiny_pipeline

from hf_vdrep.backbones.denoiser_families import DENOISERS, family_of
from hf_vdrep.backbones.denoiser_noise import add_noise, stack_levels
from hf_vdrep.backbones.denoiser_reading import read_denoiser
from hf_vdrep.backbones.denoiser_sites import blocks_of
from hf_vdrep.backbones.denoisers import DenoiserBackbone, DenoiserInputs

# Of each way in which a noise level goes in: by modulation, added to maps, per frame, as 1 - sigma, as a list, packed.
FAST = (
    "AnyFlowTransformer3DModel",
    "CogVideoXTransformer3DModel",
    "DiTTransformer2DModel",
    "FluxTransformer2DModel",
    "HunyuanVideoTransformer3DModel",
    "LatteTransformer3DModel",
    "LTXVideoTransformer3DModel",
    "MochiTransformer3DModel",
    "PixArtTransformer2DModel",
    "SD3Transformer2DModel",
    "SanaWMTransformer3DModel",
    "UNet2DConditionModel",
    "WanTransformer3DModel",
    "ZImageTransformer2DModel",
)
DEAF = ("DreamLiteTransformer2DModel", "UVit2DModel", "WanAnimate2Transformer3DModel")
LEVELS = [0, 200, 600]


def distance(one: torch.Tensor, other: torch.Tensor) -> float:
    """Relative to the first."""
    return float((one - other).norm() / one.norm())


def check_levels(name: str) -> None:
    """The same latents at two levels: a family that heard the first level alone would give one map twice."""
    model = tiny_denoiser(name)
    blocks, latents = blocks_of(model, family_of(name)), latents_of(name, model)[0]
    with torch.inference_mode():
        apart = [read_denoiser(model, latents, level, blocks) for level in (100, 800)]
        levels = torch.tensor([100.0, 100.0, 800.0, 800.0])
        together = read_denoiser(model, torch.cat([latents, latents]), levels, blocks)
    for block, low, high, both in zip(blocks, *apart, together, strict=True):
        assert distance(torch.cat([low, high]), both) < 5e-5, block.name
    if name not in DEAF:
        assert max(distance(low, high) for low, high in zip(*apart, strict=True)) > 1e-3


@pytest.mark.parametrize("name", FAST)
def test_every_sample_hears_its_own_level(name):
    check_levels(name)


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(set(DENOISERS) - set(FAST)))
def test_every_sample_of_every_class_hears_its_own_level(name):
    """The families that cannot are those that the table says cannot."""
    family = family_of(name)
    if family.one_level:
        with pytest.raises(AssertionError):
            check_levels(name)
        return
    check_levels(name)


@pytest.mark.parametrize("name", ["sd1", "dit", "flux", "wan", "svd", "cogvideox"])
def test_stacked_levels_are_the_levels_of_a_pipeline(name):
    """UNet, DiT, flow matching, video DiT, EDM and velocities: pixels in, in the order of levels, then layers."""
    backbone = DenoiserBackbone.from_pipeline(tiny_pipeline(name))
    videos = torch.randint(0, 256, (2, 5, 64, 64, 3), dtype=torch.uint8, generator=torch.Generator().manual_seed(3))
    inputs = backbone.prepare(videos)
    options = {"sample_ids": ["a", "b"], "layers": [0, -1], "timesteps": LEVELS, "seed": 4}
    calls: list[int] = []
    handle = backbone.blocks[0].module.register_forward_hook(lambda *_: calls.append(1))
    apart, stacked = backbone.extract(inputs, **options), backbone.extract_stacked(inputs, **options)
    handle.remove()
    assert backbone.can_stack and len(calls) == len(LEVELS) + 1
    assert [(each.layer, each.timestep) for each in stacked] == [(each.layer, each.timestep) for each in apart]
    for one, other in zip(apart, stacked, strict=True):
        assert distance(one.values, other.values) < 1e-5
        assert torch.equal(one.frame_spans, other.frame_spans) and one.stride == other.stride


@pytest.mark.parametrize("name", ["Cosmos3OmniTransformer", "MiniMaxH3Transformer3DModel"])
def test_what_hears_one_level_takes_them_one_after_the_other(name):
    """Bit for bit what `extract` gives, whoever asks for one pass."""
    backbone = DenoiserBackbone(tiny_denoiser(name), None, tiny_pipeline("wan").scheduler)
    latents = latents_of(name, backbone.denoiser)[0]
    spans = torch.stack([torch.arange(latents.shape[2]), torch.arange(latents.shape[2]) + 1], dim=1)
    inputs = DenoiserInputs(latents, spans, (8 * latents.shape[3], 8 * latents.shape[4]))
    options = {"sample_ids": ["a", "b"], "layers": [0, -1], "timesteps": [100, 800]}
    apart, stacked = backbone.extract(inputs, **options), backbone.extract_stacked(inputs, **options)
    assert not backbone.can_stack
    assert all(torch.equal(one.values, other.values) for one, other in zip(apart, stacked, strict=True))


def test_conditioning_of_several_rows_is_not_stacked():
    """It may be of the samples, one row each, and would not follow them."""
    pipeline = tiny_pipeline("sd1")
    for rows, can in ((1, True), (2, False)):
        told = {"encoder_hidden_states": torch.zeros(rows, 8, 8)}
        backbone = DenoiserBackbone.from_pipeline(pipeline, conditioning=told)
        assert backbone.can_stack is can
        videos = torch.zeros(2, 1, 64, 64, 3, dtype=torch.uint8)
        options = {"sample_ids": ["a", "b"], "layers": [0], "timesteps": LEVELS}
        assert len(backbone.extract_stacked(backbone.prepare(videos), **options)) == 3


@pytest.mark.parametrize("name", ["sd1", "flux", "svd"])
def test_levels_are_stacked_as_they_are(name):
    scheduler = tiny_pipeline(name).scheduler
    clean, noise = torch.randn(2, 4, 1, 8, 8), torch.randn(2, 4, 1, 8, 8)
    parts = [add_noise(scheduler, clean, noise, level) for level in LEVELS]
    whole = stack_levels(parts)
    assert torch.equal(whole.latents, torch.cat([part.latents for part in parts]))
    expected = torch.tensor([part.timestep for part in parts for _ in range(2)], dtype=torch.float32)
    assert torch.equal(whole.timestep, expected) and whole.raw == parts[0].raw
