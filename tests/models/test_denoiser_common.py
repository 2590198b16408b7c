# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""What diffusers' own common model tests ask of every model, asked of every build of the denoiser."""

import inspect
import json
from pathlib import Path

import pytest
import torch
from denoiser_variants import BASE, VARIANTS, build, inputs
from diffusers import AutoModel

from hf_vdrep.models import WaltTransformer3DModel

torch.set_num_threads(1)
every = pytest.mark.parametrize("variant", VARIANTS)


@every
@torch.no_grad()
def test_saving_and_loading_keeps_config_weights_and_function(variant: str, tmp_path: Path):
    model = build(variant)
    model.save_pretrained(tmp_path)
    loaded, info = WaltTransformer3DModel.from_pretrained(tmp_path, output_loading_info=True)
    assert not info["missing_keys"] and not info["unexpected_keys"] and not info["mismatched_keys"]
    assert not loaded.training
    assert {k: v for k, v in loaded.config.items() if k[0] != "_"} == {
        k: list(v) if isinstance(v, tuple) else v for k, v in model.config.items() if k[0] != "_"
    }
    torch.testing.assert_close(loaded(**inputs(model)).sample, model(**inputs(model)).sample, rtol=0, atol=0)


@every
@torch.no_grad()
def test_tuple_and_dict_outputs_are_the_same_and_repeatable(variant: str):
    model = build(variant)
    given = inputs(model)
    sample = model(**given).sample
    assert sample.shape == given["hidden_states"].shape and sample.isfinite().all()
    torch.testing.assert_close(model(**given, return_dict=False)[0], sample, rtol=0, atol=0)
    torch.testing.assert_close(model(**given).to_tuple()[0], sample, rtol=0, atol=0)


@every
def test_gradient_checkpointing_gives_the_same_loss_and_gradients(variant: str):
    losses, gradients = [], []
    for enable in (False, True):
        model = build(variant).train()
        if enable:
            model.enable_gradient_checkpointing()
            assert model.is_gradient_checkpointing
        loss = model(**inputs(model)).sample.square().mean()
        loss.backward()
        losses.append(loss)
        gradients.append({name: p.grad for name, p in model.named_parameters()})
    torch.testing.assert_close(*losses, rtol=1e-6, atol=1e-6)
    for name, gradient in gradients[0].items():
        torch.testing.assert_close(gradients[1][name], gradient, rtol=1e-4, atol=1e-6, msg=name)


@every
def test_every_parameter_is_trained(variant: str):
    """Two batches, for the null token of text is only read where there is none."""
    model = build(variant).train()
    model(**inputs(model)).sample.square().mean().backward()
    without = {k: v for k, v in inputs(model).items() if not k.startswith("encoder")} | {"image_mask": None}
    model(**without).sample.square().mean().backward()
    silent = [name for name, p in model.named_parameters() if p.grad is None or p.grad.abs().max() == 0]
    # Offsets that no window spans and frames that an image model does not tell apart.
    assert all("position_bias.time" in name for name in silent), silent


@every
@torch.no_grad()
def test_state_dict_is_whole_and_holds_no_empty_tensor(variant: str):
    model = build(variant)
    names = set(model.state_dict())
    assert names == {name for name, _ in model.named_parameters()}
    assert all(value.numel() for value in model.state_dict().values())


@every
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
@torch.no_grad()
def test_half_precision_loads_runs_and_comes_near(variant: str, dtype: torch.dtype, tmp_path: Path):
    model = build(variant)
    model.save_pretrained(tmp_path)
    half = WaltTransformer3DModel.from_pretrained(tmp_path, torch_dtype=dtype)
    assert half.dtype == dtype
    given = inputs(model)
    exact = model(**given).sample
    sample = half(**given).sample
    assert sample.dtype == dtype
    error = (sample.float() - exact).norm() / exact.norm()
    assert error < (0.1 if dtype == torch.bfloat16 else 0.02)


@every
@torch.no_grad()
def test_group_offloading_changes_nothing(variant: str):
    model = build(variant)
    expected = model(**inputs(model)).sample
    for kind, options in (("leaf_level", {}), ("block_level", {"num_blocks_per_group": 2})):
        moved = build(variant)
        moved.enable_group_offload(onload_device=torch.device("cpu"), offload_type=kind, **options)
        torch.testing.assert_close(moved(**inputs(model)).sample, expected, rtol=0, atol=0)


@every
@torch.no_grad()
def test_fused_projections_change_nothing_and_can_be_undone(variant: str):
    model = build(variant)
    expected, names = model(**inputs(model)).sample, set(model.state_dict())
    model.fuse_qkv_projections()
    assert all(block.attn.fused_projections for block in model.blocks)
    torch.testing.assert_close(model(**inputs(model)).sample, expected, rtol=1e-5, atol=1e-5)
    model.unfuse_qkv_projections()
    assert set(model.state_dict()) == names
    torch.testing.assert_close(model(**inputs(model)).sample, expected, rtol=0, atol=0)


@every
def test_config_is_json_and_builds_the_same_model(variant: str):
    model = build(variant)
    config = json.loads(model.to_json_string())
    rebuilt = WaltTransformer3DModel.from_config(config)
    assert {k: v.shape for k, v in rebuilt.state_dict().items()} == {k: v.shape for k, v in model.state_dict().items()}


@every
@torch.no_grad()
def test_results_do_not_depend_on_the_batch(variant: str):
    model = build(variant)
    given = inputs(model)
    alone = {k: v[1:] if torch.is_tensor(v) else v for k, v in given.items()}
    torch.testing.assert_close(model(**given).sample[1:], model(**alone).sample, rtol=1e-4, atol=1e-5)


def test_forward_begins_as_everywhere_in_diffusers():
    names = list(inspect.signature(WaltTransformer3DModel.forward).parameters)
    assert names[1:3] == ["hidden_states", "timestep"] and names[-2:] == ["attention_kwargs", "return_dict"]


@torch.no_grad()
def test_sharded_checkpoints_are_written_and_read(tmp_path: Path):
    model = build("everything")
    model.save_pretrained(tmp_path, max_shard_size="20KB")
    index = json.loads((tmp_path / "diffusion_pytorch_model.safetensors.index.json").read_text())
    assert set(index["weight_map"]) == set(model.state_dict()) and len(set(index["weight_map"].values())) > 1
    loaded = WaltTransformer3DModel.from_pretrained(tmp_path)
    torch.testing.assert_close(loaded(**inputs(model)).sample, model(**inputs(model)).sample, rtol=0, atol=0)


@torch.no_grad()
def test_variants_are_written_and_read(tmp_path: Path):
    model = build("video")
    model.save_pretrained(tmp_path, variant="fp16")
    assert (tmp_path / "diffusion_pytorch_model.fp16.safetensors").exists()
    loaded = WaltTransformer3DModel.from_pretrained(tmp_path, variant="fp16")
    torch.testing.assert_close(loaded(**inputs(model)).sample, model(**inputs(model)).sample, rtol=0, atol=0)
    with pytest.raises(OSError):
        WaltTransformer3DModel.from_pretrained(tmp_path)


def test_missing_and_unexpected_weights_are_reported(tmp_path: Path):
    build("video").save_pretrained(tmp_path)
    config = json.loads((tmp_path / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps(config | {"num_classes": 3}))
    _, info = WaltTransformer3DModel.from_pretrained(tmp_path, output_loading_info=True, low_cpu_mem_usage=False)
    assert info["missing_keys"] == ["class_embed.weight"]
    (tmp_path / "config.json").write_text(json.dumps(config | {"num_layers": 3}))
    _, info = WaltTransformer3DModel.from_pretrained(tmp_path, output_loading_info=True, low_cpu_mem_usage=False)
    assert info["unexpected_keys"] and all(name.startswith("blocks.3.") for name in info["unexpected_keys"])


def test_weights_of_another_shape_are_refused(tmp_path: Path):
    build("video").save_pretrained(tmp_path)
    with pytest.raises((ValueError, RuntimeError), match=r"in_channels|size mismatch|shape"):
        WaltTransformer3DModel.from_pretrained(tmp_path, in_channels=5)


@torch.no_grad()
def test_diffusers_auto_model_finds_the_class(tmp_path: Path):
    model = build("text")
    model.save_pretrained(tmp_path)
    loaded = AutoModel.from_pretrained(str(tmp_path))
    assert type(loaded) is WaltTransformer3DModel
    torch.testing.assert_close(loaded(**inputs(model)).sample, model(**inputs(model)).sample, rtol=0, atol=0)


@torch.no_grad()
def test_disk_offload_gives_the_same(tmp_path: Path):
    """`_no_split_modules`: accelerate cuts the model between blocks."""
    from accelerate import cpu_offload, disk_offload

    model = build("everything")
    expected = model(**inputs(model)).sample
    cpu_offload(model, execution_device=torch.device("cpu"))
    torch.testing.assert_close(model(**inputs(model)).sample, expected, rtol=0, atol=0)
    model = build("everything")
    disk_offload(model, str(tmp_path), execution_device=torch.device("cpu"))
    torch.testing.assert_close(model(**inputs(model)).sample, expected, rtol=0, atol=0)


@pytest.mark.parametrize("variant", ["video", "image", "separate"])
def test_blocks_that_must_not_be_split_are_all_named(variant: str):
    kinds = {type(block).__name__ for block in build(variant).blocks}
    assert kinds <= set(WaltTransformer3DModel._no_split_modules)
    assert kinds <= set(WaltTransformer3DModel._repeated_blocks)


def test_a_fresh_model_is_the_same_for_the_same_seed():
    models = []
    for _ in range(2):
        torch.manual_seed(3)
        models.append(WaltTransformer3DModel(**BASE))
    for one, other in zip(models[0].parameters(), models[1].parameters(), strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=0)


def test_the_exponential_average_of_training_works_on_it(tmp_path: Path):
    from diffusers.training_utils import EMAModel

    model = build("video").train()
    average = EMAModel(model.parameters(), model_cls=WaltTransformer3DModel, model_config=model.config)
    model(**inputs(model)).sample.square().mean().backward()
    torch.optim.SGD(model.parameters(), lr=0.1).step()
    average.step(model.parameters())
    average.save_pretrained(tmp_path)
    loaded = EMAModel.from_pretrained(tmp_path, model_cls=WaltTransformer3DModel)
    for one, other in zip(loaded.shadow_params, average.shadow_params, strict=True):
        torch.testing.assert_close(one, other.detach(), rtol=0, atol=0)
