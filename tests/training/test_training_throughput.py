# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Rates, time left and utilisation, by arithmetic."""

import json

import pytest
import torch
from torch import nn

from hf_vdrep.training.loop import build, fit, make_accelerator
from hf_vdrep.training.loop_config import LoopConfig
from hf_vdrep.training.throughput import Throughput, measure_peak


def test_rates_are_those_since_the_last_reading():
    """100 items in 10 s at 3 GFLOP each, on two devices of 60 GFLOP/s: 10 items/s, a quarter of the peak."""
    rates = Throughput(3e9, 60e9, 2)
    rates.start(10, 1000, 50.0)
    assert rates.read(20, 1100, 60.0, steps=50) == pytest.approx({"items_per_second": 10, "eta": 30, "mfu": 0.25})
    assert rates.read(21, 1110, 65.0, steps=50)["items_per_second"] == pytest.approx(2)


@pytest.mark.parametrize("known", [(None, 1.0), (1.0, None)])
def test_without_work_or_peak_there_is_no_utilisation(known):
    assert set(Throughput(*known, 1).read(1, 1, 1.0, steps=2)) == {"items_per_second", "eta"}


def test_the_peak_is_measured_once_and_draws_no_random_numbers():
    before = torch.get_rng_state()
    first = measure_peak("cpu", torch.float32, 1, 0.02)
    assert torch.equal(before, torch.get_rng_state())
    assert 1e8 < first < 1e15 and measure_peak("cpu", torch.float32, 1, 0.02) == first


def test_the_log_says_how_well_the_hardware_is_used(tmp_path):
    """At a stated peak, mfu = items/s x FLOPs per item / peak, whatever the speed was."""

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.model = nn.Linear(3, 1)

        def forward(self, batch):
            return self.model(batch["x"]).square().mean(), {}

    class Task:
        flops_per_item = 5e6

        def batch(self, step, part, parts):
            return {"x": torch.ones(2, 3), "items": 2}

        def evaluate(self, model):
            return {}

    config = LoopConfig(output_dir=str(tmp_path), steps=3, batch_size=2, log_every=1, mixed_precision="no", cpu=True)
    config.peak_tflops = 0.5
    objective = Net()
    fit(build(config, objective, objective.model, make_accelerator(config)), Task())
    lines = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    for line in lines[:3]:
        assert line["mfu"] == pytest.approx(line["items_per_second"] * 5e6 / 0.5e12, rel=1e-4) and line["eta"] >= 0
    assert json.loads((tmp_path / "run.json").read_text())["flops_per_item"] == 5e6
