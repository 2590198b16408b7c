# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""A quota is kept, and said before the work."""

import errno

import pytest
from tiny_extraction import shard_bytes

from hf_vdrep.features.quota import bytes_in

ROOM = 1 << 20


def refused(extract, quota, **choices):
    with pytest.raises(OSError, match=r"quota must leave room for the features: .* GB lie in cache_dir") as caught:
        extract(quota=quota, **choices)
    assert caught.value.errno == errno.EDQUOT


def test_a_quota_that_is_too_small_is_said_before_anything_is_extracted(extract, backbone, clips, tmp_path):
    """One sample is read, to know the sizes."""
    refused(extract, 2_000)
    assert len(clips.read) == 1
    assert not shard_bytes(tmp_path / "cache")


@pytest.mark.parametrize("choices", [{}, {"dtype": "int8", "layers": [0, 1, 2]}, {"pool": 2}, {"keep_latents": False}])
def test_what_a_quota_admits_stays_below_it(extract, tmp_path, choices):
    """The smallest quota that is taken is what the cache then holds, but for the allowance of a header per shard."""
    extract(cache_dir=tmp_path / "free", **choices)
    held, shards = bytes_in(tmp_path / "free"), len(shard_bytes(tmp_path / "free"))
    refused(extract, held - 1, **choices)
    extract(quota=held + 4096 * shards, **choices)
    assert bytes_in(tmp_path / "cache") == held


def test_what_lies_there_counts_and_stays(extract, tmp_path):
    first = extract(quota=ROOM)[1, 200][:]
    held, before = bytes_in(tmp_path / "cache"), shard_bytes(tmp_path / "cache")
    refused(extract, held + 100, layers=[2])
    assert shard_bytes(tmp_path / "cache") == before
    assert extract(quota=held + 100)[1, 200][:].equal(first)  # nothing is to come
    assert extract(quota=0)[1, 200][:].equal(first)
    refused(extract, 0, layers=[2])
    extract(layers=[2], quota=ROOM)


def test_another_file_in_the_folder_counts(extract, tmp_path):
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / "notes").write_bytes(bytes(ROOM))
    refused(extract, ROOM + 100)


def test_a_quota_below_zero_is_named(extract):
    with pytest.raises(ValueError, match="quota must be at least 0 bytes, got -1"):
        extract(quota=-1)
