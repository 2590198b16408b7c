# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Trackers: what a run writes can be read back by the trackers' own readers."""

import json
import os
import sqlite3
import subprocess
import sys

import numpy as np
import pytest
import torch
from torch import nn

from hf_vdrep.training.loop import build, fit, make_accelerator
from hf_vdrep.training.loop_config import LoopConfig
from hf_vdrep.training.trackers import flatten, wanted_trackers


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.model = nn.Linear(3, 1)

    def forward(self, batch):
        return self.model(batch["x"]).square().mean(), {}


class Painter:
    def batch(self, step, part, parts):
        return {"x": torch.ones(2, 3) * step, "items": 2}

    def evaluate(self, model):
        return {"v_loss@25": 0.5}

    def sample(self, model, step):
        return {"images": np.full((8, 8, 3), 100, np.uint8)}


def train(folder, **changes):
    common = {"steps": 4, "batch_size": 2, "warmup_steps": 0, "log_every": 1, "sample_every": 4, "betas": [0.9, 0.95]}
    config = LoopConfig(output_dir=str(folder), mixed_precision="no", cpu=True, **{**common, **changes})
    objective = Net()
    fit(build(config, objective, objective.model, make_accelerator(config)), Painter())


def test_tensorboard_reads_back_scalars_settings_and_pictures(tmp_path):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    train(tmp_path / "run", report_to="tensorboard", project="twins")
    events = EventAccumulator(str(tmp_path / "run" / "twins"), size_guidance={"images": 0})
    events.Reload()
    logged = [json.loads(line) for line in (tmp_path / "run" / "log.jsonl").read_text().splitlines()]
    losses = [(line["step"], line["loss"]) for line in logged if "loss" in line]
    assert [(e.step, e.value) for e in events.Scalars("loss")] == [(s, pytest.approx(v, rel=1e-6)) for s, v in losses]
    assert [(e.step, e.value) for e in events.Scalars("eval/v_loss@25")] == [(4, 0.5)]
    assert [e.step for e in events.Images("images")] == [4]
    assert (events.Images("images")[0].width, events.Images("images")[0].height) == (8, 8)
    settings = next((tmp_path / "run" / "twins").glob("*/hparams.yml")).read_text()
    assert "lr: 0.001" in settings and "betas: '[0.9, 0.95]'" in settings


@pytest.mark.slow
def test_trackio_keeps_scalars_settings_and_pictures_on_disk(tmp_path):
    """In its own process, since trackio reads its folder's name on import."""
    code = (
        "import sys; sys.path.insert(0, sys.argv[2]); import test_training_trackers as t; from pathlib import Path;"
        "t.train(Path(sys.argv[1]) / 'run', report_to='trackio', project='twins')"
    )
    quiet = {"HF_HUB_OFFLINE": "1", "HF_HUB_DISABLE_PROGRESS_BARS": "1", "GRADIO_ANALYTICS_ENABLED": "False"}
    environment = {**os.environ, **quiet, "TRACKIO_DIR": str(tmp_path / "trackio")}
    command = [sys.executable, "-c", code, str(tmp_path), os.path.dirname(__file__)]
    result = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=200)
    assert result.returncode == 0, result.stderr
    with sqlite3.connect(next((tmp_path / "trackio").glob("twins*.db"))) as base:
        rows = [(step, json.loads(metrics)) for step, metrics in base.execute("select step, metrics from metrics")]
        (settings,) = [json.loads(config) for (config,) in base.execute("select config from configs")]
    assert [step for step, metrics in rows if "loss" in metrics] == [1, 2, 3, 4]
    assert any(metrics.get("eval/v_loss@25") == 0.5 for _, metrics in rows)
    assert any("images" in metrics for _, metrics in rows) and list((tmp_path / "trackio" / "media").rglob("*.png"))
    assert settings["lr"] == 0.001


def test_a_tracker_that_is_not_installed_is_one_clear_line(monkeypatch):
    import importlib.util

    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ValueError, match=r"got wandb \(pip install wandb\)"):
        wanted_trackers("wandb")
    assert wanted_trackers("all") == [] == wanted_trackers("none")


def test_all_means_those_that_are_installed():
    assert {"tensorboard", "trackio"} <= set(wanted_trackers("all")) <= {"tensorboard", "trackio", "wandb"}


def test_settings_are_flat_scalars_for_trackers():
    nested = {"lr": 0.1, "model": {"width": 8, "window": [1, 2]}, "vae": None}
    assert flatten(nested) == {"lr": 0.1, "model.width": 8, "model.window": "[1, 2]", "vae": "None"}
