# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""One denoising step by the path that extracts is the pipeline's own step (VidFM3D's warning).

A pipeline runs on given noisy latents with empty text. Its denoiser's answer, and what it hands to its tokenizer's
decoder, are recorded; the same must follow from our call and our normalisation.
"""

from typing import Any

import pytest
import torch
from tiny_denoisers_cases import CASES
from tiny_denoisers_more import MORE, MORE_CALLS, MORE_FRAMES, MORE_SIDES
from tiny_denoisers_pipelines import WORDS, tiny_pipeline
from tiny_denoisers_steps import STEPS

from hf_vdrep.backbones.denoiser_call import call_arguments, latent_channels, make_call
from hf_vdrep.backbones.denoiser_coverage import STEP_GIVEN, WITHOUT_STEP
from hf_vdrep.backbones.denoiser_families import DENOISERS, family_of
from hf_vdrep.backbones.denoiser_latents import normalise
from hf_vdrep.backbones.denoiser_layout import lay_out, pack, unpack
from hf_vdrep.backbones.denoiser_noise import add_noise, noise_kind
from hf_vdrep.backbones.denoisers import DenoiserBackbone

SIDE = 64


def text(width: int) -> torch.Tensor:
    return torch.zeros(1, WORDS, width)


def ones() -> torch.Tensor:
    return torch.ones(1, WORDS)


# How each pipeline is called without text; sizes and the rest are the same for all.
CALLS: dict[str, dict[str, Any]] = {
    "sd1": {"prompt_embeds": text(8), "guidance_scale": 0.0},
    "sdxl": {"prompt_embeds": text(8), "pooled_prompt_embeds": torch.zeros(1, 8), "guidance_scale": 0.0},
    "sd3": {"prompt_embeds": text(32), "pooled_prompt_embeds": torch.zeros(1, 16), "guidance_scale": 0.0},
    "flux": {"prompt_embeds": text(32), "pooled_prompt_embeds": torch.zeros(1, 16), "guidance_scale": 1.0},
    "dit": {"class_labels": [1000], "guidance_scale": 1.0},
    "pixart": {
        "prompt": None,
        "prompt_embeds": text(8),
        "prompt_attention_mask": ones(),
        "guidance_scale": 0.0,
        "use_resolution_binning": False,
        "negative_prompt": None,
    },
    "wan": {"prompt_embeds": text(16), "guidance_scale": 0.0},
    "cogvideox": {"prompt_embeds": text(8), "guidance_scale": 0.0},
    "ltx": {"prompt_embeds": text(16), "prompt_attention_mask": ones(), "guidance_scale": 0.0},
    "hunyuan_video": {
        "prompt_embeds": text(16),
        "pooled_prompt_embeds": torch.zeros(1, 8),
        "prompt_attention_mask": ones(),
        "guidance_scale": 1.0,
    },
}
CALLS |= MORE_CALLS
# Frames of a clip, and frames per latent.
FRAMES = {"wan": (5, 4), "cogvideox": (9, 4), "ltx": (9, 4), "hunyuan_video": (5, 4), **MORE_FRAMES}


class Recorded:
    """What passed through a pipeline's denoiser, tokenizer and scheduler in one run."""

    def __init__(self, pipeline: Any, denoiser: Any) -> None:
        self.inputs: list[dict[str, Any]] = []
        self.answers: list[torch.Tensor] = []
        self.steps: list[torch.Tensor] = []
        self.decoded: torch.Tensor | None = None
        step, decode = pipeline.scheduler.step, pipeline.vae.decode

        def record_step(*args: Any, **options: Any) -> Any:
            result = step(*args, **options)
            self.steps.append(result[0] if isinstance(result, tuple) else result.prev_sample)
            return result

        def record_decode(latents: torch.Tensor, *args: Any, **options: Any) -> Any:
            self.decoded = latents
            return decode(latents, *args, **options)

        pipeline.scheduler.step, pipeline.vae.decode = record_step, record_decode
        denoiser.register_forward_hook(self._answer, with_kwargs=True)

    def _answer(self, module: Any, args: Any, named: dict[str, Any], output: Any) -> None:
        key, time = family_of(module).key, family_of(module).time
        named = dict(zip((key, time), args, strict=False)) | named
        self.inputs.append(named)
        self.answers.append(output[0] if isinstance(output, tuple) else output.sample)


def run(name: str) -> tuple[Any, Any, torch.Tensor, Recorded]:
    """The pipeline, its denoiser, the latents (1, C, T, h, w) that went in, and the record."""
    pipeline = tiny_pipeline(name, MORE.get(name))
    denoiser = getattr(pipeline, "transformer", None) or pipeline.unet
    family = family_of(denoiser)
    frames, ratio = FRAMES.get(name, (1, 1))
    torch.manual_seed(5)
    side = MORE_SIDES.get(name, SIDE // 8)
    shape = (latent_channels(denoiser.config, family), -(-frames // ratio), side, side)
    latents = torch.randn(1, *shape)
    options = dict(CALLS[name])
    if name != "dit":
        options |= {"height": SIDE, "width": SIDE, "latents": lay_out(latents, family)}
    if name in FRAMES:
        key = {"latte": "video_length", "sana_video": "frames"}.get(name, "num_frames")
        options[key] = frames
    record = Recorded(pipeline, denoiser)
    # Three steps, as the last one's noise level is zero.
    pipeline(**{"num_inference_steps": 3, "output_type": "np", **options})
    return pipeline, denoiser, latents, record


def unlay(states: torch.Tensor, grid: Any, family: Any) -> torch.Tensor:
    """What the model took, as latents (B, C, T, h, w)."""
    if family.layout == "packed":
        return unpack(states, grid, family.pack)
    if family.layout == "image":
        return states.unsqueeze(2)
    return states.transpose(1, 2) if family.layout == "frames" else states


def test_the_table_says_for_which_classes_this_is_tested():
    """Here, there (`test_denoiser_steps`, `..._conditioned`), and Stable Video Diffusion's, at one call of its UNet."""
    pipelines = [tiny_pipeline(name, MORE.get(name)) for name in (*CALLS, "svd")]
    pipelines += [tiny_pipeline(name, build) for name, (build, _) in STEPS.items()]
    denoisers = [getattr(pipeline, "transformer", None) or pipeline.unet for pipeline in pipelines]
    denoisers += [case.part(tiny_pipeline(name, case.build)) for name, case in CASES.items()]
    assert {type(denoiser).__name__ for denoiser in denoisers} == set(DENOISERS) - set(WITHOUT_STEP)
    assert set(STEP_GIVEN) <= set(DENOISERS) - set(WITHOUT_STEP)


@pytest.mark.parametrize("name", sorted(CALLS))
def test_our_call_gets_the_answer_that_the_pipeline_got(name):
    """At all of its steps, from the latents and the scheduler's timestep; and no argument that it passed is missing."""
    pipeline, denoiser, latents, record = run(name)
    family = family_of(denoiser)
    grid = make_call(denoiser, family, latents, 0.0).grid
    assert len(record.answers) == 3
    denoiser._forward_hooks.clear()
    for step, (named, answer) in enumerate(zip(record.inputs, record.answers, strict=True)):
        noisy = unlay(named[family.key], grid, family)
        if step == 0 and noise_kind(pipeline.scheduler) == "flow":
            torch.testing.assert_close(noisy, latents)
        level = float(pipeline.scheduler.timesteps[step])
        if pipeline.scheduler.config.get("invert_sigmas"):
            level = 1000 - level  # Mochi's scheduler counts towards clean
        call = make_call(denoiser, family, noisy, level, ratios=(4, 8))
        arguments = call_arguments(call, family)
        with torch.no_grad():
            ours = denoiser(**arguments)
        torch.testing.assert_close(ours[0] if isinstance(ours, tuple) else ours.sample, answer, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", sorted(set(CALLS) - {"allegro"}))
def test_our_latents_are_those_that_the_pipeline_decodes(name):
    """Our shift and scale undo what the pipeline does before its tokenizer's decoder."""
    pipeline, denoiser, latents, record = run(name)
    family = family_of(denoiser)
    grid = make_call(denoiser, family, latents, 0.0).grid
    last = unlay(record.steps[-1], grid, family)
    ours = normalise(pipeline.vae, record.decoded)
    if ours.ndim == 4:
        ours = ours.unflatten(0, (1, -1)).transpose(1, 2)
    torch.testing.assert_close(ours, last, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", ["sd1", "dit", "pixart", "sdxl", "cogvideox"])
def test_noise_of_diffusion_is_the_scheduler_s_own(name):
    """`add_noise` of DDIM, DPM and CogVideoX; Euler's, after its own scaling."""
    scheduler = tiny_pipeline(name).scheduler
    clean, noise = torch.randn(2, 4, 1, 8, 8), torch.randn(2, 4, 1, 8, 8)
    ours = add_noise(scheduler, clean, noise, 300).latents
    scheduler.set_timesteps(1000)
    level = torch.tensor([300.0 if name == "sdxl" else 300]).to(scheduler.timesteps.dtype)
    theirs = scheduler.add_noise(clean, noise, level)
    if name == "sdxl":
        theirs = scheduler.scale_model_input(theirs, level[0])
    torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-4)


def test_noise_of_flow_matching_is_the_scheduler_s_own():
    """Where no shift moves its steps, sigma of step t is t / 1000."""
    scheduler = tiny_pipeline("sd3").scheduler
    clean, noise = torch.randn(2, 4, 1, 8, 8), torch.randn(2, 4, 1, 8, 8)
    level = scheduler.timesteps[700:701]
    theirs = scheduler.scale_noise(clean, level, noise)
    ours = add_noise(scheduler, clean, noise, round(float(level))).latents
    torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-4)


def test_noise_of_svd_is_its_scheduler_s_own():
    """EDM: at the sigma of one of its steps, the scaled sample and the level log(sigma) / 4 agree."""
    pipeline = tiny_pipeline("svd")
    scheduler = pipeline.scheduler
    clean, noise = torch.randn(2, 4, 3, 8, 8), torch.randn(2, 4, 3, 8, 8)
    noised = add_noise(scheduler, clean, noise, 400)
    scheduler.set_timesteps(25)
    sigma = torch.exp(torch.tensor(noised.timestep) * 4)
    near = int((scheduler.sigmas[:-1] - sigma).abs().argmin())
    scheduler.sigmas[near] = sigma
    level = scheduler.timesteps[near : near + 1]
    theirs = scheduler.scale_model_input(scheduler.add_noise(clean, noise, level), level[0])
    torch.testing.assert_close(noised.latents, theirs, rtol=1e-4, atol=1e-4)
    assert noised.raw and noise_kind(scheduler) == "edm"


def test_svd_hears_its_level_as_its_pipeline_says_it():
    """The UNet's answer at log(sigma) / 4, zero image conditioning, three ids: as its pipeline's unconditional half."""
    pipeline = tiny_pipeline("svd")
    backbone = DenoiserBackbone.from_pipeline(pipeline)
    latents = torch.randn(1, 4, 3, 8, 8)
    call = make_call(backbone.denoiser, backbone.family, latents, -0.7, raw=True)
    arguments = call_arguments(call, backbone.family)
    frames = latents.transpose(1, 2)
    with torch.no_grad():
        theirs = pipeline.unet(
            torch.cat([frames, torch.zeros_like(frames)], dim=2),
            torch.tensor(-0.7),
            encoder_hidden_states=torch.zeros(1, 1, 32),
            added_time_ids=pipeline._get_add_time_ids(6, 127, 0.02, torch.float32, 1, 1, False),
        ).sample
        ours = backbone.denoiser(**arguments).sample
    torch.testing.assert_close(ours, theirs)


def test_latents_go_through_the_whole_tokenizer():
    """LTX: encoder, statistics per channel and packing, against its pipeline's own functions."""
    pipeline = tiny_pipeline("ltx")
    backbone = DenoiserBackbone.from_pipeline(pipeline)
    videos = torch.randint(0, 256, (1, 9, 64, 64, 3), dtype=torch.uint8)
    ours = backbone.prepare(videos).latents
    with torch.no_grad():
        raw = pipeline.vae.encode(videos.permute(0, 4, 1, 2, 3) / 127.5 - 1).latent_dist.mode()
    theirs = pipeline._normalize_latents(raw, pipeline.vae.latents_mean, pipeline.vae.latents_std)
    torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-5)
    assert torch.equal(pack(ours, 1), pipeline._pack_latents(ours, 1, 1))
