# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""What transformers' common test suite asks of a model, asked of every model of this face."""

import copy
import inspect
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from diffusers.models.attention_dispatch import _AttentionBackendRegistry as dispatch_registry
from safetensors.torch import load_file
from tiny_heads import CLASSES, HEADS, LAYERS, WIDTH, answer, inputs_of, labels_of, make, make_config

from hf_vdrep.models import WaltConfig


def same(left: Any, right: Any) -> None:
    torch.testing.assert_close(left.state_dict(), right.state_dict(), rtol=0, atol=0)


@torch.no_grad()
def run(model: Any, kind: str, batch: int = 2, **options: Any) -> Any:
    return model(**inputs_of(kind, batch), **options)


def test_a_saved_model_has_the_same_weights_and_answers_as_before(kind: str, saved_heads: Callable[[str], Path]):
    model, (loaded, info) = make(kind), CLASSES[kind].from_pretrained(saved_heads(kind), output_loading_info=True)
    same(model, loaded)
    torch.testing.assert_close(answer(run(loaded, kind)), answer(run(model, kind)), rtol=1e-5, atol=1e-6)
    assert not any(info[key] for key in ("missing_keys", "unexpected_keys", "mismatched_keys", "error_msgs"))
    assert not loaded.training


def test_tables_that_are_not_saved_are_made_again(kind: str, saved_heads: Callable[[str], Path]):
    """transformers builds models without memory: a buffer outside of the file would hold anything."""
    fresh, loaded = make(kind), CLASSES[kind].from_pretrained(saved_heads(kind))
    expected = dict(fresh.named_non_persistent_buffers())
    assert dict(loaded.named_non_persistent_buffers()).keys() == expected.keys()
    for name, buffer in loaded.named_non_persistent_buffers():
        torch.testing.assert_close(buffer, expected[name], rtol=0, atol=0)


def test_shards_load_as_the_whole(kind: str, tmp_path: Path):
    model = make(kind)
    model.save_pretrained(tmp_path / "walt", max_shard_size="20KB")
    assert len(list((tmp_path / "walt/transformer").glob("*.safetensors"))) > 1
    same(CLASSES[kind].from_pretrained(tmp_path / "walt"), model)


def test_no_tensor_is_stored_twice(kind: str, saved_heads: Callable[[str], Path]):
    """Every parameter lies in one file, which the index names."""
    place = saved_heads(kind)
    files = sorted(place.rglob("*.safetensors"))
    held = [name for file in files for name in load_file(file)]
    assert len(held) == len(set(held)) == len(make(kind).state_dict())
    weight_map = json.loads((place / "model.safetensors.index.json").read_text())["weight_map"]
    assert set(weight_map) == set(held)
    assert {place / file for file in weight_map.values()} == set(files)


def test_half_precision_loads_runs_and_is_remembered(kind: str, saved_heads: Callable[[str], Path], tmp_path: Path):
    dtype = torch.float16 if kind in ("model", "depth") else torch.bfloat16
    model = CLASSES[kind].from_pretrained(saved_heads(kind), dtype=dtype)
    assert model.dtype == dtype == model.config.dtype
    walt = getattr(model, "walt", model)
    assert {p.dtype for p in walt.parameters()} == {dtype}
    assert kind not in HEADS or model.readout.dtype == torch.float32
    assert answer(run(make(kind).to(dtype), kind)).isfinite().all()
    assert answer(run(model, kind)).isfinite().all()
    model.save_pretrained(tmp_path / "walt")
    assert CLASSES[kind].from_pretrained(tmp_path / "walt").dtype == dtype


def test_the_same_input_gives_the_same_answer(kind: str):
    model = make(kind)
    first, second = answer(run(model, kind)), answer(run(model, kind))
    torch.testing.assert_close(first, second, rtol=0, atol=0)
    assert (first[0] - first[1]).abs().max() > 0


def test_an_answer_does_not_depend_on_its_batch(kind: str):
    model = make(kind)
    together = answer(run(model, kind))
    alone = answer(model(**{name: value[:1] for name, value in inputs_of(kind).items()}))
    torch.testing.assert_close(together[:1], alone, rtol=1e-4, atol=1e-5)


def test_checkpointing_saves_no_other_gradient(kind: str):
    gradients = []
    for checkpointing in (False, True):
        model = make(kind).train()
        assert not model.is_gradient_checkpointing
        if checkpointing:
            model.gradient_checkpointing_enable()
            assert model.is_gradient_checkpointing
        answer(model(**inputs_of(kind))).square().mean().backward()
        gradients.append(model.get_input_embeddings().weight.grad)
        model.gradient_checkpointing_disable()
        assert not model.is_gradient_checkpointing
    assert gradients[0].abs().max() > 0
    torch.testing.assert_close(*gradients)


def test_hidden_states_are_the_embedding_and_every_block(kind: str):
    model = make(kind)
    plain, told = run(model, kind), run(model, kind, output_hidden_states=True)
    assert plain.hidden_states is None
    assert len(told.hidden_states) == LAYERS + 1
    tokens = 16 if "pixel_values" in inputs_of(kind) else 48
    assert {tuple(state.shape) for state in told.hidden_states} == {(2, tokens, WIDTH)}
    torch.testing.assert_close(answer(told), answer(plain), rtol=0, atol=0)
    by_config = run(make(kind, output_hidden_states=True), kind)
    torch.testing.assert_close(by_config.hidden_states, told.hidden_states, rtol=0, atol=0)


def test_single_hidden_states_keep_their_place(kind: str):
    """transformers' own spelling: the tuple keeps its length, the other entries are None."""
    model = make(kind)
    every = run(model, kind, output_hidden_states=True).hidden_states
    for selection, kept in (([1], [1]), (-1, [3]), ([0, -2], [0, 2])):
        some = run(model, kind, output_hidden_states=selection).hidden_states
        assert [index for index, state in enumerate(some) if state is not None] == kept
        for index in kept:
            torch.testing.assert_close(some[index], every[index], rtol=0, atol=0)
    assert run(model, kind, output_hidden_states=[]).hidden_states is None


def test_attention_weights_are_probabilities_of_every_block(kind: str):
    """Spatial blocks attend within a frame of 16 tokens, spatiotemporal ones within 3x2x2 tokens; a picture in those
    attends every token to itself alone (WALT §4.2)."""
    model = make(kind)
    plain, told = run(model, kind), run(model, kind, output_attentions=True)
    assert plain.attentions is None and len(told.attentions) == LAYERS
    clip = "pixel_values_videos" in inputs_of(kind)
    spatial, temporal = (6, 2, 16, 16) if clip else (2, 2, 16, 16), (8, 2, 12, 12) if clip else (2, 2, 16, 16)
    assert [tuple(weights.shape) for weights in told.attentions] == [spatial, temporal, spatial]
    for weights in told.attentions:
        assert weights.min() >= 0
        torch.testing.assert_close(weights.sum(-1), torch.ones(weights.shape[:-1]))
    if not clip:
        torch.testing.assert_close(told.attentions[1], torch.eye(16).expand(2, 2, -1, -1))
    torch.testing.assert_close(answer(told), answer(plain), rtol=1e-4, atol=1e-4)
    by_config = run(make(kind, output_attentions=True, attn_implementation="eager"), kind)
    torch.testing.assert_close(by_config.attentions, told.attentions, rtol=1e-4, atol=1e-5)


def test_attention_implementations_agree(kind: str, saved_heads: Callable[[str], Path]):
    """Chosen at loading, in the config, or afterwards."""
    model, later = make(kind), make(kind)
    later.set_attn_implementation("eager")
    loaded = CLASSES[kind].from_pretrained(saved_heads(kind), attn_implementation="eager")
    expected = answer(run(model, kind))
    for eager in (loaded, make(kind, attn_implementation="eager"), later):
        assert (model.config._attn_implementation, eager.config._attn_implementation) == ("sdpa", "eager")
        processor = getattr(eager, "walt", eager).transformer.blocks[0].attn.processor
        assert str(getattr(processor._attention_backend, "value", processor._attention_backend)) == "_native_math"
        torch.testing.assert_close(answer(run(eager, kind)), expected, rtol=1e-4, atol=1e-4)
    with pytest.raises(ValueError, match=r"attn_implementation"):
        model.set_attn_implementation("no_such_attention")


def test_the_attention_of_one_model_is_its_own(kind: str):
    """diffusers keeps a default for the whole process: other models must not change with ours."""
    before = dispatch_registry.get_active_backend()[0]
    make(kind, attn_implementation="eager").set_attn_implementation("sdpa")
    assert dispatch_registry.get_active_backend()[0] is before


def test_gradients_reach_hidden_states_and_attentions(kind: str):
    """What is handed out lies on the way to the answer, and is not a copy."""
    model = make(kind)
    output = model(**inputs_of(kind), output_hidden_states=True, output_attentions=True)
    state, weights = output.hidden_states[0], output.attentions[0]
    state.retain_grad()
    weights.retain_grad()
    answer(output).flatten()[0].backward()
    assert state.grad is not None and state.grad.abs().max() > 0
    assert weights.grad is not None and weights.grad.abs().max() > 0


def test_a_tuple_holds_what_the_output_names(kind: str):
    model = make(kind)
    named = run(model, kind, output_hidden_states=True)
    plain = run(model, kind, output_hidden_states=True, return_dict=False)
    assert isinstance(plain, tuple) and len(plain) == len(named.to_tuple())
    torch.testing.assert_close(plain, named.to_tuple(), rtol=0, atol=0)
    assert isinstance(run(make(kind, return_dict=False), kind), tuple)


def test_a_fresh_model_starts_finite_and_small(kind: str):
    torch.manual_seed(0)
    model = CLASSES[kind](make_config())
    for name, parameter in model.named_parameters():
        assert parameter.isfinite().all() and parameter.abs().max() < 10, name
    torch.manual_seed(0)
    same(CLASSES[kind](make_config()), model)


def test_the_input_embeddings_can_be_had_and_replaced(kind: str):
    model = make(kind)
    assert isinstance(model.get_input_embeddings(), torch.nn.Linear)
    other = torch.nn.Linear(3, 4)
    model.set_input_embeddings(other)
    assert model.get_input_embeddings() is other
    assert model.get_output_embeddings() is None


def test_the_signature_is_that_of_a_vision_model(kind: str):
    """transformers' suite: the main input comes first; `noise` and `bool_masked_pos` mean other things."""
    names = list(inspect.signature(CLASSES[kind].forward).parameters)
    assert names[:2] == ["self", "pixel_values"] and CLASSES[kind].main_input_name == "pixel_values"
    assert not {"noise", "bool_masked_pos"} & set(names)


def test_a_model_needs_no_memory_to_be_described(kind: str):
    with torch.device("meta"):
        model = CLASSES[kind](make_config())
    walt = getattr(model, "walt", model)
    assert {p.device.type for p in walt.parameters()} == {"meta"}
    assert model.num_parameters() == make(kind).num_parameters() < 1_000_000


def test_a_device_map_places_the_model(kind: str, saved_heads: Callable[[str], Path]):
    for device_map in ("auto", "cpu", {"": "cpu"}) if kind == "model" else ("auto",):
        model = CLASSES[kind].from_pretrained(saved_heads(kind), device_map=device_map)
        assert model.device.type in ("cpu", "cuda")
        same(model.cpu(), make(kind))


@pytest.mark.parametrize("name", ["model", "depth", "camera_pose"])
def test_weights_may_stay_on_disk(name: str, saved_heads: Callable[[str], Path], tmp_path: Path):
    """The index leads into the component folders, and the ways into the components other than `forward` fetch weights
    too. Only the readout stays in memory."""
    parts = ("vae", "transformer") if name == "model" else ("walt.vae", "walt.transformer")
    device_map = dict.fromkeys(parts, "disk") | ({} if name == "model" else {"readout": "cpu"})
    if name == "model":
        device_map["vae"] = "cpu"
    offloaded = CLASSES[name].from_pretrained(saved_heads(name), device_map=device_map, offload_folder=tmp_path)
    embeddings = offloaded.get_input_embeddings().weight
    assert embeddings.device.type == "meta"
    torch.testing.assert_close(answer(run(offloaded, name)), answer(run(make(name), name)), rtol=1e-5, atol=1e-6)
    assert embeddings.device.type == "meta"
    assert list(tmp_path.rglob("*.safetensors")) == []


def test_given_weights_and_config_need_no_folder(kind: str):
    model = make(kind)
    weights = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    loaded = CLASSES[kind].from_pretrained(None, config=model.config, state_dict=weights)
    same(loaded, model)


def test_a_copy_is_a_model_of_its_own(kind: str):
    model = make(kind)
    twin = copy.deepcopy(model)
    torch.testing.assert_close(answer(run(twin, kind)), answer(run(model, kind)), rtol=0, atol=0)
    with torch.no_grad():
        twin.get_input_embeddings().weight.zero_()
    assert model.get_input_embeddings().weight.abs().max() > 0


def test_options_of_the_config_can_be_given_at_loading(kind: str, saved_heads: Callable[[str], Path]):
    model = CLASSES[kind].from_pretrained(saved_heads(kind), timestep=7, seed=3, output_hidden_states=True)
    assert (model.config.timestep, model.config.seed) == (7, 3)
    assert len(run(model, kind).hidden_states) == LAYERS + 1
    moved = answer(run(model, kind)) - answer(run(make(kind), kind))
    assert moved.abs().max() > 0
    torch.testing.assert_close(
        answer(run(model, kind, timestep=200, seed=0)), answer(run(make(kind), kind)), rtol=1e-5, atol=1e-6
    )


def test_the_config_survives_files_with_what_it_does_not_know(kind: str, tmp_path: Path):
    model = make(kind, timestep=11, seed=5, layer=-1, project="barn")
    model.save_pretrained(tmp_path / "walt")
    config = WaltConfig.from_pretrained(tmp_path / "walt")
    assert (config.timestep, config.seed, config.layer, config.project) == (11, 5, -1, "barn")
    assert config.architectures == [CLASSES[kind].__name__]
    assert WaltConfig.from_dict(config.to_dict()).to_dict() == config.to_dict()
    assert WaltConfig.from_json_file(str(tmp_path / "walt/config.json")).transformer_config["num_layers"] == LAYERS


def test_training_moves_every_weight_that_is_used(head: str):
    """One step of SGD on the loss of the labels lowers it; only the decoder and the output layer stand outside."""
    model = make(head).train()
    inputs = {**inputs_of(head), **labels_of(head)}
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-4)
    before = model(**inputs).loss
    assert before.ndim == 0 and before.isfinite()
    before.backward()
    unused = {name for name, parameter in model.named_parameters() if parameter.grad is None}
    if head == "image_classification":  # in spatiotemporal blocks only the values of a picture pass
        unused -= {name for name in unused if "blocks.1.attn." in name and "to_v" not in name and "to_out" not in name}
    last = make_config().num_hidden_layers - 1
    # The keys' bias cancels in a softmax; the folded attention leaves it out.
    outside = ("walt.vae.decoder.", "walt.transformer.adaln_out", "walt.transformer.proj_out", "readout.to_k.bias")
    assert all(name.startswith((*outside, f"walt.transformer.blocks.{last}.")) for name in unused), unused
    optimizer.step()
    with torch.no_grad():
        assert model(**inputs).loss < before


def test_labels_of_the_wrong_shape_are_named(head: str):
    if head.endswith("classification"):
        with pytest.raises(ValueError, match="batch_size"):
            make(head)(**inputs_of(head), labels=torch.zeros(5, dtype=torch.long))
        return
    with pytest.raises(ValueError, match=r"labels must be \("):
        make(head)(**inputs_of(head), labels=torch.zeros(2, 7, 7))
