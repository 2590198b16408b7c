# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""The loop: exact resume, equal learning on any division of the batch, clean stops, NaN guard."""

import json
import os
import signal
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from torch import nn

from hf_vdrep.training.checkpoint import CheckpointError, load_checkpoint
from hf_vdrep.training.config import to_dict
from hf_vdrep.training.loop import build, fit, make_accelerator
from hf_vdrep.training.loop_config import LoopConfig
from hf_vdrep.training.resume import same_settings
from hf_vdrep.training.stop import Interrupted
from hf_vdrep.training.stream import IndexStream
from hf_vdrep.training.walt_config import WaltTrainConfig

TIMED = {"seconds", "items_per_second", "eta"}


class Regression(nn.Module):
    """Dropout draws from torch's global generator, so a resume that loses its state shows."""

    def __init__(self, dropout: float = 0.2) -> None:
        super().__init__()
        self.model = nn.Sequential(nn.Linear(4, 8), nn.Dropout(dropout), nn.Tanh(), nn.Linear(8, 1))

    def forward(self, batch):
        error = self.model(batch["x"])[:, 0] - batch["y"]
        return error.square().mean(), {"mae": error.abs().mean().detach()}


class Points:
    def __init__(self, config, *, nan_at=None, signal_at=None):
        self.stream = IndexStream(11, config.batch_size, seed=config.seed)
        self.x = torch.from_numpy(np.random.default_rng(0).normal(size=(11, 4))).float()
        self.nan_at, self.signal_at = nan_at, signal_at

    def batch(self, step, part, parts):
        indices = self.stream.indices(step)[part::parts]
        x = self.x[torch.from_numpy(indices)]
        y = x.sum(1) * (float("nan") if step == self.nan_at else 1)
        if step == self.signal_at:
            os.kill(os.getpid(), signal.SIGTERM)
        return {"x": x, "y": y, "ids": indices.tolist(), "items": len(indices), "tokens": 2 * len(indices)}

    def evaluate(self, model):
        return {"mae": float((model(self.x)[:, 0] - self.x.sum(1)).abs().mean())}


@pytest.fixture(autouse=True)
def keep_signal_handlers():
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    yield
    assert {number: signal.getsignal(number) for number in before} == before


def settings(folder, **changes):
    common = {"steps": 9, "batch_size": 4, "warmup_steps": 2, "log_every": 1, "eval_every": 4, "save_every": 0}
    return LoopConfig(output_dir=str(folder), mixed_precision="no", cpu=True, **{**common, **changes})


def train(config, *, dropout=0.2, **points):
    torch.manual_seed(config.seed)
    objective = Regression(dropout)
    run = build(config, objective, objective.model, make_accelerator(config))
    fit(run, Points(config, **points))
    return run


def contents(folder):
    tensors, state = load_checkpoint(folder)
    del state["config"], state["counters"]["seconds"]
    return tensors, state


def test_a_resumed_run_is_bit_identical_to_an_uninterrupted_one(tmp_path):
    """Weights, EMA, AdamW moments, schedule and generators agree to the last bit after stop at 5 and resume."""
    train(settings(tmp_path / "whole"))
    with pytest.raises(Interrupted, match="stopped after step"):
        train(settings(tmp_path / "parts"), signal_at=4)
    stopped = next((tmp_path / "parts").glob("checkpoint-*"))
    assert stopped.name != "checkpoint-9"
    torch.manual_seed(99)
    train(settings(tmp_path / "parts"))
    whole, parts = (contents(tmp_path / name / "checkpoint-9") for name in ("whole", "parts"))
    assert whole[1] == parts[1]
    for stem, tensors in whole[0].items():
        assert tensors.keys() == parts[0][stem].keys()
        for name, value in tensors.items():
            assert torch.equal(value, parts[0][stem][name]), f"{stem}: {name}"


def test_the_log_of_a_resumed_run_has_each_step_once(tmp_path):
    train(settings(tmp_path / "whole"))
    with pytest.raises(Interrupted):
        train(settings(tmp_path / "parts"), signal_at=4)
    with (tmp_path / "parts" / "log.jsonl").open("a") as file:
        file.write('{"step": 8, "loss": 1.0}\n{"step": 9, "lo')
    train(settings(tmp_path / "parts"))
    logs = []
    for name in ("whole", "parts"):
        records = [json.loads(line) for line in (tmp_path / name / "log.jsonl").read_text().splitlines()]
        logs.append([{k: v for k, v in record.items() if k not in TIMED} for record in records])
    assert logs[0] == logs[1]
    assert [record["step"] for record in logs[0] if "loss" in record] == list(range(1, 10))
    assert logs[0][-2]["items"] == 36 and logs[0][-2]["tokens"] == 72


def test_micro_batches_learn_what_the_whole_batch_learns(tmp_path):
    """The same gradient up to rounding, whether a batch is taken whole or in four parts."""
    whole = train(settings(tmp_path / "a"), dropout=0.0)
    parts = train(settings(tmp_path / "b", accumulation=4), dropout=0.0)
    for one, other in zip(whole.model.parameters(), parts.model.parameters(), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-5)
    assert whole.items == parts.items == 36


def test_shards_together_are_the_single_process_batch(tmp_path):
    points = Points(settings(tmp_path))
    whole = points.batch(3, 0, 1)["ids"]
    for parts in (2, 4):
        shards = [points.batch(3, part, parts)["ids"] for part in range(parts)]
        assert sorted(name for shard in shards for name in shard) == sorted(whole)


def test_a_nan_names_the_step_and_the_samples(tmp_path):
    ids = Points(settings(tmp_path)).batch(3, 0, 1)["ids"]
    with pytest.raises(FloatingPointError, match=f"at step 3 on samples .*'{ids[0]}'"):
        train(settings(tmp_path, max_bad_steps=0), nan_at=3)
    assert not list(tmp_path.glob("checkpoint-*"))


def test_other_settings_are_refused_on_resume_by_name(tmp_path):
    train(settings(tmp_path, steps=3))
    with pytest.raises(CheckpointError, match=r"made with other settings \(lr 0.001 -> 0.5\)"):
        train(settings(tmp_path, steps=3, lr=0.5))


def test_of_nested_settings_those_that_differ_are_named():
    """A model has a dozen arguments, of which one was changed."""
    now, before = (WaltTrainConfig(model={"num_layers": 2, "attention_head_dim": size}) for size in (8, 16))
    with pytest.raises(CheckpointError, match=r"made with other settings \(model.attention_head_dim 16 -> 8\)"):
        same_settings(now, to_dict(before), Path("checkpoint-3"))


def test_a_damaged_checkpoint_is_refused(tmp_path):
    train(settings(tmp_path, steps=3))
    (tmp_path / "checkpoint-3" / "ema.safetensors").write_bytes(b"")
    with pytest.raises(CheckpointError, match=r"ema\.safetensors has 0 bytes"):
        train(settings(tmp_path, steps=3))


def test_a_finished_run_only_evaluates_again(tmp_path):
    first = train(settings(tmp_path, steps=3))
    again = train(settings(tmp_path, steps=3))
    assert again.step == 3
    assert torch.equal(first.model[0].weight, again.model[0].weight)


def test_snapshots_hold_the_average_as_bf16(tmp_path):
    run = train(settings(tmp_path, snapshots=[0.5, 1.0]))
    names = sorted(path.name for path in (tmp_path / "snapshots").iterdir())
    assert names == ["step-4.safetensors", "step-9.safetensors"]
    saved = load_file(tmp_path / "snapshots" / "step-9.safetensors")
    assert all(torch.equal(value, run.ema.shadow[name].bfloat16()) for name, value in saved.items())


def test_vectors_are_not_decayed(tmp_path):
    run = train(settings(tmp_path, steps=1))
    decays = {group["weight_decay"]: {p.ndim for p in group["params"]} for group in run.optimizer.param_groups}
    assert decays == {0.01: {2}, 0.0: {1}}


def test_learning_rate_warms_up_and_follows_the_cosine(tmp_path):
    """lr(n) = peak * n/w below w, then peak * (1 + cos(pi (n-w)/(N-w)))/2 (Loshchilov & Hutter)."""
    train(settings(tmp_path))
    records = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    rates = [record["lr"] for record in records if "lr" in record]
    expected = [n / 2 if n < 2 else (1 + np.cos(np.pi * (n - 2) / 7)) / 2 for n in range(9)]
    np.testing.assert_allclose(rates, 1e-3 * np.array(expected), rtol=1e-4, atol=1e-9)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"output_dir": ""}, "output_dir must name a folder"),
        ({"steps": 0}, "steps must be at least 1, got 0"),
        ({"lr": -1.0}, "lr must not be negative, got -1.0"),
        ({"snapshots": [1.5]}, r"snapshots must lie in \(0, 1\]"),
        ({"betas": [0.9]}, "betas must be two numbers"),
        ({"accumulation": 3}, "batch_size must be a multiple of processes x accumulation = 3, got 4"),
    ],
)
def test_settings_that_cannot_run_are_named(tmp_path, changes, message):
    config = settings(changes.pop("output_dir", tmp_path), **changes)
    with pytest.raises(ValueError, match=message):
        train(config)
