# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""The index of a cache says what the shards say, is rebuilt when lost, and follows what changes."""

import os
import time
from pathlib import Path

import pytest

from hf_vdrep.features import cache_index, list_cells
from hf_vdrep.features.cache_index import NAME, refresh_index
from hf_vdrep.features.shard_file import open_shard
from hf_vdrep.features.stored_cells import indexed_cells, remove_cells


@pytest.fixture
def folder(extract, tmp_path) -> Path:
    """Four cells with statistics and the latents that feed them, long untouched."""
    extract(layers=[0, 2], timesteps=[0, 50], statistics=True)
    settle(tmp_path / "cache")
    return tmp_path / "cache"


def settle(folder: Path) -> None:
    """As if nothing had changed for a while: time stamps of now are not relied on."""
    for cell in folder.iterdir():
        os.utime(cell, (time.time() - 60, time.time() - 60))


def test_rows_agree_with_the_shards(folder):
    """A row for every file: its samples, its size, its hash; and the index lists what the folders list."""
    rows = refresh_index(folder)
    files = sorted(path.relative_to(folder) for path in folder.glob("*/*-*.safetensors"))
    assert sorted(Path(row["cell"]) / row["file"] for row in rows) == files
    for row in rows:
        path = folder / row["cell"] / row["file"]
        assert row["bytes"] == path.stat().st_size and row["blake2b"].encode() in path.read_bytes()
    assert sum(row["rows"] for row in rows if row["kind"] == "features") == 5 * 10
    assert sum(row["rows"] for row in rows if row["kind"] == "statistics") == 4 * 10
    assert indexed_cells(folder) == list_cells(folder)


@pytest.mark.parametrize("damage", ["deleted", "truncated", "other"])
def test_a_lost_index_is_made_again(folder, damage):
    before = refresh_index(folder)
    index = folder / NAME
    if damage == "deleted":
        index.unlink()
    else:
        index.write_bytes(index.read_bytes()[:50] if damage == "truncated" else b"something else")
    assert refresh_index(folder) == before
    assert index.read_bytes().startswith(b"{") and not list(folder.glob(".*"))


def test_only_what_changed_is_opened(folder, extract, monkeypatch):
    """Another layer comes, a shard goes, a cell goes."""
    refresh_index(folder)
    scanned: list[str] = []
    real = cache_index._scan
    monkeypatch.setattr(cache_index, "_scan", lambda cell, stamp: (scanned.append(cell.name), real(cell, stamp))[1])
    untouched = (folder / NAME).stat().st_mtime_ns
    refresh_index(folder)
    assert scanned == [] and (folder / NAME).stat().st_mtime_ns == untouched
    extract(layers=[1], timesteps=[50])
    assert len(set(scanned)) == 1
    settle(folder)
    refresh_index(folder)
    scanned.clear()
    victim = list_cells(folder)[0]
    victim.shards[0].unlink()
    assert indexed_cells(folder) == list_cells(folder) and scanned == [victim.folder.name]
    remove_cells([victim])
    assert indexed_cells(folder) == list_cells(folder)


def test_hashes_in_the_index_are_those_that_are_verified(folder):
    cell = list_cells(folder)[0]
    stop = min(4, 10)
    open_shard(cell.shards[0], {"cell": cell.key.digest, "start": 0, "stop": stop})
    with pytest.raises(ValueError, match="cache_dir must be an existing folder"):
        refresh_index(folder / "none")
