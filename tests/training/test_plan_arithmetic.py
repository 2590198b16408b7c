# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Arithmetic of plans against torch's own counters, and what autograd really keeps."""

from typing import Any

import pytest
import torch
from diffusers.models.attention_dispatch import attention_backend
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from hf_vdrep.models import AutoencoderWalt, WaltTransformer3DModel, autoencoder_config
from hf_vdrep.models.scheduler_walt import make_scheduler
from hf_vdrep.models.walt_sizes import size_config
from hf_vdrep.training.denoising import DenoisingObjective
from hf_vdrep.training.plan.activations import Arithmetic, activation_bytes
from hf_vdrep.training.plan.denoiser_shape import DenoiserShape
from hf_vdrep.training.plan.tokenizer_shape import TokenizerShape
from hf_vdrep.training.plan.work import clip_forward, input_flops, step_work

torch.set_num_threads(1)

TINY: dict[str, Any] = {
    "in_channels": 4,
    "num_layers": 3,
    "num_attention_heads": 2,
    "attention_head_dim": 8,
    "sample_frames": 3,
    "sample_size": 4,
    "spatial_window": (4, 4),
    "spatiotemporal_window": (2, 2),
}
BUILDS: dict[str, dict[str, Any]] = {
    "video": {},
    "image": {"objective": "image"},
    "text": {"text_dim": 6},
    "frames": {"frame_conditioning": True},
    "super": {"low_res_scale": 2},
    "separate": {"adaln_lora_rank": None},
    "patch": {"patch_size": 2, "spatial_window": (2, 2), "spatiotemporal_window": (1, 1)},
    "uneven": {"sample_size": (5, 6), "spatiotemporal_window": (3, 5)},
}


@pytest.mark.parametrize("build", BUILDS)
def test_forward_and_backward_agree_with_torchs_counter(build: str):
    """To the last product, those left out whose input needs no gradient; attention in its unfused form."""
    model = WaltTransformer3DModel(**TINY | BUILDS[build])
    shape = DenoiserShape.of(TINY | BUILDS[build])
    latents = torch.randn(1, 4, 3, *shape.latent_size)
    given: dict[str, Any] = {"encoder_hidden_states": torch.randn(1, 5, 6)} if build == "text" else {}
    if build == "super":
        given["low_res"] = torch.randn(1, 4, 3, *(side // 2 for side in shape.latent_size))
    with FlopCounterMode(display=False) as counter, sdpa_kernel(SDPBackend.MATH):
        model(latents, torch.tensor([3]), **given).sample.square().mean().backward()
    planned = 3 * clip_forward(shape, 5) - input_flops(shape, 1, shape.tokens, 5)
    assert planned == counter.get_total_flops()


@pytest.mark.parametrize(("objective", "fraction"), [("video", 0.5), ("image", 0.0)])
def test_a_training_step_agrees_with_torchs_counter(objective: str, fraction: float):
    """A clip and a stack of images in one batch, every one with a first estimate of self-conditioning."""
    config = {**TINY, "objective": objective}
    model, shape = WaltTransformer3DModel(**config), DenoiserShape.of(config)
    batch: dict[str, Any] = {}
    stacks = 1 if objective == "video" else 2
    for kind, count, frames in (("video", 2 - stacks, 3), ("image", 3 * stacks, 1)):
        if count:
            clean = torch.randn(count, 4, frames, 4, 4)
            batch |= {kind: clean, f"{kind}_noise": torch.randn_like(clean)}
            batch |= {f"{kind}_timestep": torch.full((count,), 200), f"{kind}_self": torch.ones(count).bool()}
    with FlopCounterMode(display=False) as counter, sdpa_kernel(SDPBackend.MATH):
        DenoisingObjective(model, make_scheduler())(batch)[0].backward()
    work = step_work(shape, image_fraction=fraction, self_condition=1.0)
    assert 2 * work.model == counter.get_total_flops()
    assert step_work(shape, checkpointing=True).recomputed == step_work(shape).forward


@pytest.mark.parametrize("name", ["tiny", "imagenet"])
def test_tokenizers_agree_with_the_model(name: str):
    """Parameters and the FLOPs of both halves; outside of training the first frame goes alone."""
    config = autoencoder_config(name)
    shape, frames = TokenizerShape(config), 1 if name == "imagenet" else 5
    with torch.device("meta"):
        model = AutoencoderWalt(**config)
    assert shape.parameters == sum(parameter.numel() for parameter in model.parameters())
    assert shape.tensors == len(list(model.parameters()))
    clip, latents = (torch.empty(size, device="meta") for size in _sizes(shape, frames))
    for run, counted in (
        (lambda: model.encode(clip), shape.encode_flops),
        (lambda: model.decode(latents), shape.decode_flops),
    ):
        for training in (False, True):
            model.train(training)
            with torch.set_grad_enabled(training), FlopCounterMode(display=False) as counter:
                run()
            if not training:
                assert counter.get_total_flops() == counted(frames, 16, 16)
            assert counted(frames, 16, 16, training=True) >= counted(frames, 16, 16)


def _sizes(shape: TokenizerShape, frames: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
    return (1, 3, frames, 16, 16), (1, *shape.latent_shape(frames, 16, 16))


@pytest.mark.parametrize("half", [False, True])
@pytest.mark.parametrize("build", [{}, {"objective": "image"}, {"text_dim": 2048}])
def test_activations_are_what_autograd_saves(half: bool, build: dict[str, Any]):
    """One more clip in the batch, on tensors without memory; a CPU keeps attention's weights. Goal: 15 %."""
    config = {**size_config("walt-l-k600"), "num_layers": 2, "frame_conditioning": False, **build}
    one, two = (_saved_bytes(config, clips, half) for clips in (1, 2))
    planned = activation_bytes(DenoiserShape.of(config), Arithmetic(half, fused=False))
    assert planned == pytest.approx(two - one, rel=0.05)


def _saved_bytes(config: dict[str, Any], clips: int, half: bool) -> int:
    kept: dict[int, Any] = {}

    def pack(tensor: torch.Tensor) -> torch.Tensor:
        kept[tensor.untyped_storage()._cdata] = tensor.untyped_storage()
        return tensor

    with FakeTensorMode():
        model = WaltTransformer3DModel(**config).train()
        given = {"encoder_hidden_states": torch.randn(clips, 128, 2048)} if "text_dim" in config else {}
        latents, steps = torch.randn(clips, 8, 5, 16, 16), torch.zeros(clips, dtype=torch.long)
        hooks = torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor)
        with hooks, attention_backend("native"), torch.autocast("cpu", dtype=torch.bfloat16, enabled=half):
            model(latents, steps, **given)
        own = {parameter.untyped_storage()._cdata for parameter in model.parameters()}
        return sum(storage.nbytes() for place, storage in kept.items() if place not in own)


def test_checkpointing_keeps_one_input_a_block_and_one_block():
    """4 bytes for every channel of every token and block, beside a whole block."""
    config = {**size_config("walt-l-k600"), "frame_conditioning": False}
    shape = DenoiserShape.of(config)
    less = activation_bytes(shape, Arithmetic(), checkpointing=True)
    shallow = activation_bytes(DenoiserShape.of({**config, "num_layers": 2}), Arithmetic(), checkpointing=True)
    assert less - shallow == 22 * 4 * 1280 * 1024
    assert less < 0.2 * activation_bytes(shape, Arithmetic())
