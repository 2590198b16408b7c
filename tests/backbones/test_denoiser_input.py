# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""What denoisers cannot read is said in one line; the table in the docs is the table."""

import json
import shutil
from pathlib import Path

import diffusers
import pytest
import torch
from tiny_denoisers import tiny_denoiser
from tiny_denoisers_pipelines import tiny_pipeline

from hf_vdrep.backbones import open_backbone
from hf_vdrep.backbones.denoiser_coverage import counts, coverage_table
from hf_vdrep.backbones.denoiser_families import DENOISERS, exported_denoisers
from hf_vdrep.backbones.denoiser_noise import noise_kind
from hf_vdrep.backbones.denoisers import DenoiserBackbone

DOCS = Path(__file__).parents[2] / "docs" / "backbones.md"


def clips(frames=5, side=64):
    return torch.zeros(1, frames, side, side, 3, dtype=torch.uint8)


def read(backbone, videos, layers=(0,), timesteps=(200,)):
    return backbone.extract(backbone.prepare(videos), sample_ids=["a"], layers=layers, timesteps=timesteps)


@pytest.fixture(scope="module")
def dit():
    return tiny_pipeline("dit")


@pytest.fixture(scope="module")
def wan():
    return DenoiserBackbone.from_pipeline(tiny_pipeline("wan"))


@pytest.fixture
def folder(dit, tmp_path):
    dit.save_pretrained(tmp_path / "dit")
    return tmp_path / "dit"


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda b: read(b, clips(), layers=[2]), "got 2"),
        (lambda b: read(b, clips(), layers=["blocks.7"]), "layer must be one of blocks.0, blocks.1, got 'blocks.7'"),
        (lambda b: read(b, clips(), timesteps=[1000]), r"timestep must lie in \[0, 999\], got 1000"),
        (lambda b: read(b, clips(), timesteps=[None]), r"timestep must lie in \[0, 999\], got None"),
        (lambda b: read(b, clips(), timesteps=[]), "timesteps must name at least one noise level"),
        (lambda b: read(b, clips(frames=4)), r"videos must have 1 \+ 4k frames, got 4"),
        (lambda b: read(b, clips(side=72)), "videos of 72 x 72 pixels do not fit .* divisible by"),
        (lambda b: read(b, clips(side=70)), "videos must have sides of multiples of 8 pixels, got 70 x 70"),
        (lambda b: read(b, clips(side=6)), "videos must be larger for AutoencoderKLWan, got 6 x 6 pixels"),
        (lambda b: read(b, clips().float()), "videos must be uint8"),
    ],
    ids=[
        "layer",
        "layer name",
        "timestep",
        "no timestep",
        "no timesteps",
        "frames",
        "resolution",
        "rest",
        "small",
        "floats",
    ],
)
def test_what_does_not_fit_is_named(wan, call, message):
    with pytest.raises(ValueError, match=message) as caught:
        call(wan)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("denoiser", "message"),
    [
        (lambda: torch.nn.Linear(1, 1), "denoiser must be an image or video denoiser of diffusers, got Linear"),
        (lambda: diffusers.PriorTransformer(num_layers=1), "got PriorTransformer: denoises embeddings of CLIP"),
    ],
    ids=["module", "prior"],
)
def test_an_unknown_class_is_named(denoiser, message):
    with pytest.raises(ValueError, match=message):
        DenoiserBackbone(denoiser(), None, diffusers.DDIMScheduler())


def test_an_unknown_scheduler_or_none_is_named():
    model = tiny_denoiser("UNet2DModel")
    with pytest.raises(ValueError, match="scheduler must be of DDPM's, flow matching's or EDM's family, got ScoreSde"):
        DenoiserBackbone(model, None, diffusers.ScoreSdeVeScheduler())
    with pytest.raises(ValueError, match="scheduler must be that of the pipeline"):
        DenoiserBackbone(model)


@pytest.mark.parametrize("name", ["PiflowScheduler", "LTXEulerAncestralRFScheduler", "MiniMaxH3Scheduler"])
def test_rectified_flow_goes_by_many_names(name):
    assert noise_kind(getattr(diffusers, name)()) == "flow"


def test_a_tokenizer_that_does_not_fit_is_named(dit):
    """16 channels for a denoiser of 4."""
    vae = diffusers.AutoencoderKL(block_out_channels=(4,), norm_num_groups=2, latent_channels=16)
    backbone = DenoiserBackbone(dit.transformer, vae, dit.scheduler)
    with pytest.raises(ValueError, match="denoiser must take the tokenizer's 16 channels, got in_channels=4"):
        backbone.prepare(clips())


def test_a_site_or_channel_that_does_not_exist_is_named(dit):
    with pytest.raises(ValueError, match="site must be one of block, norm, attention, mlp, got 'head'"):
        DenoiserBackbone.from_pipeline(dit, site="head")
    with pytest.raises(ValueError, match="discard must name channels below 32, got"):
        read(DenoiserBackbone.from_pipeline(dit, discard=[40]), clips(1))
    unet = DenoiserBackbone.from_pipeline(tiny_pipeline("sd1"), site="mlp")
    with pytest.raises(ValueError, match=r"site must be one of block for down_blocks.0, got 'mlp'"):
        read(unet, clips(1))


def test_a_pipeline_of_text_alone_is_named(tmp_path):
    (tmp_path / "model_index.json").write_text(
        json.dumps({"_class_name": "TextPipeline", "text_encoder": ["transformers", "T5EncoderModel"]})
    )
    with pytest.raises(ValueError, match="image or video denoiser, got TextPipeline with text_encoder"):
        open_backbone(tmp_path)


def test_a_part_that_is_not_there_or_stands_alone_is_named(folder):
    with pytest.raises(
        ValueError, match=r"part must be a denoiser of the pipeline \(transformer\), got 'transformer_2'"
    ):
        open_backbone(folder, part="transformer_2")
    with pytest.raises(ValueError, match="got DiTTransformer2DModel alone: give the pipeline's folder"):
        open_backbone(folder / "transformer")


def test_a_missing_tokenizer_is_named(folder):
    shutil.rmtree(folder / "vae")
    with pytest.raises(OSError, match="folder must hold vae/"):
        open_backbone(folder)
    index = json.loads((folder / "model_index.json").read_text())
    del index["vae"]
    (folder / "model_index.json").write_text(json.dumps(index))
    with pytest.raises(OSError, match="DiTTransformer2DModel denoises latents, not pixels"):
        open_backbone(folder)


@pytest.mark.parametrize("damage", ["truncated", "garbage", "missing", "index"])
def test_a_damaged_folder_ends_in_one_line(folder, damage):
    (weights,) = (folder / "transformer").glob("*.safetensors")
    content = weights.read_bytes()
    if damage == "truncated":
        weights.write_bytes(content[: len(content) // 2])
    elif damage == "garbage":
        weights.write_bytes(b"x" * 100)
    elif damage == "missing":
        weights.unlink()
    else:
        (folder / "model_index.json").write_text("{")
    with pytest.raises(OSError, match="folder must hold a readable") as caught:
        open_backbone(folder)
    assert "\n" not in str(caught.value)


def test_a_denoiser_of_pixels_needs_no_tokenizer():
    """DDPM: the frames themselves are noised."""
    backbone = DenoiserBackbone(tiny_denoiser("UNet2DModel"), None, diffusers.DDPMScheduler())
    found = read(backbone, clips(frames=2, side=16), layers=[0, 2])
    assert [features.stride for features in found] == [2, 2]
    assert found[0].values.shape[:4] == (1, 2, 8, 8)


def test_an_enabled_cache_is_refused(wan):
    """Features on skipped steps would be those of another step."""
    wan.denoiser.enable_cache(diffusers.FirstBlockCacheConfig(threshold=0.1))
    try:
        with pytest.raises(ValueError, match="denoiser must have no cache enabled"):
            read(wan, clips())
    finally:
        wan.denoiser.disable_cache()
    assert read(wan, clips())


def test_hooks_that_never_fire_are_an_error(wan):
    """As in a model that was compiled before."""
    lone = type(wan.blocks[0])("blocks.0", torch.nn.Linear(1, 1))
    kept, wan.blocks[0] = wan.blocks[0], lone
    try:
        with pytest.raises(RuntimeError, match="Linear never ran"):
            read(wan, clips())
    finally:
        wan.blocks[0] = kept


def test_a_compiled_copy_is_refused(dit):
    with pytest.raises(ValueError, match=r"got a torch\.compile of it, which calls no hooks"):
        DenoiserBackbone(torch.compile(dit.transformer, backend="eager"), dit.vae, dit.scheduler)


def test_codes_are_masked_by_the_noise_level():
    """aMUSEd: none of the codes at t = 0, nearly all at 999, the mask's number in their place."""
    from hf_vdrep.backbones.denoiser_noise import add_noise

    scheduler = diffusers.AmusedScheduler(mask_token_id=39)
    codes = torch.randint(0, 32, (2, 1, 1, 8, 8)).float()
    noise = torch.randn(codes.shape)
    shares = [float((add_noise(scheduler, codes, noise, t).latents == 39).float().mean()) for t in (0, 500, 999)]
    assert shares[0] == 0 and shares[2] > 0.95
    assert shares[1] == pytest.approx(0.5**0.5, abs=0.02)


def test_the_docs_hold_the_coverage_table():
    """`python -m hf_vdrep.backbones.denoiser_coverage`, counts and all."""
    assert DOCS.read_text().split("<!-- coverage -->\n")[1] == coverage_table()
    assert f"{len(DENOISERS)} of {len(exported_denoisers())}" in counts()[0]
