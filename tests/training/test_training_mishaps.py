# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Damaged checkpoints, full disks, empty batches, pre-emption: one clear line, and nothing is lost."""

import json
import os
import resource
import signal

import pytest
import torch
from torch import nn

from hf_vdrep.training.checkpoint import CheckpointError, list_checkpoints, load_checkpoint, save_checkpoint
from hf_vdrep.training.entry import run_entry
from hf_vdrep.training.loop import build, fit, make_accelerator
from hf_vdrep.training.loop_config import LoopConfig
from hf_vdrep.training.stop import Interrupted


class Line(nn.Module):
    def __init__(self):
        super().__init__()
        self.model = nn.Linear(2, 1)

    def forward(self, batch):
        return self.model(batch["x"]).square().mean(), {}


class Points:
    """`act` is called in the evaluation, on the training's own thread."""

    def __init__(self, act=lambda: None, rows=4):
        self.act, self.rows, self.sought = act, rows, None

    def batch(self, step, part, parts):
        return {"x": torch.ones(self.rows, 2) * (step + 1), "ids": [step] * self.rows, "position": {"step": step + 1}}

    def seek(self, position):
        self.sought = position

    def evaluate(self, model):
        self.act()
        return {"weight": float(model.weight.sum())}


def settings(folder, **changes):
    common = {"steps": 9, "batch_size": 4, "warmup_steps": 0, "log_every": 1, "eval_every": 0, "save_every": 3}
    return LoopConfig(output_dir=str(folder), mixed_precision="no", cpu=True, **{**common, **changes})


def train(config, task=None):
    torch.manual_seed(0)
    objective = Line()
    run = build(config, objective, objective.model, make_accelerator(config))
    fit(run, task or Points())
    return run


def test_a_damaged_newest_checkpoint_gives_way_to_the_one_before(tmp_path):
    """The warning names both; the end is that of a run without damage; the damaged one is kept, but does not count."""
    whole = train(settings(tmp_path / "whole"))
    train(settings(tmp_path / "run"))
    (tmp_path / "run" / "checkpoint-9" / "model.safetensors").write_bytes(b"torn")
    task = Points()
    with pytest.warns(UserWarning, match="checkpoint-9 is damaged.*kept as damaged-checkpoint-9.*from checkpoint-6"):
        again = train(settings(tmp_path / "run"), task)
    assert task.sought == {"step": 6}
    assert torch.equal(whole.model.weight, again.model.weight)
    names = sorted(path.name for path in (tmp_path / "run").iterdir() if path.is_dir())
    assert names == ["checkpoint-6", "checkpoint-9", "damaged-checkpoint-9"]


def test_a_damaged_checkpoint_that_was_named_is_an_error(tmp_path):
    train(settings(tmp_path / "run"))
    damaged = tmp_path / "run" / "checkpoint-9"
    (damaged / "state.json").unlink()
    with pytest.raises(CheckpointError, match=r"state\.json is missing"):
        train(settings(tmp_path / "run", resume=str(damaged)))
    assert damaged.is_dir()


def test_weights_of_another_shape_are_refused_by_name(tmp_path):
    train(settings(tmp_path))
    objective = Line()
    objective.model = nn.Linear(3, 1)
    with pytest.raises(CheckpointError, match=r"must hold weight as \(1, 3\), got \(1, 2\)"):
        fit(build(settings(tmp_path), objective, objective.model, make_accelerator(settings(tmp_path))), Points())


def save_within(folder, limit):
    """In a child process whose files may not exceed the limit; what it says when it cannot save."""
    child = os.fork()
    if child == 0:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
        try:
            save_checkpoint(folder, 2, {"model": {"w": torch.ones(10_000)}}, {}, keep=1)
        except OSError as error:
            (folder / "said").write_text(str(error))
        os._exit(0)
    os.waitpid(child, 0)
    return (folder / "said").read_text()


def test_a_file_that_cannot_grow_leaves_the_checkpoint_before(tmp_path):
    """A real limit of the kernel (EFBIG), met inside safetensors' own writer."""
    save_checkpoint(tmp_path, 1, {"model": {"w": torch.ones(10)}}, {}, keep=2)
    said = save_within(tmp_path, 20_000)
    assert "checkpoint-2 could not be written (" in said and "checkpoint-1 is untouched" in said
    assert sorted(path.name for path in tmp_path.iterdir()) == ["checkpoint-1", "said"]
    load_checkpoint(tmp_path / "checkpoint-1")


def test_a_full_disk_is_one_line_and_exit_code_2(tmp_path, monkeypatch, capsys):
    import hf_vdrep.training.checkpoint as checkpoint

    write = checkpoint.save_file

    def refuse(tensors, path):
        if ".checkpoint-6" in str(path):
            raise OSError(28, "No space left on device")
        write(tensors, path)

    monkeypatch.setattr(checkpoint, "save_file", refuse)
    monkeypatch.setenv("HF_HUB_DISABLE_PROGRESS_BARS", "1")
    assert run_entry(lambda argv: train(settings(tmp_path)), lambda argv: argv, []) == 2
    error = capsys.readouterr().err
    assert "checkpoint-6 could not be written (No space left on device); checkpoint-3 is untouched" in error
    assert error.count("\n") == 1
    assert [path.name for path in list_checkpoints(tmp_path)] == ["checkpoint-3"]
    assert json.loads((tmp_path / "run.json").read_text())["state"] == "failed"


def test_an_empty_batch_is_named(tmp_path):
    with pytest.raises(ValueError, match="batch must hold at least one sample, got none at step 0"):
        train(settings(tmp_path), Points(rows=0))


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 0), (signal.SIGINT, 130)])
def test_pre_emption_saves_and_is_a_good_end(tmp_path, capsys, number, code):
    """SIGTERM leaves with 0, so that a scheduler starts the job again; Ctrl-C with 130, as shells expect."""
    config = settings(tmp_path, eval_every=5)
    task = Points(act=lambda: os.kill(os.getpid(), number))
    assert run_entry(lambda argv: train(config, task), lambda argv: argv, []) == code
    assert "stopped after step 5; continue with --resume auto" in capsys.readouterr().err
    assert list_checkpoints(tmp_path)[-1].name == "checkpoint-5"
    assert json.loads((tmp_path / "run.json").read_text())["state"] == "interrupted"
    with pytest.raises(Interrupted):
        train(settings(tmp_path, eval_every=6), task)
    train(settings(tmp_path))
    about = json.loads((tmp_path / "run.json").read_text())
    assert (about["state"], about["resumed"], about["step"]) == ("done", 2, 9)


def test_a_run_says_what_it_is(tmp_path):
    run = train(settings(tmp_path))
    about = json.loads((tmp_path / "run.json").read_text())
    assert about["state"] == "done" and about["finished"] >= about["started"]
    assert about["parameters"] == 3 and about["world_size"] == 1 and about["resumed"] == 0
    assert about["versions"]["torch"] == torch.__version__.partition("+")[0] or "+" in about["versions"]["torch"]
    assert (about["model"], about["flops_per_item"], about["steps"]) == ("Linear", None, run.config.steps)


def test_another_number_of_processes_is_refused_for_a_stream(tmp_path):
    train(settings(tmp_path, steps=3))
    path = tmp_path / "checkpoint-3"
    tensors, state = load_checkpoint(path)
    state["world_size"] = 2
    own = {f"position-{rank}": {"step": 3} for rank in range(2)} | {"rng-0": state_of(path)}
    del state["step"]
    save_checkpoint(tmp_path, 3, tensors, state, keep=2, own=own)
    with pytest.raises(CheckpointError, match=r"checkpoint-3 was made by 2 processes .* got 1"):
        train(settings(tmp_path))
    task = Points()
    task.merge_positions = lambda positions: {"step": max(p["step"] for p in positions), "of": len(positions)}
    train(settings(tmp_path), task)
    assert task.sought == {"step": 3, "of": 2}


def state_of(path):
    return json.loads((path / "rng-0.json").read_text())


def test_a_checkpoint_of_the_first_format_is_continued(tmp_path):
    """Generators in state.json, no guard, no loss scale, no world size, and a config without the later options."""
    flat = {"lr_schedule": "constant"}
    whole = train(settings(tmp_path / "whole", **flat))
    train(settings(tmp_path / "old", steps=3, **flat))
    tensors, state = load_checkpoint(tmp_path / "old" / "checkpoint-3")
    state["generators"] = state_of(tmp_path / "old" / "checkpoint-3")
    for name in ("guard", "scaler", "world_size", "architecture", "step"):
        del state[name]
    for name in ("spike_factor", "max_bad_steps", "compile", "weights", "process_timeout"):
        del state["config"][name]
    save_checkpoint(tmp_path / "old", 3, tensors, state, keep=2)
    again = train(settings(tmp_path / "old", **flat))
    assert torch.equal(whole.model.weight, again.model.weight) and torch.equal(
        whole.ema.shadow["weight"], again.ema.shadow["weight"]
    )
