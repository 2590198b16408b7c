# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Killed with SIGKILL at random moments and started again, a training on a stream ends bit-identical."""

import os
import random
import subprocess
import sys
import time
from pathlib import Path

import psutil
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


def torchrun(folder, pause=0.0):
    words = ["-m", "torch.distributed.run", "--nproc_per_node", "2", "--master_port", "0", "--standalone"]
    command = [sys.executable, *words, str(PROGRAM), "train", str(folder), str(pause)]
    return subprocess.Popen(command, env=ENVIRONMENT)


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
    run("torture", tmp_path, 2, time.time_ns())
    same_end(tmp_path / "whole", tmp_path / "killed", 1)


@pytest.mark.slow
def test_killed_ten_times_alone(tmp_path):
    run("torture", tmp_path, 10, time.time_ns())
    same_end(tmp_path / "whole", tmp_path / "killed", 1)


@pytest.mark.slow
def test_killed_ten_times_in_two_processes(tmp_path):
    assert torchrun(tmp_path / "whole").wait(timeout=300) == 0
    seed = time.time_ns()
    chance, folder = random.Random(seed), tmp_path / "killed"
    print("seed", seed)
    for attempt in range(10):
        launcher = torchrun(folder, 0.02)
        goal = (STEPS - 8) * (attempt + chance.random()) / 10
        log = folder / "log.jsonl"
        while launcher.poll() is None and (not log.exists() or log.read_bytes().count(b"\n") < goal):
            time.sleep(0.002)
        time.sleep(chance.random() * 0.1)
        # The workers are in sessions of their own: killing the launcher's group would leave them at work.
        victims = psutil.Process(launcher.pid).children(recursive=True)
        for victim in (launcher, *victims):
            victim.kill()
        psutil.wait_procs(victims)
        launcher.wait()
        print("killed with", sorted(path.name for path in folder.glob("*checkpoint*")))
    assert torchrun(folder).wait(timeout=300) == 0
    same_end(tmp_path / "whole", folder, 2)
