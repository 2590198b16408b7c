# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Killed with SIGKILL at random moments and started again, a training on a stream ends bit-identical."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from hf_vdrep.training.checkpoint import load_checkpoint, load_rank_json
from hf_vdrep.training.log import read_log

PROGRAM = Path(__file__).with_name("stream_training.py")
ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1", "ACCELERATE_USE_CPU": "1", "HF_HUB_DISABLE_PROGRESS_BARS": "1"}
TIMED = {"seconds", "items_per_second", "eta"}
STEPS = 40


def run(*words):
    subprocess.run([sys.executable, str(PROGRAM), *map(str, words)], check=True, env=ENVIRONMENT, timeout=600)


def same_end(one, other, processes):
    """Every tensor, scalar, generator and position of the last checkpoints agrees, and so does every logged figure."""
    paths = [folder / f"checkpoint-{STEPS}" for folder in (one, other)]
    (tensors, state), (tensors2, state2) = (load_checkpoint(path) for path in paths)
    for scalars in (state, state2):
        del scalars["config"], scalars["counters"]["seconds"]
    assert state == state2 and state["guard"]["skipped"] >= 2
    assert tensors.keys() == tensors2.keys() >= {f"rng-{rank}" for rank in range(processes)}
    for stem, named in tensors.items():
        assert all(torch.equal(value, tensors2[stem][name]) for name, value in named.items()), stem
    for rank in range(processes):
        for stem in (f"rng-{rank}", f"position-{rank}"):
            assert load_rank_json(paths[0], stem) == load_rank_json(paths[1], stem) is not None
    logs = [read_log(folder / "log.jsonl") for folder in (one, other)]
    untimed = [[{k: v for k, v in line.items() if k not in TIMED} for line in log] for log in logs]
    assert untimed[0] == untimed[1]
    assert [line["step"] for line in logs[0] if "loss" in line or "skipped" in line] == list(range(1, STEPS + 1))


def test_killed_twice_it_ends_as_if_it_had_not_been(tmp_path):
    run("torture", tmp_path, 2, time.time_ns(), 1)
    same_end(tmp_path / "whole", tmp_path / "killed", 1)


@pytest.mark.slow
def test_killed_ten_times_alone(tmp_path):
    run("torture", tmp_path, 10, time.time_ns(), 1)
    same_end(tmp_path / "whole", tmp_path / "killed", 1)


@pytest.mark.slow
def test_killed_ten_times_in_two_processes(tmp_path):
    run("torture", tmp_path, 10, time.time_ns(), 2)
    same_end(tmp_path / "whole", tmp_path / "killed", 2)


@pytest.mark.slow
def test_torchrun_does_what_the_children_did(tmp_path):
    """The processes that the tests above start by themselves are those of torchrun."""
    run("torture", tmp_path, 1, 0, 2)
    words = ["-m", "torch.distributed.run", "--nproc_per_node", "2", "--standalone", str(PROGRAM)]
    command = [sys.executable, *words, "train", str(tmp_path / "torchrun")]
    subprocess.run(command, check=True, env=ENVIRONMENT, timeout=600)
    same_end(tmp_path / "torchrun", tmp_path / "killed", 2)
