# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Runs that are started again: done ones stay as they are, half-finished ones finish, branches do not mix."""

import json
import os
import signal

import pytest
import torch
import yaml
from torch import nn

import hf_vdrep.training.loop as loop
from hf_vdrep.training.checkpoint import CheckpointError, list_checkpoints, load_checkpoint
from hf_vdrep.training.entry import run_entry
from hf_vdrep.training.log import read_log
from hf_vdrep.training.loop import build, fit, make_accelerator
from hf_vdrep.training.loop_config import LoopConfig


class Line(nn.Module):
    def __init__(self):
        super().__init__()
        self.model = nn.Linear(2, 1)

    def forward(self, batch):
        return (self.model(batch["x"])[:, 0] - 1).square().mean(), {}


class Points:
    def batch(self, step, part, parts):
        return {"x": torch.randn(4, 2, generator=torch.Generator().manual_seed(step)), "items": 4}

    def evaluate(self, model):
        return {"weight": float(model.weight.sum())}


def start(folder, *, finish=None, **changes):
    """Train, and leave `result` in the folder; the figures."""
    common = {"steps": 6, "batch_size": 4, "warmup_steps": 0, "log_every": 1, "eval_every": 0, "save_every": 2}
    config = LoopConfig(output_dir=str(folder), mixed_precision="no", cpu=True, **{**common, **changes})
    torch.manual_seed(0)
    objective = Line()
    run = build(config, objective, objective.model, make_accelerator(config))

    def write(figures):
        (folder / "result").write_text(json.dumps(figures))

    return fit(run, Points(), finish or write, results=("result",))


def files(folder):
    """Every file's content and time of change."""
    paths = [path for path in folder.rglob("*") if path.is_file()]
    return {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in paths}


def validations(folder):
    return [record for record in read_log(folder / "log.jsonl") if "eval/weight" in record]


def test_a_done_run_is_left_as_it_is(tmp_path, capsys):
    first = start(tmp_path)
    assert f"done: {tmp_path / 'result'}\n" in capsys.readouterr().out
    before = files(tmp_path)
    assert start(tmp_path) == first == {"weight": validations(tmp_path)[0]["eval/weight"]}
    assert files(tmp_path) == before
    assert f"{tmp_path} is done, all 6 steps; nothing was changed" in capsys.readouterr().out


def test_more_steps_take_a_done_run_further(tmp_path):
    start(tmp_path)
    start(tmp_path, steps=8)
    assert [record["step"] for record in validations(tmp_path)] == [6, 8]


def test_a_run_that_broke_down_while_finishing_finishes_without_a_second_validation(tmp_path):
    def break_down(figures):
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space left"):
        start(tmp_path, finish=break_down)
    assert json.loads((tmp_path / "run.json").read_text())["state"] == "failed"
    figures = start(tmp_path)
    assert json.loads((tmp_path / "result").read_text()) == figures
    assert len(validations(tmp_path)) == 1
    assert json.loads((tmp_path / "run.json").read_text())["state"] == "done"


def stopped_then_finished(folder, capsys, **changes):
    """SIGTERM is to come in the first start; the second has to finish what the first left."""
    assert run_entry(lambda argv: start(folder, **changes), lambda argv: argv, []) == 0
    said = capsys.readouterr().err
    assert said.startswith("stopped ") and said.count("\n") == 1
    assert json.loads((folder / "run.json").read_text())["state"] == "interrupted"
    assert not (folder / "result").exists() and list_checkpoints(folder)[-1].name == "checkpoint-6"
    figures = start(folder)
    assert json.loads((folder / "result").read_text()) == figures and len(validations(folder)) == 1
    assert json.loads((folder / "run.json").read_text())["state"] == "done"


@pytest.mark.parametrize("moment", ["evaluate", "save"])
def test_sigterm_at_the_last_step_leaves_the_results_to_the_next_start(tmp_path, monkeypatch, capsys, moment):
    """Also while the last checkpoint is written, which is after the loop has looked for signals."""
    monkeypatch.setenv("HF_HUB_DISABLE_PROGRESS_BARS", "1")
    if moment == "evaluate":
        monkeypatch.setattr(Points, "evaluate", signalled(Points.evaluate, at=lambda *given: True))
    else:
        monkeypatch.setattr(loop, "save", signalled(loop.save, at=lambda run: run.step == 6))
    stopped_then_finished(tmp_path, capsys)


def test_sigterm_while_the_results_are_saved_ends_well(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("HF_HUB_DISABLE_PROGRESS_BARS", "1")
    stopped_then_finished(tmp_path, capsys, finish=lambda figures: os.kill(os.getpid(), signal.SIGTERM))


def signalled(call, *, at):
    """`call`, with a SIGTERM before it the first time that `at` says so."""
    sent = []

    def act(*given):
        if at(*given) and not sent:
            sent.append(os.kill(os.getpid(), signal.SIGTERM))
        return call(*given)

    return act


def test_a_lost_result_is_made_again(tmp_path):
    start(tmp_path)
    content = (tmp_path / "result").read_text()
    (tmp_path / "result").unlink()
    start(tmp_path)
    assert (tmp_path / "result").read_text() == content and len(validations(tmp_path)) == 1


def test_other_weights_of_a_done_run_are_validated_and_saved(tmp_path):
    averaged, raw = start(tmp_path), start(tmp_path, weights="raw")
    tensors, _ = load_checkpoint(tmp_path / "checkpoint-6")
    assert averaged["weight"] == pytest.approx(float(tensors["ema"]["weight"].sum()))
    assert raw["weight"] == pytest.approx(float(tensors["model"]["weight"].sum())) != averaged["weight"]
    assert json.loads((tmp_path / "result").read_text()) == raw


def test_fewer_steps_than_are_done_are_refused(tmp_path):
    start(tmp_path)
    with pytest.raises(CheckpointError, match="steps must be at least the 6 of checkpoint-6, got 3"):
        start(tmp_path, steps=3)


def test_a_branch_that_is_left_does_not_come_back(tmp_path):
    """With the later checkpoints in place, pruning would delete the new ones and `auto` resume from the old branch."""
    start(tmp_path, keep=9)
    before = load_checkpoint(tmp_path / "checkpoint-6")[0]
    with pytest.warns(UserWarning, match="resuming from step 2; checkpoint-[46] is kept as left-checkpoint-[46]"):
        start(tmp_path, resume=str(tmp_path / "checkpoint-2"), keep=1)
    assert [path.name for path in list_checkpoints(tmp_path)] == ["checkpoint-6"]
    assert {path.name for path in tmp_path.glob("left-*")} == {"left-checkpoint-4", "left-checkpoint-6"}
    after = load_checkpoint(tmp_path / "checkpoint-6")[0]
    assert all(torch.equal(value, after["model"][name]) for name, value in before["model"].items())
    assert [record["step"] for record in read_log(tmp_path / "log.jsonl") if "loss" in record] == list(range(1, 7))


def keep_files(run):
    """A snapshot and a picture of every second step."""
    if run.step % 2 == 0:
        for name in (f"snapshots/step-{run.step}.safetensors", f"samples/step-{run.step}-images.png"):
            (run.folder / name).parent.mkdir(exist_ok=True)
            (run.folder / name).write_text(str(run.config.lr))


def names(folder):
    return sorted(path.name for path in folder.glob("s*/*") if path.suffix in (".safetensors", ".png"))


def test_snapshots_and_pictures_of_a_left_branch_do_not_stand_among_the_new(tmp_path, monkeypatch):
    monkeypatch.setattr(loop, "snapshot", keep_files)
    start(tmp_path, keep=9)
    monkeypatch.setattr(loop, "snapshot", lambda run: None)
    with pytest.warns(UserWarning, match="is kept as"):
        start(tmp_path, resume=str(tmp_path / "checkpoint-2"))
    left = [f"left-step-{step}{end}" for step in (4, 6) for end in ("-images.png", ".safetensors")]
    assert names(tmp_path) == sorted([*left, "step-2-images.png", "step-2.safetensors"])


def test_a_run_killed_between_two_renames_goes_on_from_what_it_had(tmp_path):
    start(tmp_path)
    moved, lost = tmp_path / ".checkpoint-6.old", tmp_path / "result"
    (tmp_path / "checkpoint-6").rename(moved)
    before = (moved / "state.json").stat().st_mtime_ns
    lost.unlink()
    start(tmp_path)
    assert lost.exists() and (tmp_path / "checkpoint-6" / "state.json").stat().st_mtime_ns == before


def test_a_run_that_was_killed_leaves_no_branch(tmp_path, monkeypatch):
    """The steps after its checkpoint come again and write the same files."""
    monkeypatch.setattr(loop, "snapshot", keep_files)
    start(tmp_path, save_every=4, keep=9)
    (tmp_path / "checkpoint-6").rename(tmp_path / "gone")
    start(tmp_path, save_every=4)
    assert not [name for name in names(tmp_path) if name.startswith("left-")]


def test_a_checkpoint_of_the_same_step_of_another_branch_gives_way(tmp_path):
    """Else a kill before the next checkpoint would let `auto` go on from it."""
    start(tmp_path / "other", steps=2, lr_schedule="constant")
    start(tmp_path / "run", steps=2, lr_schedule="constant")
    with pytest.warns(UserWarning, match="checkpoint-2 is kept as left-checkpoint-2"):
        start(tmp_path / "run", lr_schedule="constant", resume=str(tmp_path / "other" / "checkpoint-2"))
    assert [path.name for path in list_checkpoints(tmp_path / "run")] == ["checkpoint-4", "checkpoint-6"]


def test_the_saved_settings_go_on_from_the_newest_checkpoint(tmp_path):
    start(tmp_path, keep=9)
    with pytest.warns(UserWarning, match="is kept as"):
        start(tmp_path, resume=str(tmp_path / "checkpoint-4"))
    assert yaml.safe_load((tmp_path / "config.yaml").read_text())["resume"] == "auto"


def test_torn_settings_do_not_stand_in_the_way(tmp_path):
    figures = start(tmp_path)
    (tmp_path / "config.yaml").write_text("steps: [")
    assert start(tmp_path) == figures
    assert yaml.safe_load((tmp_path / "config.yaml").read_text())["steps"] == 6
