# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Real processes on a stream of videos and pictures: together what one sees, and exact after SIGKILL."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from stream_folders import folder, mp4, png

SCRIPT = Path(__file__).parents[2] / "scripts" / "train_autoencoder.py"
LAUNCH = [sys.executable, "-m", "torch.distributed.run", "--nproc_per_node", "2"]
STEPS = 14


@pytest.fixture(scope="module")
def words(tmp_path_factory, tiny_vae_config):
    root = tmp_path_factory.mktemp("processes")
    clips = folder(root / "clips", mp4, 9, "mp4", corrupt=(2,))
    pictures = folder(root / "pictures", png, 6, "png")
    pairs = [f"{key}={json.dumps(value)}" for key, value in tiny_vae_config.items()]
    argv = ["--data", str(clips), "--image-data", str(pictures), "--image-fraction", "0.25", "--lanes", "2"]
    argv += ["--max-corrupt", "0.5", "--eval-clips", "2", "--stats-clips", "3", "--resolution", "16", "--cpu"]
    argv += ["--model", *pairs, "--batch-size", "4", "--warmup-steps", "1", "--mixed-precision", "no", "--keep", "99"]
    argv += ["--log-every", "1", "--steps", str(STEPS), "--save-every", "2", "--eval-every", "0", "--threads", "1"]
    return argv


def environment():
    return {**os.environ, "OMP_NUM_THREADS": "1", "ACCELERATE_USE_CPU": "1", "HF_HUB_DISABLE_PROGRESS_BARS": "1"}


def start(run, words, processes, *more):
    launch = [sys.executable] if processes == 1 else LAUNCH
    command = [*launch, str(SCRIPT), *words, "--output-dir", str(run), *more]
    return subprocess.Popen(command, env=environment(), start_new_session=True, stdout=subprocess.DEVNULL)


def weights(run):
    return load_file(run / f"checkpoint-{STEPS}" / "model.safetensors")


def losses(run):
    records = [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]
    return {r["step"]: (r["loss"], r["items"], r.get("skipped_samples")) for r in records if "loss" in r}


@pytest.mark.slow
def test_two_processes_and_their_workers_learn_what_one_learns(tmp_path, words):
    """Same losses within rounding, same number of samples, same number left out."""
    for name, processes, more in (("one", 1, ()), ("two", 2, ("--workers", "1"))):
        assert start(tmp_path / name, words, processes, *more).wait(timeout=900) == 0
    one, two = (losses(tmp_path / name) for name in ("one", "two"))
    assert len(one) == len(two) == STEPS
    for step in one:
        assert one[step][0] == pytest.approx(two[step][0], rel=1e-3) and one[step][1:] == two[step][1:]


@pytest.mark.slow
@pytest.mark.parametrize("processes", [1, 2])
def test_killed_runs_end_with_the_same_bits(tmp_path, words, processes):
    """SIGKILL of all processes at random moments, until the run is through."""
    straight, broken = tmp_path / "straight", tmp_path / "broken"
    assert start(straight, words, processes).wait(timeout=900) == 0
    moments, kills = random.Random(processes), 0
    for _ in range(10):
        before = len(list(broken.glob("checkpoint-*")))
        process = start(broken, words, processes, "--workers", str(kills % 2))
        while process.poll() is None and len(list(broken.glob("checkpoint-*"))) <= before:
            time.sleep(0.05)
        time.sleep(moments.uniform(0, 0.6))
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            kills += 1
        if process.wait() == 0:
            break
    assert start(broken, words, processes).wait(timeout=900) == 0
    assert kills >= 2
    expected, found = weights(straight), weights(broken)
    assert all(torch.equal(expected[name], found[name]) for name in expected)
