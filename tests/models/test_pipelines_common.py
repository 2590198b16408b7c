# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""What a user of diffusers expects of every pipeline, for all four of ours."""

import copy
import inspect
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from diffusers import DDIMScheduler, DiffusionPipeline, DPMSolverMultistepScheduler
from tiny_text import WIDTH, tiny_text

from hf_vdrep.models import (
    WaltCascadePipeline,
    WaltImageToVideoPipeline,
    WaltPipeline,
    WaltSuperResolutionPipeline,
    make_scheduler,
)

KINDS = ("class", "text", "frames", "upscale", "cascade")
Made = tuple[DiffusionPipeline, dict[str, Any]]


def draw(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.fixture(params=KINDS)
def made(request, autoencoder, make_denoiser: Callable) -> Made:
    """(pipeline, arguments of a call)."""
    parts: dict[str, Any] = {"vae": autoencoder, "scheduler": make_scheduler()}
    large = {"low_res_scale": 2, "sample_size": 8, "patch_size": 2}
    if request.param == "class":
        pipeline, told = WaltPipeline(transformer=make_denoiser(num_classes=3), **parts), {"class_labels": 1}
    elif request.param == "text":
        pipeline = WaltPipeline(transformer=make_denoiser(text_dim=WIDTH), **parts, **tiny_text())
        told = {"prompt": "a red cube"}
    elif request.param == "frames":
        pipeline = WaltImageToVideoPipeline(transformer=make_denoiser(frame_conditioning=True), **parts)
        told = {"image": torch.rand(1, 3, 32, 32, generator=draw(5))}
    elif request.param == "upscale":
        pipeline = WaltSuperResolutionPipeline(transformer=make_denoiser(3, **large), **parts)
        told = {"video": torch.rand(1, 5, 3, 32, 32, generator=draw(5))}
    else:
        stages = {"transformer": make_denoiser(1, text_dim=WIDTH), "transformer_2": make_denoiser(3, **large)}
        pipeline, told = WaltCascadePipeline(**parts, **stages, **tiny_text()), {"prompt": "a red cube"}
    pipeline.set_progress_bar_config(disable=True)
    return pipeline, told


def call(made: Made, **arguments: Any) -> Any:
    pipeline, told = made
    settings = {"num_inference_steps": 2, "output_type": "np", "return_dict": False, "generator": draw()}
    return pipeline(**told | settings | arguments)[0]


def test_a_folder_gives_the_same_film_through_every_door(made, tmp_path):
    """`from_pretrained` of the class and of DiffusionPipeline."""
    expected = call(made)
    made[0].save_pretrained(tmp_path)
    for loader in (type(made[0]), DiffusionPipeline):
        again = loader.from_pretrained(str(tmp_path))
        again.set_progress_bar_config(disable=True)
        assert type(again) is type(made[0])
        np.testing.assert_allclose(call((again, made[1])), expected, atol=1e-5)


def test_a_component_may_be_replaced_on_loading(made, tmp_path):
    pipeline, told = made
    pipeline.save_pretrained(tmp_path)
    other = copy.deepcopy(pipeline.transformer)
    with torch.no_grad():
        other.proj_out.bias += 1.0
    again = DiffusionPipeline.from_pretrained(str(tmp_path), transformer=other)
    assert again.transformer is other
    again.set_progress_bar_config(disable=True)
    assert np.abs(call((again, told)) - call(made)).max() > 1e-3


def test_components_make_the_same_pipeline(made):
    pipeline, told = made
    twin = type(pipeline)(**pipeline.components)
    twin.set_progress_bar_config(disable=True)
    np.testing.assert_array_equal(call((twin, told)), call(made))


def test_the_components_are_the_constructor_s_arguments(made):
    names = set(inspect.signature(type(made[0]).__init__).parameters) - {"self"}
    assert set(made[0].components) == names
    assert set(type(made[0])._optional_components) <= names
    assert set(type(made[0]).model_cpu_offload_seq.split("->")) <= names


def test_equal_generators_give_equal_films(made):
    first = call(made)
    np.testing.assert_array_equal(first, call(made))
    assert np.abs(first - call(made, generator=draw(1))).max() > 1e-4


def test_the_answer_is_a_named_output_or_a_tuple(made):
    named = call(made) is not None and made[0](**made[1], num_inference_steps=1, output_type="np", generator=draw())
    assert len(named.to_tuple()) == 1
    assert (named.frames is None) != (named.images is None)


def test_output_types_show_the_same_film(made):
    array, tensor = call(made), call(made, output_type="pt")
    np.testing.assert_allclose(tensor.numpy().transpose(0, 1, 3, 4, 2), array, atol=1e-6)
    frames = call(made, output_type="pil")
    assert len(frames) == len(array) and len(frames[0]) == array.shape[1]
    np.testing.assert_allclose(np.asarray(frames[0][0]) / 255, array[0, 0], atol=1 / 255)
    assert array.min() >= 0 and array.max() <= 1 and np.isfinite(array).all()


def test_latents_decode_to_the_film(made):
    pipeline, _ = made
    latents = call(made, output_type="latent")
    np.testing.assert_allclose(pipeline._decode(latents, "np"), call(made), atol=1e-5)


def test_half_precision_makes_nearly_the_same_film(made):
    expected = call(made)
    made[0].to(torch.bfloat16)
    found = call(made)
    assert found.dtype == np.float32 and np.isfinite(found).all()
    assert np.abs(found - expected).mean() < 0.1


def test_dtype_on_loading_reaches_every_model(made, tmp_path):
    made[0].save_pretrained(tmp_path)
    again = type(made[0]).from_pretrained(tmp_path, torch_dtype=torch.bfloat16)
    assert again.dtype == torch.bfloat16
    assert {again.vae.dtype, again.transformer.dtype} == {torch.bfloat16}


def test_other_schedulers_of_diffusers_serve(made):
    pipeline, _ = made
    pipeline.scheduler = DPMSolverMultistepScheduler.from_config(pipeline.scheduler.config)
    assert np.isfinite(call(made, num_inference_steps=3)).all()
    pipeline.scheduler = DDIMScheduler.from_config(pipeline.scheduler.config)
    assert np.isfinite(call(made)).all()


def test_more_steps_are_more_calls(made):
    pipeline, _ = made
    calls = []
    handle = pipeline.transformer.register_forward_hook(lambda *_: calls.append(1))
    for steps in (1, 3):
        calls.clear()
        call(made, num_inference_steps=steps)
        assert len(calls) == steps
    handle.remove()


def test_a_callback_sees_allowed_tensors_and_may_stop(made):
    pipeline, told = made
    if isinstance(pipeline, WaltCascadePipeline):
        told = told | {"num_inference_steps": [4, 1]}
    seen = []

    def stop(pipe: Any, step: int, timestep: Any, tensors: dict) -> dict:
        seen.append((step, set(tensors)))
        pipe._interrupt = step == 1
        return tensors

    names = list(pipeline._callback_tensor_inputs)
    settings = {"num_inference_steps": 4} | told | {"output_type": "latent", "generator": draw()}
    pipeline(**settings, callback_on_step_end=stop, callback_on_step_end_tensor_inputs=names)
    assert seen == [(0, set(names)), (1, set(names))]


def test_slicing_and_tiling_of_the_tokenizer_change_nothing(made):
    expected = call(made)
    made[0].vae.enable_slicing()
    np.testing.assert_allclose(call(made), expected, atol=1e-4)
    made[0].vae.disable_slicing()
    made[0].vae.enable_tiling()
    np.testing.assert_allclose(call(made), expected, atol=1e-4)


def test_progress_is_shown_unless_told_otherwise(made, capfd, monkeypatch):
    made[0].set_progress_bar_config(disable=False)
    monkeypatch.setattr("hf_vdrep.models.pipeline_base.are_progress_bars_disabled", lambda *_: False)
    call(made)
    assert "2/2" in capfd.readouterr().err
    made[0].set_progress_bar_config(disable=True)
    call(made)
    assert "2/2" not in capfd.readouterr().err


def test_no_gradients_are_kept(made):
    for parameter in made[0].transformer.parameters():
        parameter.requires_grad_(True)
    assert not call(made, output_type="pt").requires_grad


def test_several_samples_of_one_prompt(made):
    pipeline, told = made
    if not isinstance(pipeline, WaltSuperResolutionPipeline):
        assert len(call(made, num_images_per_prompt=3)) == 3
    if "prompt" in told:
        both = {"prompt": ["a red cube", "ball"]}
        assert len(call(made, **both, num_images_per_prompt=2)) == 4
