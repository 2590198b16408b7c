# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""The tokenizer as a diffusers model: what any user of the library does with one, property by property."""

import inspect
import json
from collections.abc import Callable
from pathlib import Path

import diffusers
import pytest
import torch
from accelerate.hooks import ModelHook, add_hook_to_module
from diffusers.models.autoencoders.vae import DecoderOutput, IdentityDistribution
from diffusers.models.modeling_outputs import AutoencoderKLOutput
from diffusers.training_utils import EMAModel
from safetensors.torch import load_file

from hf_vdrep.models import AutoencoderWalt

CONFIG = {
    "latent_channels": 4,
    "block_out_channels": (8, 16),
    "layers_per_block": 1,
    "mid_block_layers": 1,
    "temporal_downsample": (True,),
    "norm_num_groups": 4,
}
WEIGHTS = "diffusion_pytorch_model"


@pytest.fixture
def make() -> Callable[..., AutoencoderWalt]:
    def build(**changes) -> AutoencoderWalt:
        torch.manual_seed(0)
        return AutoencoderWalt(**{**CONFIG, **changes}).eval()

    return build


@pytest.fixture
def model(make: Callable[..., AutoencoderWalt]) -> AutoencoderWalt:
    return make()


@pytest.fixture
def sample() -> torch.Tensor:
    """(2, 3, 5, 8, 12) in [-1, 1]."""
    return torch.rand(2, 3, 5, 8, 12, generator=torch.Generator().manual_seed(1)) * 2 - 1


def same_weights(first: torch.nn.Module, second: torch.nn.Module) -> bool:
    one, other = first.state_dict(), second.state_dict()
    return one.keys() == other.keys() and all(torch.equal(one[key], other[key]) for key in one)


# --- outputs ---------------------------------------------------------------------------------------------------------


@torch.no_grad()
def test_outputs_as_objects_and_as_tuples_agree(model: AutoencoderWalt, sample: torch.Tensor):
    encoded, decoded, both = model.encode(sample), model.decode(torch.zeros(1, 4, 2, 4, 4)), model(sample)
    assert isinstance(encoded, AutoencoderKLOutput) and isinstance(encoded.latent_dist, IdentityDistribution)
    assert isinstance(decoded, DecoderOutput) and isinstance(both, DecoderOutput)
    (posterior,) = model.encode(sample, return_dict=False)
    assert torch.equal(posterior.mode(), encoded.latent_dist.mode())
    (pixels,) = model.decode(posterior.mode(), return_dict=False)
    (forward,) = model(sample, return_dict=False)
    assert torch.equal(pixels, both.sample) and torch.equal(forward, both.sample)
    assert both.to_tuple()[0] is both.sample


@torch.no_grad()
def test_output_has_the_shape_of_the_input(model: AutoencoderWalt, sample: torch.Tensor):
    assert model(sample).sample.shape == sample.shape
    assert model.encode(sample).latent_dist.mode().shape == (2, 4, 3, 4, 6)
    assert model(sample).sample.isfinite().all()


@torch.no_grad()
def test_calls_are_deterministic_and_leave_their_input_alone(model: AutoencoderWalt, sample: torch.Tensor):
    before, latents = sample.clone(), model.encode(sample).latent_dist.mode()
    kept = latents.clone()
    assert torch.equal(model(sample).sample, model(sample).sample)
    model.decode(latents)
    assert torch.equal(sample, before) and torch.equal(latents, kept)


@torch.no_grad()
def test_sampling_the_posterior_is_its_mode(model: AutoencoderWalt, sample: torch.Tensor):
    """Quantisation-free and without a KL term (WALT §3, §4.1): the posterior is a point, whatever the generator."""
    drawn = model(sample, sample_posterior=True, generator=torch.Generator().manual_seed(7)).sample
    assert torch.equal(drawn, model(sample).sample)


@torch.no_grad()
@pytest.mark.parametrize("memory_format", [torch.contiguous_format, torch.channels_last_3d])
def test_the_memory_layout_of_input_and_weights_changes_nothing(make, sample: torch.Tensor, memory_format):
    expected = make()(sample).sample
    found = make().to(memory_format=memory_format)(sample.contiguous(memory_format=memory_format)).sample
    strided = make()(sample.movedim(1, -1).contiguous().movedim(-1, 1)).sample
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-5)
    torch.testing.assert_close(strided, expected, rtol=0, atol=1e-5)


# --- config ----------------------------------------------------------------------------------------------------------


def test_every_argument_is_in_the_config_and_nothing_else(model: AutoencoderWalt):
    arguments = set(inspect.signature(AutoencoderWalt.__init__).parameters) - {"self"}
    assert {name for name in model.config if not name.startswith("_")} == arguments
    assert model.config.latent_channels == model.config["latent_channels"] == 4
    with pytest.raises(AttributeError, match="latent_chanels"):
        _ = model.latent_chanels


def test_from_config_builds_the_same_architecture(model: AutoencoderWalt):
    twin = AutoencoderWalt.from_config(model.config)
    assert {k: v.shape for k, v in twin.state_dict().items()} == {k: v.shape for k, v in model.state_dict().items()}
    assert AutoencoderWalt.from_config(model.config, latent_channels=6).config.latent_channels == 6


def test_the_config_is_json_and_survives_it(model: AutoencoderWalt, tmp_path: Path):
    stored = json.loads(model.to_json_string())
    assert stored["_class_name"] == "AutoencoderWalt" and stored["block_out_channels"] == [8, 16]
    model.save_config(tmp_path)
    assert AutoencoderWalt.load_config(tmp_path)["norm_num_groups"] == 4
    rebuilt = AutoencoderWalt.from_config(AutoencoderWalt.load_config(tmp_path))
    assert rebuilt.num_parameters() == model.num_parameters()


def test_a_config_without_the_newest_field_still_loads(model: AutoencoderWalt):
    """`spatial_downsample` is younger than the weights that ship."""
    older = {name: value for name, value in model.config.items() if name != "spatial_downsample"}
    assert AutoencoderWalt.from_config(older).spatial_compression_ratio == 2


# --- saving and loading ----------------------------------------------------------------------------------------------


@torch.no_grad()
def test_saved_and_loaded_it_gives_the_same_output(model: AutoencoderWalt, sample: torch.Tensor, tmp_path: Path):
    model.save_pretrained(tmp_path)
    loaded = AutoencoderWalt.from_pretrained(tmp_path)
    assert same_weights(loaded, model) and not loaded.training
    assert torch.equal(loaded(sample).sample, model(sample).sample)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["config.json", f"{WEIGHTS}.safetensors"]


@torch.no_grad()
def test_auto_model_finds_the_class(model: AutoencoderWalt, tmp_path: Path):
    model.save_pretrained(tmp_path)
    found = diffusers.AutoModel.from_pretrained(str(tmp_path))
    assert type(found) is AutoencoderWalt and same_weights(found, model)


def test_variants_lie_beside_each_other(model: AutoencoderWalt, tmp_path: Path):
    model.save_pretrained(tmp_path, variant="fp16")
    assert (tmp_path / f"{WEIGHTS}.fp16.safetensors").exists()
    assert same_weights(AutoencoderWalt.from_pretrained(tmp_path, variant="fp16"), model)
    with pytest.raises(OSError, match=WEIGHTS):
        AutoencoderWalt.from_pretrained(tmp_path)


@pytest.mark.parametrize("parallel", [False, True])
def test_shards_make_one_model(model: AutoencoderWalt, tmp_path: Path, monkeypatch, parallel: bool):
    model.save_pretrained(tmp_path, max_shard_size="20KB")
    index = json.loads((tmp_path / f"{WEIGHTS}.safetensors.index.json").read_text())
    files = set(index["weight_map"].values())
    assert len(files) > 2 and all((tmp_path / name).exists() for name in files)
    assert index["weight_map"].keys() == model.state_dict().keys()
    assert index["metadata"]["total_size"] == sum(v.nbytes for v in model.state_dict().values())
    if parallel:
        monkeypatch.setenv("HF_ENABLE_PARALLEL_LOADING", "yes")
    assert same_weights(AutoencoderWalt.from_pretrained(tmp_path), model)


def test_shards_of_a_variant(model: AutoencoderWalt, tmp_path: Path):
    model.save_pretrained(tmp_path, max_shard_size="20KB", variant="ema")
    assert (tmp_path / f"{WEIGHTS}.safetensors.index.ema.json").exists()
    assert same_weights(AutoencoderWalt.from_pretrained(tmp_path, variant="ema"), model)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
def test_weights_load_in_the_dtype_asked_for(model: AutoencoderWalt, tmp_path: Path, dtype: torch.dtype):
    model.save_pretrained(tmp_path)
    loaded = AutoencoderWalt.from_pretrained(tmp_path, torch_dtype=dtype)
    assert loaded.dtype == dtype and {p.dtype for p in loaded.parameters()} == {dtype}
    assert torch.equal(loaded.encoder.conv_in.weight, model.encoder.conv_in.weight.to(dtype))


@pytest.mark.parametrize("low_memory", [False, True])
def test_loading_with_and_without_meta_weights(model: AutoencoderWalt, tmp_path: Path, low_memory: bool):
    model.save_pretrained(tmp_path)
    loaded = AutoencoderWalt.from_pretrained(tmp_path, low_cpu_mem_usage=low_memory)
    assert same_weights(loaded, model) and not any(p.is_meta for p in loaded.parameters())


def test_missing_and_surplus_weights_are_reported(model: AutoencoderWalt, tmp_path: Path):
    from safetensors.torch import save_file

    model.save_pretrained(tmp_path)
    weights = load_file(tmp_path / f"{WEIGHTS}.safetensors")
    removed = weights.pop("decoder.conv_in.bias")
    save_file({**weights, "decoder.stranger": removed}, tmp_path / f"{WEIGHTS}.safetensors", {"format": "pt"})
    loaded, report = AutoencoderWalt.from_pretrained(tmp_path, output_loading_info=True, low_cpu_mem_usage=False)
    assert report["missing_keys"] == ["decoder.conv_in.bias"]
    assert report["unexpected_keys"] == ["decoder.stranger"]
    assert torch.equal(loaded.decoder.conv_out.weight, model.decoder.conv_out.weight)


def test_weights_of_another_shape_are_refused_or_left_out(model: AutoencoderWalt, tmp_path: Path):
    model.save_pretrained(tmp_path)
    with pytest.raises((ValueError, RuntimeError), match=r"shape|size"):
        AutoencoderWalt.from_pretrained(tmp_path, latent_channels=6)
    changed = AutoencoderWalt.from_pretrained(
        tmp_path, latent_channels=6, low_cpu_mem_usage=False, ignore_mismatched_sizes=True
    )
    assert changed.encoder.conv_out.weight.shape[0] == 6
    assert torch.equal(changed.encoder.conv_in.weight, model.encoder.conv_in.weight)


# --- precision -------------------------------------------------------------------------------------------------------


@torch.no_grad()
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_runs_and_stays_near(make, sample: torch.Tensor, dtype: torch.dtype):
    expected = make()(sample).sample
    half = make().to(dtype)(sample.to(dtype)).sample
    assert half.dtype == dtype and half.isfinite().all()
    assert (half.float() - expected).abs().mean() < 0.05 * expected.abs().mean()


@torch.no_grad()
def test_autocast_gives_the_first_frame_alone_to_the_bit_too(model: AutoencoderWalt, sample: torch.Tensor):
    with torch.autocast("cpu", dtype=torch.bfloat16):
        together = model.encode(sample).latent_dist.mode()[:, :, :1]
        alone = model.encode(sample[:, :, :1]).latent_dist.mode()
    assert torch.equal(together, alone)


@torch.no_grad()
@pytest.mark.parametrize("tiles", [False, True])
def test_layerwise_casting_stores_small_and_computes_large(make, sample: torch.Tensor, tiles: bool):
    """Kernels rest in 8 bits; norms stay as they are. The result is that of the rounded weights."""
    rounded, cast = make(), make()
    kernels = [m for m in rounded.modules() if isinstance(m, torch.nn.Conv3d | torch.nn.Linear)]
    skipped = {id(m) for name, m in rounded.named_modules() if "norm" in name}
    for parameter in (p for m in kernels if id(m) not in skipped for p in m.parameters()):
        parameter.copy_(parameter.to(torch.float8_e4m3fn).float())
    cast.enable_layerwise_casting(storage_dtype=torch.float8_e4m3fn, compute_dtype=torch.float32)
    if tiles:
        cast.enable_tiling(4, 4)
    assert cast.encoder.conv_in.weight.dtype == torch.float8_e4m3fn
    assert cast.encoder.norm_out.weight.dtype == torch.float32
    torch.testing.assert_close(cast(sample).sample, rounded(sample).sample, rtol=0, atol=1e-4)
    assert cast.encoder.conv_in.weight.dtype == torch.float8_e4m3fn


# --- memory ----------------------------------------------------------------------------------------------------------


@torch.no_grad()
@pytest.mark.parametrize("tiles", [False, True])
@pytest.mark.parametrize(
    "kind", [{"offload_type": "leaf_level"}, {"offload_type": "block_level", "num_blocks_per_group": 1}]
)
def test_group_offloading_changes_nothing(make, sample: torch.Tensor, kind: dict, tiles: bool):
    plain, offloaded = make(), make()
    offloaded.enable_group_offload(onload_device=torch.device("cpu"), offload_device=torch.device("cpu"), **kind)
    for tokenizer in (plain, offloaded):
        if tiles:
            tokenizer.enable_tiling(4, 4)
    assert torch.equal(offloaded(sample).sample, plain(sample).sample)


@torch.no_grad()
def test_weights_on_disk_are_fetched_when_needed(make, sample: torch.Tensor, tmp_path: Path):
    """`device_map` with a disk share: accelerate's hooks bring each block's weights in before it runs."""
    plain = make()
    plain.save_pretrained(tmp_path / "model", max_shard_size="20KB")
    spread = AutoencoderWalt.from_pretrained(
        tmp_path / "model", device_map={"encoder": "cpu", "decoder": "disk"}, offload_folder=tmp_path / "offload"
    )
    assert next(spread.decoder.parameters()).is_meta and not next(spread.encoder.parameters()).is_meta
    assert torch.equal(spread(sample).sample, plain(sample).sample)


@torch.no_grad()
@pytest.mark.parametrize("method", ["encode", "decode", "encode_chunk", "decode_chunk"])
def test_offload_hooks_hear_every_entry(model: AutoencoderWalt, method: str):
    """A pipeline calls `encode` and `decode`, not `forward`; accelerate's hook must bring the weights all the same."""

    class Count(ModelHook):
        calls = 0

        def pre_forward(self, module, *args, **kwargs):
            self.calls += 1
            return args, kwargs

    hook = Count()
    add_hook_to_module(model, hook)
    given = torch.zeros(1, 3, 1, 4, 4) if method.startswith("encode") else torch.zeros(1, 4, 1, 2, 2)
    getattr(model, method)(given, *([{}] if method.endswith("chunk") else []))
    assert hook.calls == 1


@torch.no_grad()
def test_slicing_and_tiling_go_on_and_off(model: AutoencoderWalt, sample: torch.Tensor):
    plain = model(sample).sample
    for on, off, flag in (
        (model.enable_slicing, model.disable_slicing, "use_slicing"),
        (lambda: model.enable_tiling(4, 4), model.disable_tiling, "use_tiling"),
    ):
        assert not getattr(model, flag)
        on()
        assert getattr(model, flag)
        torch.testing.assert_close(model(sample).sample, plain, rtol=0, atol=1e-4)
        off()
        assert not getattr(model, flag) and torch.equal(model(sample).sample, plain)


# --- training --------------------------------------------------------------------------------------------------------


def test_every_parameter_learns(model: AutoencoderWalt, sample: torch.Tensor):
    model.train()
    for module in model.modules():  # AdaGN starts with zero slopes, which is the start and no dead end
        assert module.training
    (model(sample).sample - sample).square().mean().backward()
    silent = [name for name, p in model.named_parameters() if p.grad is None or not p.grad.any()]
    assert silent == []
    model.eval()
    assert not model.decoder.training


def test_a_training_step_with_an_average(model: AutoencoderWalt, sample: torch.Tensor):
    average = EMAModel(model.parameters(), decay=0.5)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    before = [p.detach().clone() for p in model.parameters()]
    losses = []
    for _ in range(3):
        loss = (model(sample).sample - sample).square().mean()
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        average.step(model.parameters())
        losses.append(loss.item())
    assert losses[-1] < losses[0]
    assert any(not torch.equal(a, b) for a, b in zip(before, average.shadow_params, strict=True))


@pytest.mark.parametrize("framewise", [True, False])
def test_gradient_checkpointing_gives_the_same_gradients(make, sample: torch.Tensor, framewise: bool):
    gradients = []
    for checkpointing in (False, True):
        tokenizer = make().train()
        tokenizer.use_framewise_encoding = tokenizer.use_framewise_decoding = framewise
        if checkpointing:
            tokenizer.enable_gradient_checkpointing()
        assert tokenizer.is_gradient_checkpointing == checkpointing
        tokenizer(sample).sample.square().mean().backward()
        gradients.append({name: p.grad for name, p in tokenizer.named_parameters()})
    for name, gradient in gradients[0].items():
        torch.testing.assert_close(gradients[1][name], gradient, rtol=1e-4, atol=1e-7)


def test_gradient_checkpointing_is_in_both_halves_and_can_be_left(model: AutoencoderWalt):
    holders = lambda: {type(m).__name__ for m in model.modules() if getattr(m, "gradient_checkpointing", False)}  # noqa: E731
    assert holders() == set()
    model.enable_gradient_checkpointing()
    assert holders() == {"WaltEncoder", "WaltDecoder"}
    model.disable_gradient_checkpointing()
    assert holders() == set()


def test_gradient_checkpointing_keeps_less(make, sample: torch.Tensor):
    """Tensors saved for the backward pass, counted as they are saved."""
    kept = []
    for checkpointing in (False, True):
        tokenizer = make().train()
        if checkpointing:
            tokenizer.enable_gradient_checkpointing()
        total = 0

        def save(tensor: torch.Tensor) -> torch.Tensor:
            nonlocal total
            total += tensor.numel()
            return tensor

        with torch.autograd.graph.saved_tensors_hooks(save, lambda tensor: tensor):
            tokenizer(sample)
        kept.append(total)
    assert kept[1] < 0.6 * kept[0]


def test_gradients_reach_the_pixels_through_any_path(make, sample: torch.Tensor):
    """Whole, frame by frame, and in tiles: one function, one gradient."""
    gradients = []
    for framewise, tiles in ((False, False), (True, False), (True, True)):
        tokenizer = make()
        tokenizer.use_framewise_encoding = tokenizer.use_framewise_decoding = framewise
        if tiles:
            tokenizer.enable_tiling(4, 4)
        pixels = sample.clone().requires_grad_(True)
        tokenizer(pixels).sample.square().sum().backward()
        gradients.append(pixels.grad)
    torch.testing.assert_close(gradients[1], gradients[0], rtol=1e-3, atol=1e-4)
    torch.testing.assert_close(gradients[2], gradients[0], rtol=1e-3, atol=1e-4)


# --- initialisation --------------------------------------------------------------------------------------------------


def test_equal_seeds_make_equal_models_and_others_do_not(make):
    assert same_weights(make(), make())
    torch.manual_seed(1)
    assert not same_weights(make(), AutoencoderWalt(**CONFIG))


def test_a_fresh_decoder_is_normalised_not_modulated(model: AutoencoderWalt):
    """AdaGN starts as plain GroupNorm: scale 1, shift 0, whatever the latents."""
    norms = [stage.norm for stage in model.decoder.up_blocks]
    assert len(norms) == 2
    for norm in norms:
        assert not norm.scale.weight.any() and norm.scale.bias.eq(1).all()
        assert not norm.shift.weight.any() and not norm.shift.bias.any()


def test_no_split_modules_are_classes_of_the_model(model: AutoencoderWalt):
    present = {type(module).__name__ for module in model.modules()}
    assert set(model._no_split_modules) <= present


def test_meta_weights_take_no_memory_and_can_be_given():
    with torch.device("meta"):
        model = AutoencoderWalt(**CONFIG)
    assert all(p.is_meta for p in model.parameters())
    given = AutoencoderWalt(**CONFIG)
    model.load_state_dict(given.state_dict(), assign=True)
    assert same_weights(model, given) and not list(model.buffers())
