# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Run folders as they are read: with and without run.json, finished, dead, damaged."""

import json
import os
import socket
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import torch

from hf_vdrep.training.checkpoint import save_checkpoint
from hf_vdrep.training.run_folders.curves import (
    levels_curve,
    loss_curve,
    plot_folders,
    validation_curve,
    validations_of,
)
from hf_vdrep.training.run_folders.folder import RunFolder, find_runs, open_run
from hf_vdrep.training.run_folders.table import details, row, text

LINES = [
    {"step": 1, "loss": 2.0, "items": 4, "seconds": 1.0},
    {"step": 2, "loss": 1.0, "items": 8, "seconds": 2.0},
    {"step": 2, "eval/v_loss": 0.5, "eval/v_loss@25": 0.9, "eval/v_loss@700": 0.2},
]


def make_run(path: Path, lines: list[dict[str, Any]] = LINES, **about: Any) -> RunFolder:
    path.mkdir(parents=True)
    (path / "log.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines) + '{"step": 3, "lo')
    if about:
        (path / "run.json").write_text(json.dumps(about))
    return RunFolder(path)


def test_a_run_without_run_json_is_read_from_its_log(tmp_path: Path):
    """As runs of old have it; the line that a crash cut short is left out."""
    run = make_run(tmp_path / "old")
    assert (run.step, run.last("loss"), run.items_per_second) == (2, 1.0, 4.0)
    assert run.validation == ("v_loss", 0.5) and run.state == "stopped" and run.kind == "-"
    (tmp_path / "old" / "summary.json").write_text(json.dumps({"objective": "image", "steps": 9}))
    again = RunFolder(tmp_path / "old")
    assert (again.state, again.kind, again.step) == ("done", "I-WALT", 9)


def test_twins_are_plotted_by_the_loss_that_both_have(tmp_path: Path):
    """A loss on clips is neither better nor worse than one on images; an image model's own is that on images."""
    videos = [*LINES[:2], {"step": 2, "eval/v_loss": 0.9, "eval/v_loss_image": 0.6}]
    twins = [make_run(tmp_path / "v", videos, flops_per_item=10), make_run(tmp_path / "i", LINES, flops_per_item=10)]
    for run, objective in zip(twins, ("video", "image"), strict=True):
        (run.path / "config.yaml").write_text(f"objective: {objective}\n")
        (run.path / "run.json").write_text('{"kind": "walt", "flops_per_item": 10}')
    twins = [RunFolder(run.path) for run in twins]
    assert validations_of(twins) == ["v_loss_image"] and validations_of(twins[:1]) == ["v_loss"]
    assert [validation_curve(run, "v_loss_image")[0][1] for run in twins] == [0.6, 0.5]


def test_adapters_and_readouts_count_as_results(tmp_path: Path):
    run = make_run(tmp_path / "run")
    for name in ("lora", "probe", "snapshots", "samples"):
        (run.path / name).mkdir()
    for name in ("snapshots/step-2.safetensors", "snapshots/left-step-4.safetensors", "samples/.step-9.1.png"):
        (run.path / name).write_text("")
    assert run.kept() == {"snapshots": ["step-2.safetensors"], "samples": [], "results": ["lora", "probe"]}


def test_a_run_that_died_is_not_called_running(tmp_path: Path):
    """Its process is gone from this machine, or its heart stands still on another."""
    late, now = (datetime.now(UTC) - timedelta(hours=hours) for hours in (1, 0))
    here: dict[str, Any] = {"state": "running", "host": socket.gethostname()}
    there: dict[str, Any] = {"state": "running", "host": "elsewhere", "pid": os.getpid()}
    runs = {
        "running": make_run(tmp_path / "a", **here, pid=os.getpid(), heartbeat=late.isoformat()),
        "killed": make_run(tmp_path / "b", **here, pid=2**22 + 1, heartbeat=now.isoformat()),
    }
    assert {state: run.state for state, run in runs.items()} == {state: state for state in runs}
    assert make_run(tmp_path / "c", **there, heartbeat=late.isoformat()).state == "killed"
    assert make_run(tmp_path / "d", **there, heartbeat=now.isoformat()).state == "running"
    assert make_run(tmp_path / "e", state="failed", kind="autoencoder").kind == "tokenizer"


def test_damaged_checkpoints_are_named(tmp_path: Path):
    run = make_run(tmp_path / "run")
    for step in (1, 2):
        save_checkpoint(run.path, step, {"model": {"a": torch.ones(3)}}, {}, keep=5)
    file = run.path / "checkpoint-1" / "model.safetensors"
    file.write_bytes(file.read_bytes()[:-1])
    first, second = run.checkpoints()
    assert "model.safetensors" in first["damage"] and second["damage"] is None
    assert second["bytes"] == sum(path.stat().st_size for path in (run.path / "checkpoint-2").iterdir())
    assert "damage" not in run.checkpoints(verify=False)[0]


def test_runs_are_found_below_a_folder_but_not_inside_a_run(tmp_path: Path):
    make_run(tmp_path / "one")
    make_run(tmp_path / "group" / "two")
    make_run(tmp_path / "group" / "two" / "samples" / "no")
    assert [run.name for run in find_runs([tmp_path, tmp_path / "one"])] == ["two", "one"]
    with pytest.raises(ValueError, match="run must be a folder, got"):
        find_runs([tmp_path / "nothing"])
    with pytest.raises(ValueError, match=r"run must be a folder with run\.json or log\.jsonl"):
        open_run(tmp_path)


def test_curves_are_those_of_the_log(tmp_path: Path):
    """The running mean of one point is the point; FLOPs are the work of an item, times items, times steps."""
    run = make_run(tmp_path / "run", flops_per_item=10.0)
    steps, means = zip(*loss_curve(run), strict=True)
    assert steps == (1, 2) and means[0] == 2.0
    assert means[1] == pytest.approx((0.95 * 0.05 * 2 + 0.05 * 1) / (0.95 * 0.05 + 0.05))
    assert levels_curve(run) == [(25, 0.9), (700, 0.2)]
    assert validation_curve(run, "v_loss") == [(10 * 4 * 2, 0.5)]
    assert validation_curve(make_run(tmp_path / "bare"), "v_loss") == []


def test_several_runs_make_one_picture(tmp_path: Path):
    """Three panels for what has noise levels and work; nothing logged is an error."""
    from matplotlib.image import imread

    runs = [make_run(tmp_path / name, flops_per_item=3.0) for name in ("a", "b")]
    wide = imread(plot_folders(runs, tmp_path / "wide.png")).shape
    narrow = imread(plot_folders([make_run(tmp_path / "c", LINES[:2])], tmp_path / "narrow.png")).shape
    assert wide[0] == narrow[0] and wide[1] == 3 * narrow[1]
    with pytest.raises(ValueError, match="runs must have logged a loss or a validation"):
        plot_folders([make_run(tmp_path / "empty", [])], tmp_path / "none.png")
    assert not list(tmp_path.glob(".*"))


@pytest.mark.parametrize(
    "files",
    [
        {"log.jsonl": '{"step": null, "loss": 0.5}\n{"step": 1, "loss": "nan"}\n{"step": 2, "eval/v": "x"}\n[1]\n'},
        {"log.jsonl": "\0\0\0\n", "run.json": '{"state": "running", "pid": 1e30, "host": 3, "step": "x", "steps": []}'},
        {"log.jsonl": "", "summary.json": '{"steps": "many", "flops_per_item": "x"}', "config.yaml": "steps: many\n"},
    ],
)
def test_one_damaged_run_does_not_hide_the_others(tmp_path: Path, files: dict[str, str]):
    make_run(tmp_path / "sound")
    (tmp_path / "damaged").mkdir()
    for name, content in files.items():
        (tmp_path / "damaged" / name).write_text(content)
    damaged, sound = find_runs([tmp_path])
    assert row(damaged)["loss"] is None and row(sound)["loss"] is not None
    assert text(details(damaged)).startswith("damaged: ")
    plot_folders([damaged, sound], tmp_path / "both.png")
