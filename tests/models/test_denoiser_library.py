# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""What users of diffusers switch on: back-ends, compilation, casting, adapters, caches."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from denoiser_variants import build, inputs
from diffusers import (
    FasterCacheConfig,
    FirstBlockCacheConfig,
    MagCacheConfig,
    PyramidAttentionBroadcastConfig,
    TaylorSeerCacheConfig,
)
from diffusers.hooks import SeaCacheConfig
from diffusers.models.attention_dispatch import attention_backend

from hf_vdrep.models import WaltTransformer3DModel

torch.set_num_threads(1)


@pytest.fixture
def model() -> WaltTransformer3DModel:
    return build("everything")


@pytest.fixture
def fresh_dynamo() -> Iterator[None]:
    torch._dynamo.reset()
    yield
    torch._dynamo.reset()


def sample(model: WaltTransformer3DModel, **changes: Any) -> torch.Tensor:
    with torch.no_grad():
        return model(**inputs(model) | changes).sample


@pytest.fixture
def native_backend() -> Iterator[None]:
    """`set_attention_backend` also sets the process's own."""
    with attention_backend("native"):
        yield


@pytest.mark.usefixtures("native_backend")
def test_attention_backends_agree(model: WaltTransformer3DModel):
    expected = sample(model)
    with attention_backend("_native_math"):
        torch.testing.assert_close(sample(model), expected, rtol=1e-4, atol=1e-5)
    model.set_attention_backend("_native_math")
    kinds = {str(processor._attention_backend.value) for processor in model.attn_processors.values()}
    assert kinds == {"_native_math"} and len(model.attn_processors) == 8
    torch.testing.assert_close(sample(model), expected, rtol=1e-4, atol=1e-5)
    model.reset_attention_backend()
    assert all(processor._attention_backend is None for processor in model.attn_processors.values())
    with attention_backend("native"):
        torch.testing.assert_close(sample(model), expected, rtol=0, atol=0)
    with pytest.raises(ValueError, match="must be one of"):
        model.set_attention_backend("none-such")


def test_processors_can_be_read_and_set(model: WaltTransformer3DModel):
    processors = model.attn_processors
    assert set(processors) == {f"blocks.{i}.{kind}.processor" for i in range(4) for kind in ("attn", "cross_attn")}
    before = sample(model)
    for block in model.blocks:
        block.attn.set_processor(type(block.attn.get_processor())())
    torch.testing.assert_close(sample(model), before, rtol=0, atol=0)


@pytest.mark.usefixtures("fresh_dynamo")
def test_forward_and_features_compile_without_a_graph_break():
    model = build("everything", num_layers=2)
    expected = sample(model)
    compiled = torch.compile(model, fullgraph=True, backend="eager")
    with torch.no_grad():
        torch.testing.assert_close(compiled(**inputs(model)).sample, expected, rtol=1e-4, atol=1e-5)
        features = torch.compile(model.forward_intermediates, fullgraph=True, backend="eager")
        given = inputs(model)
        expected = model.forward_intermediates(layers=[1, -1], **given)
        for found, wanted in zip(features(layers=[1, -1], **given), expected, strict=True):
            torch.testing.assert_close(found, wanted, rtol=1e-4, atol=1e-5)


@pytest.mark.usefixtures("fresh_dynamo")
def test_repeated_blocks_compile_once_for_each_kind():
    """diffusers' regional compilation; a second graph for a kind of block would be a recompilation."""
    model = build("video")
    expected = sample(model)
    counted = torch._dynamo.testing.CompileCounterWithBackend("eager")
    model.compile_repeated_blocks(fullgraph=True, backend=counted)
    with torch._dynamo.config.patch(error_on_recompile=True):
        torch.testing.assert_close(sample(model), expected, rtol=1e-4, atol=1e-5)
        sample(model)
    assert counted.frame_count == 3


@pytest.mark.usefixtures("fresh_dynamo")
def test_compiled_model_takes_another_size():
    model = build("video", num_layers=2)
    compiled = torch.compile(model, fullgraph=True, backend="eager", dynamic=False)
    for size in (4, 6):
        latents = torch.randn(1, 4, 3, size, size)
        with torch.no_grad():
            given = {"hidden_states": latents, "timestep": torch.tensor([5])}
            torch.testing.assert_close(compiled(**given).sample, model(**given).sample, rtol=1e-4, atol=1e-5)


def test_layerwise_casting_stores_small_and_computes_exactly():
    """Stored in 8 bits, computed in 32: as if the weights had been rounded once."""
    model, rounded = build("everything"), build("everything")
    stored = 0
    model.enable_layerwise_casting(storage_dtype=torch.float8_e4m3fn, compute_dtype=torch.float32)
    for name, parameter in model.named_parameters():
        if parameter.dtype == torch.float8_e4m3fn:
            stored += parameter.numel()
            rounded.get_parameter(name).data.copy_(parameter.float())
    assert stored > 0.8 * sum(p.numel() for p in model.parameters())
    assert model.patch_embed.weight.dtype == torch.float32
    torch.testing.assert_close(sample(model), sample(rounded), rtol=1e-5, atol=1e-5)


def test_layerwise_casting_trains():
    model = build("video").train()
    model.enable_layerwise_casting(storage_dtype=torch.bfloat16, compute_dtype=torch.float32)
    loss = model(**inputs(model)).sample.square().mean()
    loss.backward()
    assert loss.isfinite() and model.patch_embed.weight.grad.abs().max() > 0


def test_casting_and_group_offloading_go_together(model: WaltTransformer3DModel):
    model.enable_layerwise_casting(storage_dtype=torch.bfloat16, compute_dtype=torch.float32)
    expected = sample(model)
    moved = build("everything")
    moved.enable_layerwise_casting(storage_dtype=torch.bfloat16, compute_dtype=torch.float32)
    moved.enable_group_offload(onload_device=torch.device("cpu"), offload_type="leaf_level")
    torch.testing.assert_close(sample(moved), expected, rtol=1e-5, atol=1e-5)


def add_adapter(model: WaltTransformer3DModel, name: str = "default") -> None:
    from peft import LoraConfig

    targets = ["to_q", "to_k", "to_v", "to_out.0", "net.0.proj", "net.2"]
    torch.manual_seed(0)
    model.add_adapter(LoraConfig(r=2, target_modules=targets, init_lora_weights=False), adapter_name=name)


def test_lora_adapters_change_the_output_by_their_scale(model: WaltTransformer3DModel):
    plain = sample(model)
    add_adapter(model)
    adapted = sample(model)
    assert (adapted - plain).abs().max() > 1e-2
    torch.testing.assert_close(sample(model, attention_kwargs={"scale": 0.0}), plain, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(sample(model), adapted, rtol=0, atol=0)
    model.disable_adapters()
    torch.testing.assert_close(sample(model), plain, rtol=1e-4, atol=1e-5)


def test_lora_adapters_are_saved_and_loaded(model: WaltTransformer3DModel, tmp_path: Path):
    add_adapter(model)
    model.save_lora_adapter(tmp_path)
    other = build("everything")
    other.load_lora_adapter(tmp_path, prefix=None, use_safetensors=True)
    torch.testing.assert_close(sample(other), sample(model), rtol=0, atol=0)
    model.fuse_lora()
    torch.testing.assert_close(sample(model), sample(other), rtol=1e-4, atol=1e-5)
    with pytest.raises(ValueError, match="Adapter name other not found"):
        model.save_lora_adapter(tmp_path, adapter_name="other")


def test_lora_trains_the_adapter_alone():
    model = build("video").requires_grad_(False)
    add_adapter(model)
    model.train()
    model(**inputs(model)).sample.square().mean().backward()
    trained = {name for name, p in model.named_parameters() if p.grad is not None}
    assert trained and all("lora_" in name for name in trained)


CACHES = {
    "first-block": lambda: FirstBlockCacheConfig(threshold=0.5),
    "pyramid": lambda: PyramidAttentionBroadcastConfig(
        spatial_attention_block_skip_range=2,
        cross_attention_block_skip_range=2,
        current_timestep_callback=lambda: 500,
    ),
    "mag": lambda: MagCacheConfig(num_inference_steps=6, mag_ratios=[1.0] * 6, retention_ratio=0.2, threshold=1.0),
    "taylor": lambda: TaylorSeerCacheConfig(
        cache_interval=2, disable_cache_before_step=1, taylor_factors_dtype=torch.float32
    ),
}


def block_calls(model: WaltTransformer3DModel) -> list[int]:
    """Where a self-attention really ran; one entry per layer."""
    calls = [0] * len(model.blocks)
    for index, block in enumerate(model.blocks):
        block.attn.to_q.register_forward_hook(
            lambda *_, index=index: calls.__setitem__(index, calls[index] + 1),
        )
    return calls


@pytest.mark.parametrize("cache", CACHES)
def test_caches_skip_work_and_can_be_switched_off(cache: str, model: WaltTransformer3DModel):
    """The same input again: a cache has nothing new to compute, and what it returns is what it kept."""
    expected = sample(model)
    calls = block_calls(model)
    model.enable_cache(CACHES[cache]())
    assert model.is_cache_enabled
    with model.cache_context("test"):
        for _ in range(4):
            torch.testing.assert_close(sample(model), expected, rtol=1e-3, atol=1e-3)
    assert calls[-1] < 4 and calls[1] < 4
    before = list(calls)
    if cache in ("first-block", "pyramid"):  # diffusers cannot take the others off
        model.disable_cache()
        assert not model.is_cache_enabled
        torch.testing.assert_close(sample(model), expected, rtol=0, atol=0)
        assert calls == [count + 1 for count in before]


def test_faster_cache_skips_attention_below_its_timestep(model: WaltTransformer3DModel):
    now = {"timestep": 999}
    model.enable_cache(
        FasterCacheConfig(
            spatial_attention_block_identifiers=("blocks.*attn",),
            current_timestep_callback=lambda: now["timestep"],
            attention_weight_callback=lambda _: 0.0,
            tensor_format="BCFHW",
            is_guidance_distilled=True,
        )
    )
    calls, expected = block_calls(model), sample(build("everything"))
    for timestep in (999, 900, 500, 400, 300):
        now["timestep"] = timestep
        torch.testing.assert_close(sample(model), expected, rtol=1e-4, atol=1e-4)
    assert 2 <= calls[0] < 5


def test_sea_cache_and_layer_skipping_know_the_blocks(model: WaltTransformer3DModel):
    from diffusers.hooks import LayerSkipConfig, apply_layer_skip

    expected = sample(model)
    model.enable_cache(SeaCacheConfig())
    with model.cache_context("test"):
        torch.testing.assert_close(sample(model), expected, rtol=1e-4, atol=1e-5)
    skipping = build("everything")
    apply_layer_skip(skipping, LayerSkipConfig(indices=[2], fqn="blocks"))
    assert (sample(skipping) - expected).abs().max() > 1e-3
    without = build("everything")
    del without.blocks[2]
    torch.testing.assert_close(sample(skipping), sample(without), rtol=1e-5, atol=1e-5)


def test_importing_the_package_registers_no_block_before_a_model_exists():
    import subprocess
    import sys

    code = "import hf_vdrep, hf_vdrep.models, sys; print('diffusers' in sys.modules, 'torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]
