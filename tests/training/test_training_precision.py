# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Loss scaling of fp16, activation checkpointing, compilation: same weights, same names."""

import json
import math

import pytest
import torch
from torch import nn

from hf_vdrep.training.checkpoint import load_checkpoint
from hf_vdrep.training.loop import build, fit, make_accelerator, save
from hf_vdrep.training.loop_config import LoopConfig
from hf_vdrep.training.step import step


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.linear, self.dropout = nn.Linear(4, 4), nn.Dropout(0.3)

    def forward(self, x):
        return x + self.dropout(torch.tanh(self.linear(x)))


class Net(nn.Module):
    """Recomputes on request, as diffusers models do."""

    def __init__(self):
        super().__init__()
        self.blocks, self.recompute, self.calls = nn.ModuleList([Block(), Block()]), False, 0

    def enable_gradient_checkpointing(self):
        self.recompute = True

    def forward(self, x):
        for block in self.blocks:
            x = torch.utils.checkpoint.checkpoint(block, x, use_reentrant=False) if self.recompute else block(x)
        return x


class Loss(nn.Module):
    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, batch):
        return (self.model(batch["x"]).sum(1) - batch["y"]).square().mean(), {}


class Points:
    def batch(self, step, part, parts):
        x = torch.randn(4, 4, generator=torch.Generator().manual_seed(step))
        return {"x": x, "y": x.prod(1), "ids": [step], "items": 4}

    def evaluate(self, model):
        return {"out": float(model(torch.ones(1, 4)).sum())}


def made(folder, model=None, **changes):
    common = {"steps": 6, "batch_size": 4, "warmup_steps": 0, "log_every": 1, "eval_every": 0, "save_every": 0}
    config = LoopConfig(output_dir=str(folder), cpu=True, **{"mixed_precision": "no", **common, **changes})
    torch.manual_seed(0)
    model = Net() if model is None else model
    return build(config, Loss(model), model, make_accelerator(config))


def test_recomputing_blocks_changes_nothing(tmp_path):
    runs = []
    for flag in (False, True):
        runs.append(made(tmp_path / str(flag), activation_checkpointing=flag))
        fit(runs[-1], Points())
    assert runs[1].model.recompute
    for one, other in zip(*(run.model.parameters() for run in runs), strict=True):
        assert torch.equal(one, other)


def test_a_model_that_cannot_recompute_is_named(tmp_path):
    with pytest.raises(ValueError, match="activation_checkpointing must be off for Linear"):
        made(tmp_path, nn.Linear(4, 4), activation_checkpointing=True)


@pytest.mark.parametrize("regional", [False, True])
def test_compiled_weights_keep_their_names(tmp_path, monkeypatch, regional):
    """Compiled in place, block by block where the model can; the eager backend stands in for a compiler."""
    compiled = []
    original = nn.Module.compile
    monkeypatch.setattr(nn.Module, "compile", lambda self: (compiled.append(self), original(self, backend="eager"))[0])
    model = Net()
    if regional:
        model._repeated_blocks = ["Block"]
        model.compile_repeated_blocks = lambda: [block.compile() for block in model.blocks]
    run = made(tmp_path, model, compile=True)
    fit(run, Points())
    assert compiled == (list(model.blocks) if regional else [model])
    tensors, _ = load_checkpoint(tmp_path / "checkpoint-6")
    assert set(tensors["model"]) == set(tensors["ema"]) == set(Net().state_dict())


def with_scaler(run, scale):
    run.scaler = torch.amp.GradScaler("cpu", init_scale=scale, growth_interval=3)
    return run


def test_a_scaled_loss_gives_the_same_step(tmp_path):
    """Scaling by a power of two is exact, so weights agree to the bit, also after clipping."""
    plain, scaled = made(tmp_path / "a"), with_scaler(made(tmp_path / "b"), 1024.0)
    for run in (plain, scaled):
        torch.manual_seed(1)
        for number in range(3):
            step(run, [Points().batch(number, 0, 1)])
    assert all(torch.equal(a, b) for a, b in zip(plain.model.parameters(), scaled.model.parameters(), strict=True))
    assert scaled.scaler.get_scale() == 2048


def test_an_overflow_lowers_the_scale_and_does_not_count_as_broken(tmp_path):
    run = with_scaler(made(tmp_path), 2.0**127)
    before = [p.clone() for p in run.model.parameters()]
    batch = Points().batch(0, 0, 1)
    batch["y"] = batch["y"] + 100
    record = step(run, [batch])
    assert "overflowed in fp16" in record["skip"] and run.scaler.get_scale() == 2.0**126
    assert run.guard.broken == 0 and run.guard.skipped == 1
    assert all(torch.equal(a, b) for a, b in zip(before, run.model.parameters(), strict=True))
    run.scaler.load_state_dict({**run.scaler.state_dict(), "scale": 1.0})
    assert "skip" not in step(run, [Points().batch(1, 0, 1)])
    batch["y"] = batch["y"] * math.nan
    assert "must stay finite" in step(run, [batch])["skip"] and run.guard.broken == 1


def test_the_loss_scale_is_in_the_checkpoint(tmp_path):
    run = with_scaler(made(tmp_path), 512.0)
    for number in range(2):
        step(run, [Points().batch(number, 0, 1)])
    state = json.loads((save(run) / "state.json").read_text())
    assert state["scaler"]["scale"] == 512 and state["scaler"]["_growth_tracker"] == 2
    again = with_scaler(made(tmp_path), 1.0)
    from hf_vdrep.training.loop import resume

    resume(again)
    assert again.scaler.state_dict() == run.scaler.state_dict()


def test_half_precision_on_a_cpu_is_refused_in_words(tmp_path):
    with pytest.raises(ValueError, match="mixed_precision must be no or bf16 on the CPU, got fp16"):
        made(tmp_path, mixed_precision="fp16")


def test_constant_and_linear_schedules(tmp_path):
    """Linear: peak * (N - n)/(N - w); constant: the peak, without warm-up."""
    for name, expected in (("linear", [1 - n / 6 for n in range(6)]), ("constant", [1.0] * 6)):
        run = made(tmp_path / name, lr_schedule=name, lr=1.0)
        rates = [step(run, [Points().batch(n, 0, 1)])["lr"] for n in range(6)]
        assert rates == pytest.approx(expected)
