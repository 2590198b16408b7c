# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Which steps are skipped, and that a skipped step leaves no trace in the weights."""

import json
import math

import pytest
import torch
from torch import nn

from hf_vdrep.training.guard import Guard
from hf_vdrep.training.loop import build, fit, make_accelerator
from hf_vdrep.training.loop_config import LoopConfig
from hf_vdrep.training.step import step


class Line(nn.Module):
    def __init__(self):
        super().__init__()
        self.model = nn.Linear(2, 1)

    def forward(self, batch):
        return (self.model(batch["x"])[:, 0] - batch["y"]).square().mean(), {}


class Bad:
    """Batches that are NaN, or huge, at the given steps."""

    def __init__(self, nan=(), huge=()):
        self.nan, self.huge = nan, huge

    def batch(self, step, part, parts):
        x = torch.randn(4, 2, generator=torch.Generator().manual_seed(step))
        y = x.sum(1) * (math.nan if step in self.nan else 1e3 if step in self.huge else 1)
        return {"x": x, "y": y, "ids": [f"clip{step}"], "items": 4}

    def evaluate(self, model):
        return {}


def settings(folder, **changes):
    common = {"steps": 10, "batch_size": 4, "warmup_steps": 0, "log_every": 1, "eval_every": 0, "save_every": 0}
    return LoopConfig(output_dir=str(folder), mixed_precision="no", cpu=True, **{**common, **changes})


def made(config):
    torch.manual_seed(0)
    objective = Line()
    return build(config, objective, objective.model, make_accelerator(config))


def lines(folder):
    return [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]


@pytest.mark.parametrize("figure", [math.nan, math.inf, -math.inf])
def test_only_finite_steps_are_good(figure):
    guard = Guard(patience=2)
    assert guard.judge(1.0, 1.0) is None
    assert "loss must stay finite" in guard.judge(figure, 1.0)
    assert not guard.exhausted
    assert "gradient norm" in guard.judge(1.0, figure)
    assert guard.exhausted and guard.skipped == 2
    assert guard.judge(1.0, 1.0) is None and not guard.exhausted


@pytest.mark.parametrize("patience", [0, 1])
def test_without_patience_the_first_ends_it(patience):
    guard = Guard(patience)
    guard.judge(math.nan, 1.0)
    assert guard.exhausted


def test_a_spike_is_measured_against_the_median_of_good_steps():
    """Median of 1, 1, 1, 4 is 1: 5 passes a factor of 5, 5.1 does not; the spike itself is not remembered."""
    guard = Guard(3, spike_factor=5, window=4)
    for loss in (1.0, 1.0, 1.0, 4.0):
        assert guard.judge(loss, 1.0) is None
    assert guard.judge(5.1, 1.0) == "loss must stay below 5 x its median 1, got 5.1"
    assert guard.judge(1.0, 5.1) == "gradient norm must stay below 5 x its median 1, got 5.1"
    assert guard.judge(5.0, 5.0) is None and list(guard.losses) == [1.0, 1.0, 4.0, 5.0]


def test_a_lasting_change_of_level_is_accepted():
    guard = Guard(2, spike_factor=5, window=4)
    guard.judge(1.0, 1.0)
    assert [guard.judge(100.0, 1.0) is None for _ in range(3)] == [False, False, True]


def test_a_guard_comes_back_as_it_was():
    one, other = Guard(3, 4.0, 8), Guard(3, 4.0, 8)
    for number in range(12):
        one.judge(1 + number / 7, math.nan if number == 5 else 0.1 * number)
    other.load(json.loads(json.dumps(one.state())))
    assert vars(one) == vars(other)


def test_a_skipped_step_changes_neither_weights_nor_averages_nor_moments(tmp_path):
    run = made(settings(tmp_path))
    task = Bad(nan=[3])
    for number in range(3):
        step(run, [task.batch(number, 0, 1)])
    frozen = [value.clone() for value in (*run.model.parameters(), *run.ema.shadow.values())]
    moments = [value.clone() for state in run.optimizer.state.values() for value in state.values()]
    record = step(run, [task.batch(3, 0, 1)])
    assert record["ids"] == ["clip3"] and run.step == 4 and run.scheduler.last_epoch == 4
    now = (*run.model.parameters(), *run.ema.shadow.values())
    assert all(torch.equal(a, b) for a, b in zip(frozen, now, strict=True))
    after = [value for state in run.optimizer.state.values() for value in state.values()]
    assert all(torch.equal(a, b) for a, b in zip(moments, after, strict=True))


def test_a_skip_is_logged_and_counted_and_training_goes_on(tmp_path):
    run = made(settings(tmp_path))
    fit(run, Bad(nan=[3, 4]))
    records = lines(tmp_path)
    assert [(r["step"], r["ids"]) for r in records if "skipped" in r] == [(4, ["clip3"]), (5, ["clip4"])]
    assert [r["step"] for r in records if "loss" in r] == [1, 2, 3, 6, 7, 8, 9, 10]
    assert records[-2]["skipped_steps"] == 2 and run.guard.skipped == 2


def test_the_third_in_a_row_ends_it_by_name(tmp_path):
    run = made(settings(tmp_path))
    with pytest.raises(FloatingPointError, match=r"at step 6 on samples \['clip6'\]"):
        fit(run, Bad(nan=[2, 4, 5, 6]))
    assert all(torch.isfinite(p).all() for p in run.model.parameters())
    about = json.loads((tmp_path / "run.json").read_text())
    assert about["state"] == "failed" and "clip6" in about["error"]


def test_a_spike_is_skipped_where_asked_for(tmp_path):
    taken, skipped = made(settings(tmp_path / "a")), made(settings(tmp_path / "b", spike_factor=50, spike_window=4))
    for run in (taken, skipped):
        fit(run, Bad(huge=[5]))
    assert (taken.guard.skipped, skipped.guard.skipped) == (0, 1)
    assert [r["step"] for r in lines(tmp_path / "b") if "skipped" in r] == [6]


class Sidekick:
    def __init__(self):
        self.stepped = self.forgotten = 0

    def step(self, schedule):
        self.stepped += 1
        return {}


def test_a_companion_forgets_a_skipped_step_or_ends_the_run(tmp_path):
    run = made(settings(tmp_path))
    run.companion = Sidekick()
    with pytest.raises(FloatingPointError, match="step 0"):
        step(run, [Bad(nan=[0]).batch(0, 0, 1)])
    run.companion.skip = lambda: setattr(run.companion, "forgotten", 1)
    assert "skip" in step(run, [Bad(nan=[0]).batch(0, 0, 1)])
    assert (run.companion.stepped, run.companion.forgotten) == (0, 1)
