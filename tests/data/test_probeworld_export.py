# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""ProbeWorld written as parquet and mp4, and read back by us and by `datasets`."""

import re
import shutil

import datasets
import numpy as np
import pyarrow.parquet as pq
import pytest
import torch
import yaml

from hf_vdrep.data.probeworld import TASK_NAMES, ExportedProbeWorld, ProbeWorld, export_world
from hf_vdrep.data.probeworld.export_codec import decode_clip, encode_clip
from hf_vdrep.data.probeworld.export_reader import sample_of_row

SPLITS = {"train": 21, "test": 3}


@pytest.fixture(autouse=True)
def quick_shutdown(monkeypatch):
    """`datasets` sleeps for seconds when it closes a parquet stream."""
    monkeypatch.setattr(datasets.config, "SLEEP_TIME_ON_THREADS_SHUTDOWN", 0, raising=False)


@pytest.fixture(scope="module")
def folder(small_config, tmp_path_factory):
    """24 clips of five frames in three shards."""
    return export_world(tmp_path_factory.mktemp("export") / "set", SPLITS, small_config, shard_size=18, progress=False)


def same(found, expected):
    assert set(found) == set(expected)
    for name, value in expected.items():
        if isinstance(value, torch.Tensor):
            assert found[name].dtype == value.dtype and torch.equal(found[name], value), name
        else:
            assert found[name] == value, name


def test_the_reader_gives_the_samples_of_the_world(folder, world, samples):
    found = ExportedProbeWorld(folder, "train")
    assert len(found) == 21 and found.config == world.config
    for index in (0, 11):
        same(found[index], samples[index])
    for sample, index in zip(found.batch([20, 3, 17, 3]), (20, 3, 17, 3), strict=True):
        same(sample, world[index])
    assert torch.equal(found.render_batch([5, 19]), world.render_batch([5, 19]))
    assert [sample["id"] for sample in found] == [f"probeworld-train-{index}" for index in range(21)]


def test_the_reader_selects_the_clips_of_a_task(folder, small_config):
    found, world = ExportedProbeWorld(folder, "train"), ProbeWorld("train", 21, small_config)
    assert found.task_indices("fine") == world.task_indices("fine") != list(range(21))
    assert found.task_indices("depth", 4) == [0, 1, 2, 3]
    with pytest.raises(ValueError, match=r"size must lie in \[1, 21\]"):
        found.task_indices("object", 22)


def test_datasets_streams_the_same_samples(folder, world):
    loaded = datasets.load_dataset(str(folder), streaming=True)
    assert set(loaded) == set(SPLITS)
    features = loaded["train"].features
    assert all(features[task].names == list(names) for task, names in TASK_NAMES.items())
    assert features["video"] == datasets.Video(decode=False)
    assert features["depth"] == datasets.Array3D((5, 48, 48), "float32")
    rows = list(loaded["train"])
    assert [row["id"] for row in rows] == [f"probeworld-train-{index}" for index in range(21)]
    same(sample_of_row(rows[19]), world[19])


def test_the_cards_snippet_runs_on_the_folder(folder, capsys):
    card = (folder / "README.md").read_text(encoding="utf-8")
    meta = yaml.safe_load(card.split("---")[1])
    assert [part["split"] for part in meta["configs"][0]["data_files"]] == list(SPLITS)
    assert "| train | 21 |" in card and all(f"`{task}`" in card for task in TASK_NAMES)
    snippet = re.search(r"```python\n(.*?)```", card, re.DOTALL).group(1)
    exec(compile(snippet.replace("path/to/this/folder", str(folder)), "card", "exec"), {})
    assert capsys.readouterr().out.startswith("probeworld-train-0 ")


def test_a_stopped_export_goes_on_with_what_is_missing(folder, small_config, tmp_path, monkeypatch):
    """Stop in the second shard: the first is whole, the second is not there, nothing else is left."""
    copy, drawn = tmp_path / "set", []
    whole = ProbeWorld.batch

    def stopping(self, indices):
        drawn.append((self.split, list(indices)))
        if 18 in indices:
            raise KeyboardInterrupt
        return whole(self, indices)

    monkeypatch.setattr(ProbeWorld, "batch", stopping)
    with pytest.raises(KeyboardInterrupt):
        export_world(copy, SPLITS, small_config, shard_size=18, progress=False)
    assert [path.name for path in sorted((copy / "data").iterdir())] == ["train-00000-of-00002.parquet"]
    with pytest.raises(FileNotFoundError, match=r"00001-of-00002\.parquet is missing: the export was stopped"):
        ExportedProbeWorld(copy, "train")[20]
    monkeypatch.setattr(ProbeWorld, "batch", whole)
    export_world(copy, SPLITS, small_config, shard_size=18, progress=False)
    for path in sorted(folder.rglob("*.*")):
        if path.is_file():
            assert (copy / path.relative_to(folder)).read_bytes() == path.read_bytes()


def test_another_export_is_not_mixed_in(folder, small_config):
    with pytest.raises(ValueError, match=r"same splits, got .* with test 3 instead of 4"):
        export_world(folder, {**SPLITS, "test": 4}, small_config, shard_size=18, progress=False)
    with pytest.raises(ValueError, match=r"same shard_size"):
        export_world(folder, SPLITS, small_config, shard_size=9, progress=False)


@pytest.mark.parametrize("size", [(5, 48, 48), (1, 17, 31), (3, 64, 20)])
def test_lossless_video_gives_back_every_bit(size):
    frames = np.random.default_rng(0).integers(0, 256, (*size, 3), np.uint8)
    np.testing.assert_array_equal(decode_clip(encode_clip(frames, 8.0)), frames)


def test_lossy_video_is_smaller_and_close(world):
    frames = world.render_batch([4])[0].numpy()
    small = encode_clip(frames, 8.0, lossless=False)
    assert len(small) < 0.6 * len(encode_clip(frames, 8.0))
    assert np.abs(decode_clip(small).astype(int) - frames).mean() < 3


def test_damaged_and_short_clips_are_named(samples):
    frames = samples[0]["video"].numpy()
    data = encode_clip(frames[:3], 8.0)
    with pytest.raises(ValueError, match="video must hold 5 frames, got 3"):
        decode_clip(data, 5)
    with pytest.raises(ValueError, match="video must be a readable mp4, got 40 bytes"):
        decode_clip(data[:40])
    with pytest.raises(ValueError, match=r"frames must be uint8 \(T, H, W, 3\)"):
        encode_clip(frames[0], 8.0)
    with pytest.raises(ValueError, match="even sides"):
        encode_clip(frames[:, :47], 8.0, lossless=False)


def test_rows_with_wrong_labels_or_lengths_are_named(folder):
    row = next(iter(datasets.load_dataset(str(folder), split="test", streaming=True)))
    with pytest.raises(ValueError, match=r"scene must lie in \[0, 15\], got 16 \(probeworld-test-0\)"):
        sample_of_row({**row, "scene": 16})
    with pytest.raises(ValueError, match=r"video must hold 9 frames, got 5 \(probeworld-test-0\)"):
        sample_of_row(row, num_frames=9)


def test_missing_exports_splits_and_indices_are_named(folder, tmp_path):
    with pytest.raises(FileNotFoundError, match="must hold an exported ProbeWorld"):
        ExportedProbeWorld(tmp_path, "train")
    with pytest.raises(ValueError, match=r"split must be one of \('train', 'test'\), got 'validation'"):
        ExportedProbeWorld(folder, "validation")
    with pytest.raises(IndexError, match=r"index must lie in \[0, 2\], got 3"):
        ExportedProbeWorld(folder, "test")[3]
    with pytest.raises(ValueError, match="splits must name at least one"):
        export_world(tmp_path, {})
    with pytest.raises(ValueError, match="shard_size must be positive"):
        export_world(tmp_path, {"train": 1}, shard_size=0)


def test_shards_hold_mp4_bytes_and_no_path_elsewhere(folder):
    """`to_parquet` alone would store paths; here the folder is all there is."""
    moved = folder.parent / "moved"
    shutil.copytree(folder, moved)
    video = pq.read_table(moved / "data" / "test-00000-of-00001.parquet")["video"].to_pylist()
    assert all(clip["bytes"][4:8] == b"ftyp" and "/" not in clip["path"] for clip in video)
