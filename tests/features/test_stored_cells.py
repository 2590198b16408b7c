# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Looking into a cache: what lies there, what is damaged, what may go."""

import os
import time

import pytest

from hf_vdrep.features.estimate import estimate
from hf_vdrep.features.stored_cells import list_cells, remove_cells, select_to_prune, shard_rows


@pytest.fixture
def cells(extract, tmp_path):
    """Six cells and the latents that feed them, in shards of four samples."""
    made = extract(layers=[0, 2, 3], timesteps=[0, 50], shard_size=4)
    folder = next(path for path in tmp_path.rglob("cell.json")).parent.parent
    return folder, made


def test_every_cell_is_listed_with_its_true_size(cells):
    folder, made = cells
    listed = list_cells(folder)
    denoiser = [cell for cell in listed if cell.backbone_name == "v-walt"]
    assert [(cell.key.layer, cell.key.timestep) for cell in denoiser] == sorted(made.cells)
    assert len(listed) == len(denoiser) + 1  # the latents
    for cell in listed:
        assert cell.num_bytes == sum(path.stat().st_size for path in cell.folder.glob("shard-*"))
        assert sum(map(shard_rows, cell.shards)) == len(made)


def test_a_sound_cache_verifies_and_one_changed_bit_does_not(cells):
    folder, _ = cells
    listed = list_cells(folder)
    assert all(fault is None for cell in listed for _, fault in cell.verify())
    victim = listed[1].shards[1]
    content = bytearray(victim.read_bytes())
    content[-3] ^= 1
    victim.write_bytes(content)
    faults = [(path, fault) for cell in listed for path, fault in cell.verify() if fault]
    assert [path for path, _ in faults] == [victim]
    assert "must match its hash" in faults[0][1]


def test_a_shard_cut_short_is_a_fault_and_no_crash(cells):
    folder, _ = cells
    for length in (0, 5, 40):
        victim = list_cells(folder)[0].shards[0]
        victim.write_bytes(victim.read_bytes()[:length])
        assert any(fault for cell in list_cells(folder) for _, fault in cell.verify())


def test_pruning_keeps_the_newest_that_fit(cells):
    folder, _ = cells
    listed = list_cells(folder)
    for age, cell in enumerate(listed):
        for shard in cell.shards:
            os.utime(shard, (time.time() - 86_400 * age, time.time() - 86_400 * age))
    listed = list_cells(folder)
    newest = sorted(listed, key=lambda cell: cell.used, reverse=True)
    kept = newest[:2]
    removed = select_to_prune(listed, keep_bytes=sum(cell.num_bytes for cell in kept))
    assert {cell.folder for cell in removed} == {cell.folder for cell in newest[2:]}
    old = select_to_prune(listed, older_than_days=3.5)
    assert {cell.folder for cell in old} == {cell.folder for cell in newest[4:]}
    assert not select_to_prune(listed, backbone="nobody")
    assert remove_cells(removed) == sum(cell.num_bytes for cell in removed)
    assert {cell.folder for cell in list_cells(folder)} == {cell.folder for cell in kept}
    assert not list(folder.glob(".*"))


def test_a_prune_that_was_killed_is_finished_by_the_next(cells, extract):
    """Its folder lay aside, half deleted; the cell has been extracted again since."""
    folder, _ = cells
    victim = list_cells(folder)[0]
    half = victim.folder.with_name(f".{victim.folder.name}.removed")
    victim.folder.rename(half)
    extract(layers=[0, 2, 3], timesteps=[0, 50], shard_size=4)
    remove_cells([cell for cell in list_cells(folder) if cell.folder == victim.folder])
    assert not list(folder.glob(".*")) and len(list_cells(folder)) == 6


def test_what_was_pruned_is_extracted_again_and_equal(cells, extract):
    folder, made = cells
    before = {cell: made[cell][:].clone() for cell in made.cells}
    remove_cells(list_cells(folder))
    again = extract(layers=[0, 2, 3], timesteps=[0, 50], shard_size=4)
    assert all(again[cell][:].equal(before[cell]) for cell in made.cells)


def test_the_estimate_is_what_the_extraction_takes(backbone, clips, cells):
    _, made = cells
    cells_wanted = {"layers": [0, 2, 3], "timesteps": [0, 50], "dtype": "float32"}
    planned = estimate(backbone, clips.pixels[:1], len(clips.ids), **cells_wanted)
    assert [(cell.layer, cell.timestep) for cell in planned] == made.cells
    for cell in planned:
        array = made[cell.layer, cell.timestep]
        assert array.shape[1:] == cell.shape
        assert cell.num_bytes == sum(shard.nbytes for shard in array.shards)


def test_the_estimate_counts_a_cell_once_and_refuses_every_wrong_level(backbone, clips):
    planned = estimate(backbone, clips.pixels[:1], 10, layers=[-1, 3, 1.0], timesteps=[200, 0, 200])
    assert [(cell.layer, cell.timestep) for cell in planned] == [(3, 200), (3, 0)]
    with pytest.raises(ValueError, match=r"timestep must lie in \[0, 999\], got 1000"):
        estimate(backbone, clips.pixels[:1], 10, layers=[0], timesteps=[0, 1000])


def test_a_pool_that_does_not_fit_is_said_by_the_estimate(backbone, clips):
    with pytest.raises(ValueError, match=r"pool must divide the feature grid \(2, 2\), got 3"):
        estimate(backbone, clips.pixels[:1], 10, layers=[0], timesteps=[0], pool=3)


def test_a_cache_that_is_no_folder_is_said(tmp_path):
    with pytest.raises(ValueError, match="cache_dir must be an existing folder"):
        list_cells(tmp_path / "none")
