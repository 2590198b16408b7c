# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Pipelines that take pictures, sound, a camera or a past: at each step our call is theirs.

The call is compared while the pipeline waits, as some keep what their denoiser has seen and write over it.
"""

import contextlib
import inspect
from typing import Any

import pytest
import torch
from tiny_denoisers_cases import CASES, Case
from tiny_denoisers_pipelines import WORDS, tiny_pipeline
from tiny_denoisers_steps import answer_of

from hf_vdrep.backbones.denoiser_call import call_arguments, make_call
from hf_vdrep.backbones.denoiser_families import family_of
from hf_vdrep.backbones.denoisers import DenoiserBackbone

# Flexible attention is compiled for these, which takes seconds, and I2VGenXL takes no latents below 32 x 32.
SLOW = ("anyflow_far", "kandinsky6_sr", "i2vgen")


class Enough(Exception):
    """As many steps as are asked for: nothing has to be decoded."""


def check_arguments(theirs: dict[str, Any], ours: dict[str, Any]) -> None:
    """What both say in tensors of one shape, they say alike; ids and positions above all."""
    for name in set(theirs) & set(ours):
        one, other = theirs[name], ours[name]
        if isinstance(one, torch.Tensor) and isinstance(other, torch.Tensor) and one.shape == other.shape:
            torch.testing.assert_close(
                other.float(), one.float(), rtol=1e-5, atol=1e-5, msg=lambda m, n=name: f"{n}: {m}"
            )


def compare_steps(pipeline: Any, case: Case) -> int:
    """Run the pipeline, and at each step of it our call; how many there were."""
    denoiser = case.part(pipeline)
    family, compared, busy = family_of(denoiser), 0, False
    names = list(inspect.signature(type(denoiser).forward).parameters)[1:]

    def compare(module: Any, args: Any, named: dict[str, Any], output: Any) -> None:
        nonlocal compared, busy
        told = dict(zip(names, args, strict=False)) | named
        if busy or case.skip(told):
            return
        busy, theirs = True, answer_of(output)
        known = {"ratios": (4, 8), "words": WORDS, "raw": case.raw, "blank": case.blank(pipeline)}
        call = make_call(denoiser, family, case.latents(told, family), case.level(pipeline, compared), **known)
        arguments = call_arguments(call, family, {name: told[name] for name in case.given})
        check_arguments(told, arguments)
        ours = answer_of(denoiser(**arguments))
        if ours.numel() > theirs.numel():
            ours = ours[:, -theirs.shape[1] :]  # the image's rows of a sequence whose words are kept from step one
        torch.testing.assert_close(ours.reshape(theirs.shape), theirs, rtol=1e-4, atol=1e-5)
        compared, busy = compared + 1, False
        if compared == case.steps:
            raise Enough

    handle = denoiser.register_forward_hook(compare, with_kwargs=True)
    torch.manual_seed(1)
    with contextlib.suppress(Enough), torch.no_grad():
        case.run(pipeline, case.options)
    handle.remove()
    return compared


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.slow) if name in SLOW else name for name in sorted(CASES)]
)
def test_our_call_gets_the_answer_that_the_pipeline_gets(name):
    """At its own noise levels; what it was given to see, hear or follow is given to us too, the rest is our table's."""
    case = CASES[name]
    assert compare_steps(tiny_pipeline(name, case.build), case) == case.steps


def test_a_backbone_shows_the_grey_clip_where_a_pipeline_does():
    """VACE without a video: what the pipeline's own functions make of no video and no mask."""
    pipeline = tiny_pipeline("vace", CASES["vace"].build)
    backbone = DenoiserBackbone.from_pipeline(pipeline)
    seen = []
    pipeline.transformer.register_forward_pre_hook(
        lambda module, args, named: seen.append(named["control_hidden_states"]), with_kwargs=True
    )
    inputs = backbone.prepare(torch.zeros(2, 5, 64, 64, 3, dtype=torch.uint8))
    backbone.extract(inputs, sample_ids=["a", "b"], layers=[0], timesteps=[100])
    video, mask, pictures = pipeline.preprocess_conditions(None, None, None, 1, 64, 64, 5, torch.float32, "cpu")
    with torch.no_grad():
        latents = pipeline.prepare_video_latents(video, mask, pictures)
    theirs = torch.cat([latents, pipeline.prepare_masks(mask, pictures)], dim=1)
    torch.testing.assert_close(seen[0], theirs.expand(2, -1, -1, -1, -1), rtol=1e-5, atol=1e-5)
