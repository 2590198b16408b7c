# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""One set of weights, two faces: what either library saves the other loads, to the bit."""

from pathlib import Path

import pytest
import torch
from diffusers import AutoModel as DiffusersAutoModel
from diffusers import DiffusionPipeline
from transformers import AutoConfig, AutoModel

from hf_vdrep.models import (
    AutoencoderWalt,
    WaltConfig,
    WaltModel,
    WaltPipeline,
    WaltSuperResolutionPipeline,
    WaltTransformer3DModel,
)


def same_weights(first: WaltModel | WaltPipeline, second: WaltModel | WaltPipeline) -> None:
    for name in ("vae", "transformer"):
        left, right = (getattr(holder, name).state_dict() for holder in (first, second))
        torch.testing.assert_close(left, right, rtol=0, atol=0)


def test_auto_model_loads_a_pipeline_folder_without_a_key_too_few_or_too_many(saved: Path):
    model, info = AutoModel.from_pretrained(saved, output_loading_info=True)
    assert type(model) is WaltModel and type(AutoConfig.from_pretrained(saved)) is WaltConfig
    assert not any(info[key] for key in ("missing_keys", "unexpected_keys", "mismatched_keys", "error_msgs"))
    assert not model.training
    same_weights(model, DiffusionPipeline.from_pretrained(saved))


def test_diffusers_loads_what_the_transformers_face_saved(saved: Path, tmp_path: Path):
    model = AutoModel.from_pretrained(saved, timestep=77)
    model.save_pretrained(tmp_path / "walt")
    pipeline = DiffusionPipeline.from_pretrained(tmp_path / "walt")
    assert type(pipeline) is WaltPipeline
    same_weights(model, pipeline)
    again = AutoModel.from_pretrained(tmp_path / "walt")
    same_weights(model, again)
    assert again.config.timestep == 77
    for file in ("vae/config.json", "transformer/config.json", "scheduler/scheduler_config.json"):
        assert (tmp_path / "walt" / file).is_file()


def test_given_weights_are_saved_instead_of_the_models(saved: Path, tmp_path: Path):
    """A trainer that gathers shards passes the whole state dict."""
    model = WaltModel.from_pretrained(saved)
    weights = {name: tensor + 1 for name, tensor in model.state_dict().items()}
    model.save_pretrained(tmp_path / "walt", state_dict=weights)
    loaded = WaltModel.from_pretrained(tmp_path / "walt")
    torch.testing.assert_close(loaded.state_dict(), weights, rtol=0, atol=0)
    model.save_pretrained(tmp_path / "other", is_main_process=False)
    assert not (tmp_path / "other").exists()


def test_components_load_alone(saved: Path):
    # diffusers 0.42's AutoModel takes a str only.
    assert type(DiffusersAutoModel.from_pretrained(str(saved), subfolder="vae")) is AutoencoderWalt
    assert type(DiffusersAutoModel.from_pretrained(str(saved), subfolder="transformer")) is WaltTransformer3DModel
    swapped = DiffusionPipeline.from_pretrained(saved, vae=AutoencoderWalt.from_pretrained(saved, subfolder="vae"))
    assert isinstance(swapped, WaltPipeline)


def test_a_pipeline_over_a_model_shares_its_modules(saved: Path):
    model = WaltModel.from_pretrained(saved)
    pipeline = model.to_pipeline()
    assert pipeline.transformer is model.transformer and pipeline.vae is model.vae


def test_an_image_feature_pipeline_runs_on_the_model(saved: Path, clip: torch.Tensor):
    """transformers' pipelines call model(pixel_values=4-D)."""
    model = AutoModel.from_pretrained(saved)
    with torch.no_grad():
        assert model(pixel_values=clip[:, :, 0]).last_hidden_state.shape == (2, 16, 16)


@pytest.mark.parametrize("timestep", [0, 999])
def test_both_faces_see_the_same_features(saved: Path, clip: torch.Tensor, timestep: int):
    model, pipeline = AutoModel.from_pretrained(saved), DiffusionPipeline.from_pretrained(saved)
    with torch.no_grad():
        latents = pipeline.vae.normalize(pipeline.vae.encode(clip).latent_dist.mode())
        noise = torch.randn(latents.shape, generator=torch.Generator().manual_seed(0))
        steps = torch.tensor([timestep] * 2)
        noisy = pipeline.scheduler.add_noise(latents, noise, steps)
        (expected,) = pipeline.transformer.forward_intermediates(noisy, steps, [-1])
        features = model(clip, timestep=timestep, latent_noise=noise).last_hidden_state
    torch.testing.assert_close(features, expected.flatten(1, 3), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(
    ("options", "pipeline"),
    [
        ({"text_dim": 8}, WaltPipeline),
        ({"frame_conditioning": True}, WaltPipeline),
        ({"num_classes": 3}, WaltPipeline),
        ({"adaln_lora_rank": None}, WaltPipeline),
        ({"objective": "image"}, WaltPipeline),
        ({"low_res_scale": 2}, WaltSuperResolutionPipeline),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_every_kind_of_denoiser_wears_both_faces(
    make_denoiser, autoencoder, options: dict, pipeline: type, clip: torch.Tensor, tmp_path: Path
):
    """Saved by one, loaded by the other, and read under null conditions."""
    config = WaltConfig(vae_config=autoencoder.config, transformer_config=make_denoiser(**options).config)
    model = WaltModel(config).eval()
    model.vae, model.transformer = autoencoder, make_denoiser(**options)
    model.save_pretrained(tmp_path / "walt")
    loaded, other = AutoModel.from_pretrained(tmp_path / "walt"), DiffusionPipeline.from_pretrained(tmp_path / "walt")
    same_weights(model, loaded)
    same_weights(model, other)
    assert type(other) is pipeline
    given = {"low_res": torch.zeros(2, 4, 3, 2, 2)} if "low_res_scale" in options else {}
    with torch.no_grad():
        found = loaded(clip, output_attentions=True, output_hidden_states=True, **given)
        torch.testing.assert_close(
            found.last_hidden_state, model(clip, **given).last_hidden_state, rtol=1e-4, atol=1e-4
        )
    assert len(found.attentions) == 4 and len(found.hidden_states) == 5
    fresh, theirs = (
        WaltModel(config).transformer.state_dict(),
        WaltTransformer3DModel.from_config(other.transformer.config),
    )
    for name, value in theirs.state_dict().items():
        if value.std(correction=0) == 0:
            torch.testing.assert_close(fresh[name], value, rtol=0, atol=0, msg=name)
        elif value.numel() > 200:
            assert fresh[name].std().item() == pytest.approx(value.std().item(), rel=0.3), name
