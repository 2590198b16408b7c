# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Whole tiny runs of the denoiser's training: twins, going on from other weights, LoRA, conditions."""

import json

import numpy as np
import pytest
import torch
import yaml
from safetensors.torch import load_file

from hf_vdrep.models import WaltTransformer3DModel, shipped
from hf_vdrep.training.conditions import Told
from hf_vdrep.training.init_from import open_start, start_from
from hf_vdrep.training.latents import LatentPool
from hf_vdrep.training.run_plots import loss_over_flops, plot_runs
from hf_vdrep.training.twins import check_identity, check_twin
from hf_vdrep.training.walt import build_denoiser, load_vae, main, parse
from hf_vdrep.training.walt_config import WaltTrainConfig


@pytest.fixture(scope="module")
def runs(tmp_path_factory, blobs, tiny_vae, tiny_denoiser_config):
    """A folder with a short V-WALT run, and the flags that made it."""
    import hf_vdrep.data.probeworld as probeworld

    folder = tmp_path_factory.mktemp("runs")
    tiny_vae.save_pretrained(folder / "vae")
    model = [f"{key}={json.dumps(value)}" for key, value in tiny_denoiser_config.items()]
    argv = ["--output-dir", str(folder / "v-walt"), "--vae", str(folder / "vae"), "--cpu", "--model", *model]
    argv += ["--resolution", "16", "--pool-size", "6", "--eval-clips", "2", "--batch-size", "2", "--steps", "3"]
    argv += ["--warmup-steps", "0", "--log-every", "1", "--mixed-precision", "no", "--eval-every", "1"]
    argv += ["--sample-inference-steps", "2", "--sample-count", "2", "--lr", "0.05"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(probeworld, "ProbeWorld", blobs)
        patch.setenv("HF_HUB_DISABLE_PROGRESS_BARS", "1")
        assert main([*argv, "--image-fraction", "0.5", "--debug"]) == 0
        yield folder, argv


def lora_flags(runs, *more):
    folder, argv = runs
    start = argv.index("--model")
    plain = argv[:start] + argv[argv.index("--resolution") :]
    return [*plain, "--init-from", str(folder / "v-walt"), "--lora-rank", "2", "--lora-alpha", "4", *more, "--debug"]


def test_a_summary_says_what_a_run_cost(runs):
    summary = json.loads((runs[0] / "v-walt" / "summary.json").read_text())
    assert summary["flops"] == pytest.approx(6 * summary["flops_per_item"])
    assert summary["trained_parameters"] == summary["parameters"]
    assert (runs[0] / "v-walt" / "levels.png").is_file()


def test_validation_loss_stands_against_the_flops_spent(runs, tmp_path):
    folder = runs[0] / "v-walt"
    summary = json.loads((folder / "summary.json").read_text())
    points = loss_over_flops(folder)
    assert [flops for flops, _ in points] == pytest.approx([2 * n * summary["flops_per_item"] for n in (1, 2, 3)])
    assert points[-1][1] == pytest.approx(summary["v_loss"])
    assert plot_runs([folder], tmp_path / "runs.png").read_bytes().startswith(b"\x89PNG")
    with pytest.raises(ValueError, match="runs must have validated one of \\['psnr'\\]"):
        plot_runs([folder], tmp_path / "runs.png", keys=["psnr"])


def test_a_twin_trains_on_the_same_data_from_the_same_weights_and_says_whose_it_is(runs):
    folder = runs[0]
    assert main(["--twin-of", str(folder / "v-walt"), "--debug"]) == 0
    mine, other = (json.loads((folder / name / "identity.json").read_text()) for name in ("i-walt", "v-walt"))
    assert {name for name in mine if mine[name] != other[name]} == {"objective"}
    assert json.loads((folder / "i-walt" / "summary.json").read_text())["twin_of"] == str(folder / "v-walt")
    assert yaml.safe_load((folder / "i-walt" / "config.yaml").read_text())["twin_of"] == str(folder / "v-walt")


@pytest.mark.parametrize("flags", [["--lr", "0.5", "--steps", "9"], ["--objective", "video"]])
def test_a_twin_that_differs_in_more_is_refused(runs, flags, capsys):
    folder = runs[0]
    assert main(["--twin-of", str(folder / "v-walt"), *flags]) == 2
    error = capsys.readouterr().err
    if "--lr" in flags:
        assert "in the objective alone, got steps 3 -> 9, lr 0.05 -> 0.5" in error
    else:
        assert "objective must differ" in error


def test_a_twin_may_say_less_or_run_elsewhere(runs):
    folder = runs[0]
    check_twin(parse(["--twin-of", str(folder / "v-walt"), "--threads", "3", "--keep", "5", "--log-every", "7"]))


@pytest.mark.parametrize("flags", [["--weights", "raw"], ["--max-bad-steps", "9"]])
def test_what_decides_which_weights_a_run_ends_with_is_shared_by_twins(runs, flags, capsys):
    """Averaged against raw weights would be a comparison of averaging; skipped spikes are steps not taken."""
    assert main(["--twin-of", str(runs[0] / "v-walt"), *flags]) == 2
    assert f"in the objective alone, got {flags[0][2:].replace('-', '_')} " in capsys.readouterr().err


def test_a_twin_does_not_start_from_where_the_other_was_resumed(runs, tmp_path):
    settings = yaml.safe_load((runs[0] / "v-walt" / "config.yaml").read_text())
    (tmp_path / "config.yaml").write_text(yaml.safe_dump({**settings, "resume": "runs/v-walt/checkpoint-2"}))
    assert parse(["--twin-of", str(tmp_path / "config.yaml")]).resume == "auto"


def test_a_twin_of_another_tokenizer_or_size_is_refused(runs):
    folder = runs[0]
    identity = json.loads((folder / "v-walt" / "identity.json").read_text())
    config = WaltTrainConfig(twin_of=str(folder / "v-walt"), objective="image")
    check_identity(config, {**identity, "objective": "image"})
    with pytest.raises(ValueError, match=r"parameters [0-9]+ -> 7, tokenizer .* -> other"):
        check_identity(config, {**identity, "parameters": 7, "tokenizer": "other"})


def test_a_run_goes_on_from_a_pipeline_a_run_or_a_checkpoint(runs):
    """All three hold the averaged weights of the end."""
    run = runs[0] / "v-walt"
    states = [open_start(str(path)).state_dict() for path in (run, run / "pipeline", run / "checkpoint-3")]
    for other in states[1:]:
        assert states[0].keys() == other.keys()
        for name, value in states[0].items():
            torch.testing.assert_close(value, other[name], rtol=0, atol=0)


def test_continued_training_starts_from_the_weights_it_names(runs):
    folder, _ = runs
    argv = lora_flags(runs, "--lora-rank", "0", "--steps", "1", "--lr", "0", "--output-dir", str(folder / "more"))
    assert main(argv) == 0
    before, after = (open_start(str(folder / name)).state_dict() for name in ("v-walt", "more"))
    for name, value in before.items():
        torch.testing.assert_close(value, after[name], rtol=0, atol=0)


def test_a_start_may_grow_conditions_which_change_nothing_at_first(runs):
    """New channels of the first projection are zeros; the null class starts wherever, but only that is new."""
    source = str(runs[0] / "v-walt")
    base = open_start(source).eval()
    grown = start_from(source, "video", {"frame_conditioning": True}, {}).eval()
    torch.manual_seed(0)
    latents, step = torch.randn(1, 4, 5, 2, 2), torch.tensor([200])
    mask = torch.tensor([[True, False, False, False, False]])
    with torch.no_grad():
        told = grown(latents, step, frame_condition=torch.randn(1, 4, 5, 2, 2), frame_mask=mask).sample
        torch.testing.assert_close(told, base(latents, step).sample)
    assert start_from(source, "image", {"num_classes": 3}, {}).config.num_classes == 3
    with pytest.raises(ValueError, match="model must keep the parameters of"):
        start_from(source, "video", {"num_layers": 3}, {})


def test_a_start_that_is_none_is_one_clear_line(tmp_path, capsys):
    with pytest.raises(ValueError, match="init_from must name a trained WALT denoiser"):
        open_start(str(tmp_path))
    with pytest.raises(ValueError, match="init_from must name the model that lora_rank adapts"):
        WaltTrainConfig(lora_rank=4).check()


def test_shipped_models_are_starts_and_tokenizers():
    model, vae = open_start("v-walt"), load_vae("v-walt")
    assert model.config.objective == "video" and model.dtype == torch.float32
    assert vae.config.latent_channels == model.config.in_channels
    assert "v-walt" in shipped.names()


def test_a_lora_run_changes_and_saves_adapters_alone(runs):
    """The base's weights stay bit for bit; the file is small and gives the trained model's output back."""
    folder, _ = runs
    argv = lora_flags(runs, "--output-dir", str(folder / "lora"), "--lora-merge", "--lr", "0.1", "--ema-decay", "0")
    assert main(argv) == 0
    trained = load_file(folder / "lora" / "checkpoint-3" / "model.safetensors")
    base = open_start(str(folder / "v-walt")).eval()
    for name, value in base.state_dict().items():
        kept = [found for found in (name, name.replace(".weight", ".base_layer.weight")) if found in trained]
        kept += [found for found in (name.replace(".bias", ".base_layer.bias"),) if found in trained]
        torch.testing.assert_close(trained[kept[0]], value, rtol=0, atol=0)
    torch.manual_seed(0)
    latents, step = torch.randn(2, 4, 5, 2, 2), torch.tensor([200, 700])
    with torch.no_grad():
        before = base(latents, step).sample
        base.load_lora_adapter(str(folder / "lora" / "lora"), weight_name="pytorch_lora_weights.safetensors")
        after = base(latents, step).sample
        merged = WaltTransformer3DModel.from_pretrained(folder / "lora" / "pipeline" / "transformer")
        torch.testing.assert_close(merged(latents, step).sample, after, rtol=1e-4, atol=1e-5)
    assert float((after - before).abs().max()) > 1e-4
    weights = base.state_dict()
    adapters = {name: value for name, value in trained.items() if ".lora_" in name}
    assert adapters and all(
        torch.equal(weights[name.replace("default", "default_0")], v) for name, v in adapters.items()
    )
    summary = json.loads((folder / "lora" / "summary.json").read_text())
    assert summary["trained_parameters"] == sum(value.numel() for value in adapters.values())
    assert summary["trained_parameters"] < summary["parameters"] / 5


def test_a_lora_run_resumes_exactly(runs):
    folder, _ = runs
    whole, halves = str(folder / "whole"), str(folder / "halves")
    assert main(lora_flags(runs, "--output-dir", whole, "--lr", "0.1", "--lr-schedule", "constant_with_warmup")) == 0
    for steps in ("1", "3"):
        flags = ["--output-dir", halves, "--lr", "0.1", "--lr-schedule", "constant_with_warmup", "--steps", steps]
        assert main(lora_flags(runs, *flags)) == 0
    one, other = (load_file(f"{run}/lora/pytorch_lora_weights.safetensors") for run in (whole, halves))
    assert one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


def test_adapters_alone_cannot_learn_a_new_condition(runs):
    """Its embedding would stay random, and would not be among the adapters that are saved."""
    pool = LatentPool(np.zeros((1, 4, 5, 2, 2), np.float32), np.zeros((1, 5, 4, 1, 2, 2), np.float32))
    config = WaltTrainConfig(init_from=str(runs[0] / "v-walt"), lora_rank=2, condition="object")
    with pytest.raises(ValueError, match=r"lora_rank must be 0 for conditions that .* lacks, got num_classes"):
        build_denoiser(config, pool, Told(np.arange(3), classes=3))


def test_adapters_start_as_nothing_and_only_on_layers_that_exist(runs):
    config = WaltTrainConfig(init_from=str(runs[0] / "v-walt"), lora_rank=2, lora_targets=["to_q", "ff.net.2"])
    pool = LatentPool(np.zeros((1, 4, 5, 2, 2), np.float32), np.zeros((1, 5, 4, 1, 2, 2), np.float32))
    model = build_denoiser(config, pool)
    names = {name for name, parameter in model.named_parameters() if parameter.requires_grad}
    assert names and all(".lora_" in name and ("to_q" in name or "net.2" in name) for name in names)
    latents = torch.ones(1, 4, 5, 2, 2)
    with torch.no_grad():
        base = open_start(str(runs[0] / "v-walt"))(latents, torch.tensor([5])).sample
        torch.testing.assert_close(model(latents, torch.tensor([5])).sample, base, rtol=0, atol=0)
    config.lora_targets = ["to_q", "to_z"]
    with pytest.raises(ValueError, match="lora_targets must name linear layers of the denoiser, got \\['to_z'\\]"):
        build_denoiser(config, pool)


def test_a_class_conditional_run_learns_an_embedding_of_its_classes(runs, monkeypatch):
    folder, argv = runs
    told = Told(np.arange(6) % 3, classes=3)
    monkeypatch.setattr("hf_vdrep.training.walt.open_conditions", lambda config, device: told)
    flags = ["--output-dir", str(folder / "classes"), "--condition", "object", "--frame-prediction-probability", "0.5"]
    assert main([*argv, *flags, "--loss-weighting", "min-snr", "--debug"]) == 0
    config = open_start(str(folder / "classes")).config
    assert config.num_classes == 3 and config.frame_conditioning
    assert told.sample_arguments(4) == {"class_labels": [0, 1, 2, 0]}


def test_a_run_under_captions_draws_samples_of_them(runs, tmp_path, monkeypatch):
    """A T5 encoder and its tokenizer from a folder; sample grids stand beside the checkpoints."""
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast, T5Config, T5EncoderModel

    words = {"<pad>": 0, "<unk>": 1, "cube": 2, "sphere": 3, "move": 4, "left": 5}
    table = Tokenizer(models.WordLevel(words, unk_token="<unk>"))
    table.pre_tokenizer = pre_tokenizers.Whitespace()
    PreTrainedTokenizerFast(tokenizer_object=table, pad_token="<pad>", unk_token="<unk>").save_pretrained(
        tmp_path / "t5"
    )
    shape = {"vocab_size": 6, "d_model": 8, "d_kv": 4, "d_ff": 8, "num_layers": 1, "num_heads": 2}
    T5EncoderModel(T5Config(**shape)).save_pretrained(tmp_path / "t5")
    monkeypatch.setattr("hf_vdrep.training.conditions._pool_labels", lambda config: np.zeros((6, 6), np.int64))
    flags = ["--output-dir", str(tmp_path / "told"), "--condition", "text", "--text-encoder", str(tmp_path / "t5")]
    flags += ["--text-length", "5", "--sample-every", "3", "--eval-every", "0", "--debug"]
    assert main([*runs[1], *flags]) == 0
    assert open_start(str(tmp_path / "told")).config.text_dim == 8
    assert {path.name for path in (tmp_path / "told" / "samples").iterdir()} == {
        "step-3-images.png",
        "step-3-clips.png",
    }


def test_conditions_that_cannot_be_met_are_one_clear_line(tmp_path):
    from hf_vdrep.training.conditions import open_conditions

    with pytest.raises(ValueError, match="text_encoder must go with condition=text, got None with text"):
        WaltTrainConfig(condition="text").check()
    with pytest.raises(ValueError, match=r"text_encoder must be a T5 encoder with tokenizer, got .*none"):
        open_conditions(WaltTrainConfig(condition="text", text_encoder=str(tmp_path / "none")))
    with pytest.raises(ValueError, match="model must give num_classes for condition=scene of clips, got none"):
        open_conditions(WaltTrainConfig(condition="scene", data="clips"))
    with pytest.raises(ValueError, match="condition must be none with image_data, got scene with pictures"):
        open_conditions(WaltTrainConfig(condition="scene", image_data="pictures", image_fraction=0.5))
