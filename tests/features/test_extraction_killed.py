# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""SIGKILL at any moment costs no complete shard and leaves nothing wrong."""

import random
import time
from multiprocessing.context import ForkServerProcess
from pathlib import Path

import pytest
from tiny_extraction import PROCESSES, shard_bytes, start


def start_together(cache_dir: Path, stacking: str) -> ForkServerProcess:
    """Returns when the extraction begins, the process having built its model."""
    here, there = PROCESSES.Pipe()
    choices = {"timesteps": [0, 100, 200, 300], "batch_size": 1, "shard_size": 1, "stacking": stacking}
    process = start(cache_dir, begin=there, **choices)
    here.recv()
    return process


def uninterrupted(cache_dir: Path, stacking: str) -> float:
    """Seconds of a whole extraction, its start not counted."""
    process = start_together(cache_dir, stacking)
    began = time.perf_counter()
    process.join()
    assert process.exitcode == 0
    return time.perf_counter() - began


def kill_often(cache_dir: Path, truth: dict[Path, bytes], kills: int, seconds: float, seed: int, stacking: str) -> None:
    """Resume and kill `kills` times, at moments spread over a run."""
    choice, killed = random.Random(seed), 0
    while killed < kills:
        before = shard_bytes(cache_dir)
        process = start_together(cache_dir, stacking)
        process.join(choice.uniform(0.0, seconds))
        process.kill()
        process.join()
        after = shard_bytes(cache_dir)
        # What has its name is whole at every moment, and what was complete stays.
        assert after.items() <= truth.items() and before.keys() <= after.keys()
        if process.exitcode == 0:  # it was faster than the kill: half of the work is to be done again
            for path in choice.sample(sorted(after), len(after) // 2):
                (cache_dir / path).unlink()
        else:
            killed += 1


def resumed_after_kills(folder: Path, kills: int, seed: int, stacking: str = "off") -> None:
    seconds = uninterrupted(folder / "whole", stacking)
    truth = shard_bytes(folder / "whole")
    kill_often(folder / "killed", truth, kills, seconds, seed, stacking)
    kept = {path: (folder / "killed" / path).stat().st_mtime_ns for path in shard_bytes(folder / "killed")}
    last = start_together(folder / "killed", stacking)
    last.join()
    assert last.exitcode == 0
    assert shard_bytes(folder / "killed") == truth
    assert all((folder / "killed" / path).stat().st_mtime_ns == written for path, written in kept.items())


def test_three_kills_leave_the_same_cache(tmp_path):
    resumed_after_kills(tmp_path, kills=3, seed=0)


@pytest.mark.slow
def test_twenty_kills_leave_the_same_cache(tmp_path):
    resumed_after_kills(tmp_path, kills=20, seed=1)


@pytest.mark.slow
def test_kills_leave_the_same_cache_where_levels_go_in_one_pass(tmp_path):
    """A shard of one level that a kill left out is made by the pass of all, as without the kill."""
    resumed_after_kills(tmp_path, kills=10, seed=2, stacking="on")
