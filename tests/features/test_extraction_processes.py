# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Several processes fill one cache: the bytes of one alone, and nobody waits for the dead."""

import os
import shutil
import time

import pytest
from tiny_extraction import PROCESSES, shard_bytes, start

from hf_vdrep.features import cell as cell_module
from hf_vdrep.features.process_share import ProcessShare


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
    """The shards that one process writes."""
    folder = tmp_path_factory.mktemp("alone")
    process = start(folder)
    process.join()
    assert process.exitcode == 0
    return shard_bytes(folder)


@pytest.mark.parametrize("world_size", [2, 3])
def test_any_number_of_processes_gives_the_same_bytes(alone, tmp_path, world_size):
    """As `accelerate launch` and `torchrun` start them; each returns only when all is there."""
    processes = [start(tmp_path, {"RANK": str(rank), "WORLD_SIZE": str(world_size)}) for rank in range(world_size)]
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0] * world_size
    assert shard_bytes(tmp_path) == alone
    assert not list(tmp_path.rglob("*.tmp"))


def test_levels_that_go_together_give_the_bytes_of_one_process_though_one_of_three_is_killed(tmp_path):
    """Each is started at its own time; the killed one begins again, alone, after a cell of its shards was lost."""
    choices = {"timesteps": [0, 200, 600], "stacking": "on", "patience_s": 1.0}
    start(tmp_path / "alone", **choices).join()
    here, there = PROCESSES.Pipe()
    env = [{"RANK": str(rank), "WORLD_SIZE": "3"} for rank in range(3)]
    victim = start(tmp_path / "three", env[1], begin=there, **choices)
    here.recv()
    victim.join(0.02)
    victim.kill()
    others = [start(tmp_path / "three", env[rank], **choices) for rank in (0, 2)]
    for process in (victim, *others):
        process.join()
    shutil.rmtree(next((tmp_path / "three").rglob("levels.json")).parent)
    start(tmp_path / "three", env[1], **choices).join()
    assert len(list((tmp_path / "three").rglob("levels.json"))) == 6
    assert shard_bytes(tmp_path / "three") == shard_bytes(tmp_path / "alone")


def test_two_processes_that_write_the_same_shards_do_no_harm(alone, tmp_path):
    """Both are told to be alone, and begin at the same moment."""
    ends = [PROCESSES.Pipe() for _ in range(2)]
    processes = [start(tmp_path, begin=there) for _, there in ends]
    for process, (here, _) in zip(processes, ends, strict=True):
        here.recv()
        process.join(0)
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0, 0]
    assert shard_bytes(tmp_path) == alone


def test_a_process_whose_peers_never_came_does_it_all(alone, tmp_path):
    process = start(tmp_path, {"RANK": "1", "WORLD_SIZE": "3"})
    process.join()
    assert shard_bytes(tmp_path) == alone


def test_shares_part_the_shards_and_the_rest_comes_from_the_end():
    parts = [ProcessShare(rank, 3).split(range(8)) for rank in range(3)]
    assert [own for own, _ in parts] == [[0, 3, 6], [1, 4, 7], [2, 5]]
    assert [others for _, others in parts] == [[7, 5, 4, 2, 1], [6, 5, 3, 2, 0], [7, 6, 4, 3, 1, 0]]


def test_a_process_begins_with_its_own_shards(extract, clips):
    """Shards of four: the first and the last, of two samples, are those of process 0."""
    extract(rank=0, world_size=2)
    assert clips.read == [0, 1, 2, 3, 8, 9, 4, 5, 6, 7]


def test_a_shard_in_work_elsewhere_is_waited_for_and_then_taken_over(extract, clips, tmp_path, monkeypatch):
    """A fresh temporary file is a living writer, an old one is dead."""
    truth = extract(cache_dir=tmp_path / "whole")[1, 200][:]
    monkeypatch.setattr(cell_module, "PATIENCE_S", 1.5)
    extract(rank=0, world_size=2)
    victims = [path for path in (tmp_path / "cache").rglob("shard-00001.safetensors") if len(path.read_bytes()) > 2000]
    for path in victims:
        path.with_name(f".{path.name}.other.tmp").write_bytes(b"begun")
        path.unlink()
    began = time.time()
    assert extract(rank=0, world_size=2)[1, 200][:].equal(truth)
    assert time.time() - began >= 1.4
    began = time.time()
    os.remove(victims[0])
    assert extract(rank=1, world_size=2)[1, 200][:].equal(truth)  # its own share: nothing to wait for
    assert time.time() - began < 1.4


@pytest.mark.parametrize(
    ("rank", "world_size", "message"),
    [(2, 2, r"rank must lie in \[0, 1\], got 2"), (-1, 2, "rank must lie in"), (0, 0, "world_size must be at least 1")],
)
def test_a_rank_that_is_none_of_the_processes_is_named(extract, rank, world_size, message):
    with pytest.raises(ValueError, match=message):
        extract(rank=rank, world_size=world_size)


def test_the_environment_speaks_only_where_nothing_is_given(monkeypatch):
    monkeypatch.setenv("RANK", "3")
    monkeypatch.setenv("WORLD_SIZE", "4")
    assert ProcessShare.of(None, None) == ProcessShare(3, 4)
    assert ProcessShare.of(0, 1) == ProcessShare(0, 1)
    monkeypatch.setenv("RANK", "first")
    with pytest.raises(ValueError, match="RANK in the environment must be a whole number, got 'first'"):
        ProcessShare.of(None, None)
