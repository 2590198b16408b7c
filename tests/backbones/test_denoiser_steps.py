# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""More pipelines whose own steps are ours: each draws its latents, and all that it tells its denoiser is recorded.

The same question as `test_denoiser_self_check` asks, of pipelines with layouts, lists and guiders of their own.
"""

import inspect
from dataclasses import replace
from typing import Any

import pytest
import torch
from tiny_denoisers_pipelines import tiny_pipeline
from tiny_denoisers_steps import STEPS, answer_of, latents_in

from hf_vdrep.backbones.denoiser_call import call_arguments, make_call
from hf_vdrep.backbones.denoiser_families import family_of
from hf_vdrep.backbones.denoisers import DenoiserBackbone

EVERY_DAY = ("amused", "animatediff", "ernie", "kandinsky5", "lumina", "motif", "prx", "zimage")
# Pixels per latent where they are not 8, for the sizes that the models hear.
PIXELS = {"amused": 2}


def copied(value: Any) -> Any:
    """Pipelines may write into what they have passed."""
    return value.clone() if isinstance(value, torch.Tensor) else value


def recorded(name: str) -> tuple[Any, Any, list[tuple[dict[str, Any], torch.Tensor]]]:
    """The pipeline, its denoiser, and at each step what this was told and what it answered."""
    build, options = STEPS[name]
    pipeline = tiny_pipeline(name, build)
    denoiser, calls = getattr(pipeline, "transformer", None) or pipeline.unet, []
    names = list(inspect.signature(type(denoiser).forward).parameters)[1:]

    def keep(module: Any, args: Any, named: dict[str, Any], output: Any) -> None:
        told = dict(zip(names, args, strict=False)) | named
        calls.append(({key: copied(value) for key, value in told.items()}, answer_of(output).clone()))

    handle = denoiser.register_forward_hook(keep, with_kwargs=True)
    torch.manual_seed(1)
    size = {} if name == "ddpm" else {"height": 64, "width": 64}
    pipeline(**{"num_inference_steps": 3, "output_type": "latent", **size, **options})
    handle.remove()
    return pipeline, denoiser, calls


@pytest.mark.parametrize(
    "name", [name if name in EVERY_DAY else pytest.param(name, marks=pytest.mark.slow) for name in sorted(STEPS)]
)
def test_our_call_gets_the_answer_that_the_pipeline_got(name):
    """At all of its steps; GLM-Image's half without an image's tokens, which is the null one."""
    pipeline, denoiser, calls = recorded(name)
    family = family_of(denoiser)
    calls = calls[1::2] if name == "glm" else calls
    assert len(calls) == 3
    for step, (named, answer) in enumerate(calls):
        level = float(pipeline.scheduler.timesteps[step])
        ratios = (4, PIXELS.get(name, 8))
        call = make_call(denoiser, family, latents_in(named, family), level, ratios=ratios)
        with torch.no_grad():
            ours = answer_of(denoiser(**call_arguments(call, family)))
        torch.testing.assert_close(ours, answer, rtol=1e-4, atol=1e-5)


def test_a_family_whose_call_was_mended_has_other_fingerprints():
    """Features that are in a cache under the old call are not taken for those of the new."""
    pipeline = tiny_pipeline("lumina", STEPS["lumina"][0])
    now, before = (DenoiserBackbone.from_pipeline(pipeline) for _ in range(2))
    assert now.family.version > 1
    before.family = replace(before.family, version=1)
    assert now.fingerprint != before.fingerprint
