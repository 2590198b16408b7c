# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""A latent cache whose writers are killed: what is accepted in the end is what one undisturbed process writes."""

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from stream_folders import folder, mp4, png

from hf_vdrep.features.shard_file import open_shard
from hf_vdrep.training import latent_store
from hf_vdrep.training.latent_store import LatentStore

PROGRAM = Path(__file__).with_name("latent_filling.py")
ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1", "HF_HUB_DISABLE_PROGRESS_BARS": "1", "HF_HUB_OFFLINE": "1"}


def content(root):
    return {str(path.relative_to(root)): path.read_bytes() for path in root.glob("latents-*/*") if path.is_file()}


@pytest.mark.slow
def test_killed_while_it_is_filled_a_cache_ends_bit_identical(tmp_path):
    """SIGKILL at ten random moments for one process, and for two at once on one folder; shards damaged in between."""
    data = folder(tmp_path / "clips", mp4, 22, "mp4", corrupt=(4,))
    pictures = folder(tmp_path / "pictures", png, 10, "png")
    words = [data, pictures, tmp_path, 10, time.time_ns() % 2**31]
    environment = {**ENVIRONMENT, "PYTHONPATH": os.pathsep.join([str(PROGRAM.parent), *sys.path])}
    subprocess.run([sys.executable, str(PROGRAM), *map(str, words)], check=True, env=environment, timeout=900)
    whole = content(tmp_path / "whole")
    assert len(whole) == 11 + 5 + 2 * 2
    assert content(tmp_path / "alone") == whole and content(tmp_path / "together") == whole


def test_a_look_at_a_missing_shard_never_removes_what_another_process_just_wrote(tmp_path, monkeypatch):
    """Between the look and the removal of what seemed damaged, a sound shard may have come."""
    key = {"kind": "pictures", "dtype": "float32"}
    here, there = (LatentStore(tmp_path, key, 1) for _ in range(2))
    here.folder.mkdir()
    rows = latent_store.StoredRows(np.ones((2, 1, 1, 1, 1), "float32"), "float32")
    facts = {"ids": ["a", "b"], "labels": [{}, {}], "skipped": 0}

    def late(path, description):
        try:
            return open_shard(path, description)
        finally:
            writer = threading.Thread(target=there.write, args=(0, [rows], facts))
            writer.start()
            writer.join()

    monkeypatch.setattr(latent_store, "open_shard", late)
    assert not here.is_complete(0)
    monkeypatch.undo()
    assert here.is_complete(0) and here.ids == ["a", "b"]
    here.finish()


def test_what_killed_writers_left_goes_when_the_cache_is_complete(tmp_path):
    key = {"kind": "pictures", "dtype": "float32"}
    store = LatentStore(tmp_path, key, 1)
    store.folder.mkdir()
    rows = latent_store.StoredRows(np.ones((1, 1, 1, 1, 1), "float32"), "float32")
    store.write(0, [rows], {"ids": ["a"], "labels": [{}], "skipped": 0})
    old, young = (store.folder / f".shard-00000.safetensors.{name}.tmp" for name in ("old", "young"))
    for path in (old, young):
        path.touch()
    os.utime(old, (1, 1))
    store.finish()
    assert not old.exists() and young.exists()
