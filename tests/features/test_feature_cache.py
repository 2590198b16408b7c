# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""The cache gives back what was extracted, or extracts it again; never anything else."""

import errno
import shutil
import threading
import warnings
from collections import namedtuple

import pytest
import torch
from safetensors import safe_open

from hf_vdrep.features import cache_layout, extraction_run, shard_file
from hf_vdrep.features.storage_dtype import decode, encode


def shards(folder):
    """Shards of features (16 channels), not of latents (4)."""
    found = []
    for path in sorted(folder.rglob("shard-*.safetensors")):
        with safe_open(path, framework="np") as file:
            if file.get_slice("values").get_shape()[-1] == 16:
                found.append(path)
    return found


def contents(folder):
    """All but the index, which holds times of day."""
    files = [path for path in folder.rglob("*") if path.is_file() and path.name != "index.json"]
    return {path.relative_to(folder): path.read_bytes() for path in files}


def test_a_second_call_reads_no_videos(extract, clips):
    first = extract()[1, 200][:]
    assert sorted(clips.read) == list(range(10))
    clips.read.clear()
    assert torch.equal(extract()[1, 200][:], first)
    assert clips.read == []


def test_another_layer_or_level_reads_no_videos(extract, clips, backbone, monkeypatch):
    """The tokenizer runs once per sample, over all calls."""
    extract()
    clips.read.clear()
    monkeypatch.setattr(backbone.vae, "encode", None)
    extract(layers=[0, 1], timesteps=[100, 200])
    assert clips.read == []


def test_one_forward_per_level_serves_all_layers(extract, backbone):
    calls = []
    handle = backbone.transformer.blocks[0].register_forward_hook(lambda *args: calls.append(1))
    extract(layers=[0, 1, 2], timesteps=[0, 200], batch_size=4)
    handle.remove()
    assert len(calls) == 2 * 3  # levels x batches


def test_shards_are_plain_safetensors(extract, tmp_path):
    features = extract()[1, 200][:]
    rows = []
    for path in shards(tmp_path / "cache"):
        with safe_open(path, framework="pt") as file:
            rows.append(file.get_tensor("values"))
    assert [len(part) for part in rows] == [4, 4, 2]
    assert torch.equal(torch.cat(rows), features)


@pytest.mark.parametrize("damage", ["deleted", "truncated", "empty", "flipped", "header", "swapped"])
def test_a_damaged_shard_alone_is_extracted_again(extract, clips, backbone, tmp_path, damage):
    extract()
    before = contents(tmp_path / "cache")
    victim, other = shards(tmp_path / "cache")[1], shards(tmp_path / "cache")[0]
    content = bytearray(victim.read_bytes())
    if damage == "deleted":
        victim.unlink()
    elif damage == "swapped":
        shutil.copy(other, victim)
    else:
        content[-5 if damage == "flipped" else 40] ^= 4
        cut = {"truncated": len(content) - 64, "empty": 0}.get(damage, len(content))
        victim.write_bytes(content[:cut])
    batches = []
    handle = backbone.transformer.blocks[0].register_forward_hook(lambda m, i, output: batches.append(len(output)))
    if damage == "deleted":
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            extract()
    else:
        with pytest.warns(UserWarning, match="a damaged shard is extracted again: shard must") as told:
            extract()
        assert len(told) == 1
    handle.remove()
    assert batches == [3, 1]
    assert contents(tmp_path / "cache") == before


@pytest.mark.parametrize("dtype", ["float16", "int8"])
def test_every_flipped_bit_of_the_header_is_noticed(tmp_path, dtype):
    writer = shard_file.ShardWriter(tmp_path / "s.safetensors", (2, 3), dtype, {"cell": "x"}, {"stride": 8})
    writer.append(encode(torch.arange(6.0).reshape(2, 3), dtype))
    writer.commit()
    content = (tmp_path / "s.safetensors").read_bytes()
    rows, facts = shard_file.open_shard(tmp_path / "s.safetensors", {"cell": "x"})
    for position in range(len(content)):
        damaged = bytearray(content)
        damaged[position] ^= 1
        (tmp_path / "d.safetensors").write_bytes(damaged)
        try:
            got = shard_file.open_shard(tmp_path / "d.safetensors", {"cell": "x"})
        except shard_file.ShardError:
            continue
        assert got[1] == facts and torch.equal(decode(got[0]), decode(rows)), position


def test_an_interrupted_run_goes_on_to_the_same_bytes(extract, clips, tmp_path):
    extract(cache_dir=tmp_path / "whole")
    clips.read.clear()

    def stop_at_seven(positions):
        if 7 in positions:
            raise KeyboardInterrupt
        return clips(positions)

    with pytest.raises(KeyboardInterrupt):
        _with_videos(extract, stop_at_seven)
    assert not list((tmp_path / "cache").rglob("*.tmp"))
    clips.read.clear()
    extract()
    assert sorted(clips.read) == list(range(4, 10))
    assert contents(tmp_path / "cache") == contents(tmp_path / "whole")


def _with_videos(extract, videos):
    backbone, _, ids = extract.args
    return extract.func(backbone, videos, ids, **extract.keywords)


@pytest.mark.parametrize(
    "other",
    [
        {"seed": 1},
        {"layers": [2]},
        {"timesteps": [201]},
        {"data_fingerprint": "other clips"},
        {"dtype": "float16"},
        {"autocast_dtype": "bfloat16"},
        {"pool": 2},
    ],
)
def test_every_choice_has_its_own_cells(extract, tmp_path, other):
    extract()
    before = set(shards(tmp_path / "cache"))
    extract(**other)
    added = set(shards(tmp_path / "cache")) - before
    assert len(added) == 3
    assert not {path.parent for path in added} & {path.parent for path in before}


def test_two_extractions_at_once_leave_one_sound_cache(extract, tmp_path):
    alone = extract(cache_dir=tmp_path / "alone")[1, 200][:]
    results, errors = [], []

    def work():
        try:
            results.append(extract()[1, 200][:])
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors
    assert all(torch.equal(result, alone) for result in results)
    assert contents(tmp_path / "cache") == contents(tmp_path / "alone")


def test_a_disk_that_is_too_small_is_named_before_it_is_full(extract, tmp_path, monkeypatch):
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(extraction_run.shutil, "disk_usage", lambda path: usage(10, 0, 10))
    with pytest.raises(OSError, match=r"needs 1.28e-06 GB, 1e-08 GB are free") as caught:
        extract()
    assert caught.value.errno == errno.ENOSPC
    assert not list((tmp_path / "cache").rglob("*shard*"))


def test_a_disk_that_fills_up_keeps_complete_shards(extract, clips, tmp_path, monkeypatch):
    extract(cache_dir=tmp_path / "whole")
    append = shard_file.ShardWriter.append

    def full(self, rows):
        if "shard-00002" in str(self.path):
            raise OSError(errno.ENOSPC, "No space left on device")
        append(self, rows)

    with monkeypatch.context() as patch:
        patch.setattr(shard_file.ShardWriter, "append", full)
        with pytest.raises(OSError, match=r"cache_dir must take the features.*No space left.*goes on"):
            extract()
    assert not list((tmp_path / "cache").rglob("*.tmp"))
    clips.read.clear()
    extract()
    assert sorted(clips.read) == [8, 9]
    assert contents(tmp_path / "cache") == contents(tmp_path / "whole")


def test_a_disk_without_room_for_the_statistics_keeps_the_features(extract, tmp_path, monkeypatch):
    extract()
    before = contents(tmp_path / "cache")

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(shard_file.ShardWriter, "append", full)
    with pytest.raises(OSError, match=r"cache_dir must take the features.*No space left.*goes on"):
        extract(statistics=True)
    assert contents(tmp_path / "cache") == before and not list((tmp_path / "cache").rglob("*.tmp"))


def test_a_disk_without_room_for_a_note_is_full_and_nothing_is_left(extract, tmp_path, monkeypatch):
    """Not a mistake of the user's, so not a FileNotFoundError or its like: the command ends with 1."""

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(cache_layout.os, "replace", full)
    with pytest.raises(OSError, match=r"cache_dir must be a writable folder, .* \(No space left on device\)") as caught:
        extract()
    assert caught.value.errno == errno.ENOSPC and not list((tmp_path / "cache").rglob("*.tmp"))


def test_a_cache_that_cannot_be_made_is_named(extract, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match="cache_dir must be a writable folder"):
        extract(cache_dir=tmp_path / "file" / "cache")


def test_a_video_that_cannot_be_read_is_not_blamed_on_the_cache(extract):
    def broken(positions):
        raise FileNotFoundError("clip.mp4")

    with pytest.raises(FileNotFoundError, match=r"^clip.mp4$"):
        _with_videos(extract, broken)
