# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Weights out of a checkpoint after the fact, averaged or raw."""

import pytest
import torch
from safetensors.torch import load_file

from hf_vdrep.models import WaltPipeline, WaltTransformer3DModel
from hf_vdrep.training.averaging import export_model, export_weights, main
from hf_vdrep.training.checkpoint import CheckpointError
from hf_vdrep.training.loop import build, make_accelerator, save, step
from hf_vdrep.training.loop_config import LoopConfig


class Loss(torch.nn.Module):
    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, batch):
        return self.model(batch["x"], torch.tensor([3, 4])).sample.square().mean(), {}


@pytest.fixture
def run(tmp_path, tiny_denoiser_config):
    """Three steps of a tiny denoiser with one frozen weight, and its checkpoint."""
    config = LoopConfig(output_dir=str(tmp_path / "run"), batch_size=2, mixed_precision="no", cpu=True, lr=0.1)
    config.ema_decay, config.warmup_steps = 0.5, 0
    torch.manual_seed(0)
    model = WaltTransformer3DModel(**tiny_denoiser_config, in_channels=4, sample_frames=2, sample_size=2)
    next(model.parameters()).requires_grad_(False)
    run = build(config, Loss(model), model, make_accelerator(config))
    for _ in range(3):
        step(run, [{"x": torch.randn(2, 4, 2, 2, 2)}])
    save(run)
    return run


def test_either_weights_come_out_of_a_checkpoint(run):
    raw, averaged = (export_weights(run.folder, which) for which in ("model", "ema"))
    assert all(torch.equal(value, raw[name]) for name, value in run.model.state_dict().items())
    assert raw.keys() == averaged.keys()
    assert all(torch.equal(value, averaged[name]) for name, value in run.ema.shadow.items())
    frozen = set(raw) - set(run.ema.shadow)
    assert frozen and all(torch.equal(raw[name], averaged[name]) for name in frozen)
    assert any(not torch.equal(raw[name], averaged[name]) for name in raw)


def test_the_checkpoint_alone_gives_the_model(run):
    """The average in a rebuilt model predicts what the training's model predicts with the average in it."""
    x = torch.randn(1, 4, 2, 2, 2)
    with torch.no_grad(), run.ema.applied(run.model.eval()):
        expected = run.model(x, torch.tensor([5])).sample
    with torch.no_grad():
        assert torch.equal(export_model(run.folder / "checkpoint-3")(x, torch.tensor([5])).sample, expected)


def test_command_line_writes_a_file_a_model_or_a_pipeline(run, tmp_path, tiny_vae, capsys):
    source = str(run.folder / "checkpoint-3")
    assert main([source, "--weights", "model", "--out", str(tmp_path / "raw.safetensors")]) == 0
    saved = load_file(tmp_path / "raw.safetensors")
    assert all(torch.equal(value, saved[name]) for name, value in run.model.state_dict().items())
    tiny_vae.save_pretrained(tmp_path / "vae")
    assert main([source, "--out", str(tmp_path / "pipeline"), "--vae", str(tmp_path / "vae")]) == 0
    transformer = WaltPipeline.from_pretrained(tmp_path / "pipeline").transformer
    assert all(torch.equal(value, transformer.state_dict()[name]) for name, value in run.ema.shadow.items())
    assert main([source, "--out", str(tmp_path / "model")]) == 0
    assert WaltTransformer3DModel.from_pretrained(tmp_path / "model").config.num_layers == 2
    capsys.readouterr()
    assert main([str(tmp_path / "nowhere"), "--out", str(tmp_path / "x")]) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: resume must be auto, none or a folder with checkpoints") and error.count("\n") == 1


def test_damage_and_other_words_are_named(run):
    with pytest.raises(ValueError, match=r"which must be one of \['ema', 'model'\], got 'best'"):
        export_weights(run.folder, "best")
    (run.folder / "checkpoint-3" / "ema.safetensors").write_bytes(b"")
    with pytest.raises(CheckpointError, match=r"ema\.safetensors has 0 bytes"):
        export_weights(run.folder, "model")
