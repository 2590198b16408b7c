# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Order, resumption and processes: exact, as the same stream read without interruption."""

import contextlib
import itertools
import json
import tarfile

import published_layouts as layouts
import pytest
import torch

from hf_vdrep.data import open_stream
from hf_vdrep.data.sample import stack_samples
from hf_vdrep.data.streams import SkipLimit, TooManyCorrupt


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    """Sixty tiny pictures in three class folders, one of them damaged."""
    root = tmp_path_factory.mktemp("pictures")
    for index in range(60):
        path = root / "train" / f"class{index % 3}" / f"{index:03d}.png"
        layouts.save_picture(path, layouts.picture(index % 3, index, (16, 16)))
    (root / "train/class0/030.png").write_bytes(b"\x89PNG\r\n\x1a\n damaged")
    return root


def opened(root, **options):
    arguments = {"split": "train", "resolution": 8, "shuffle": True, "window": 16, "num_shards": 8, **options}
    return open_stream("image-folder", root, **arguments)


def names(samples):
    return [sample["id"] for sample in samples]


def test_the_same_words_give_the_same_order_and_another_seed_or_epoch_another(pictures):
    first = names(opened(pictures))
    assert first == names(opened(pictures)) and len(first) == len(set(first)) == 59
    assert sorted(first) == sorted(names(opened(pictures, epoch=1))) == sorted(names(opened(pictures, seed=1)))
    assert first != names(opened(pictures, epoch=1)) and first != names(opened(pictures, seed=1))


def test_windows_are_permuted_anew_in_every_epoch(pictures):
    """One shard: only the permutation within windows is left to change."""
    orders = [names(opened(pictures, num_shards=1, epoch=epoch)) for epoch in range(2)]
    assert orders[0] != orders[1] and sorted(orders[0]) == sorted(orders[1])


def test_without_shuffling_the_order_is_that_of_the_files_in_every_epoch(pictures):
    stream = opened(pictures, shuffle=False)
    first = names(stream)
    assert first == sorted(first)
    stream.set_epoch(3)
    assert names(stream) == first


def test_shuffled_samples_are_mixed_over_classes(pictures):
    """Folders list one class after the other; a window of neighbours must not be one class."""
    labels = [sample["object"] for sample in opened(pictures, window=4)]
    runs = 1 + sum(a != b for a, b in itertools.pairwise(labels))
    assert runs > 25  # 40 are expected of a random order, 3 of the folders'


@pytest.mark.parametrize("taken", [0, 1, 7, 16, 17, 40, 58, 59])
@pytest.mark.parametrize("world_size", [1, 2])
def test_a_resumed_stream_gives_exactly_the_rest(pictures, taken, world_size):
    """The state passes through JSON; pixels, random crops and counts go on as if nothing had happened."""
    options = {"crop": "random", "flip": True, "rank": world_size - 1, "world_size": world_size}
    straight = opened(pictures, **options)
    whole = list(straight)
    taken = min(taken, len(whole))
    stream = opened(pictures, **options)
    iterator = iter(stream)
    for _ in range(taken):
        next(iterator)
    state = json.loads(json.dumps(stream.state_dict()))
    resumed = opened(pictures, **options)
    resumed.load_state_dict(state)
    rest = list(resumed)
    assert names(rest) == names(whole[taken:])
    for sample, expected in zip(rest, whole[taken:], strict=True):
        assert torch.equal(sample["image"], expected["image"])
    assert resumed.report == straight.report


def test_a_state_can_be_taken_again_before_the_resumed_stream_is_read(pictures):
    stream = opened(pictures)
    iterator = iter(stream)
    for _ in range(5):
        next(iterator)
    once = opened(pictures)
    once.load_state_dict(stream.state_dict())
    twice = opened(pictures)
    twice.load_state_dict(once.state_dict())
    assert names(twice) == names(opened(pictures))[5:]


@pytest.mark.parametrize("world_size", [2, 3, 8])
def test_processes_share_the_samples_without_overlap_or_loss(pictures, world_size):
    """Also where the shards (8) do not divide among the processes (3)."""
    parts = [names(opened(pictures, rank=rank, world_size=world_size)) for rank in range(world_size)]
    together = [name for part in parts for name in part]
    assert sorted(together) == sorted(names(opened(pictures))) and len(set(together)) == 59
    assert max(map(len, parts)) - min(map(len, parts)) <= 9


@pytest.mark.parametrize("world_size", [2, 9])
@pytest.mark.parametrize("kind", ["image-folder", "webdataset"])
def test_a_process_decodes_its_own_samples_only(pictures, tmp_path, kind, world_size):
    """Also where nine processes share one tar file, or 60 records; the counts of all processes add up."""
    root = pictures
    if kind == "webdataset":
        root = tmp_path
        with tarfile.open(root / "train-0.tar", "w") as tar:
            for path in sorted((pictures / "train").rglob("*.png")):
                tar.add(path, path.name)
    reports = []
    for rank in range(world_size):
        stream = open_stream(kind, root, split="train", resolution=8, shuffle=True, rank=rank, world_size=world_size,
                             limit=SkipLimit(share=None))  # fmt: skip
        with contextlib.suppress(TooManyCorrupt):  # a process with nothing but the damaged one
            assert len(list(stream)) == stream.report.given
        reports.append(stream.report)
    assert sum(report.read for report in reports) == 60 and sum(report.given for report in reports) == 59


def test_workers_share_the_samples_without_overlap_or_loss(pictures):
    loader = torch.utils.data.DataLoader(opened(pictures), batch_size=None, num_workers=2)
    assert sorted(names(loader)) == sorted(names(opened(pictures)))


def test_batches_are_made_by_a_plain_loader(pictures):
    loader = torch.utils.data.DataLoader(opened(pictures), batch_size=8, collate_fn=stack_samples)
    batches = list(loader)
    assert [len(batch["id"]) for batch in batches] == [8] * 7 + [3]
    assert tuple(batches[0]["image"].shape) == (8, 8, 8, 3) and batches[0]["object"].dtype == torch.int64


def test_crops_depend_on_the_sample_not_on_its_place(pictures):
    """The same picture gets the same crop, whatever process reads it and in whatever order."""
    options = {"crop": "random"}
    whole = {sample["id"]: sample["image"] for sample in opened(pictures, **options)}
    for rank in range(2):
        for sample in opened(pictures, rank=rank, world_size=2, window=3, **options):
            assert torch.equal(sample["image"], whole[sample["id"]])
    other = {sample["id"]: sample["image"] for sample in opened(pictures, epoch=1, **options)}
    assert sum(torch.equal(other[name], whole[name]) for name in whole) < 30


def test_repeating_goes_through_new_epochs_and_resumes_in_the_middle_of_one(pictures):
    stream = opened(pictures, repeat=True)
    iterator = iter(stream)
    seen = [next(iterator)["id"] for _ in range(130)]
    assert seen[:59] == names(opened(pictures)) and seen[59:118] == names(opened(pictures, epoch=1))
    state = stream.state_dict()
    assert state["epoch"] == 2
    resumed = opened(pictures, repeat=True)
    resumed.load_state_dict(state)
    following = iter(resumed)
    assert [next(following)["id"] for _ in range(60)] == [next(iterator)["id"] for _ in range(60)]


def test_iterating_twice_begins_anew(pictures):
    stream = opened(pictures)
    assert names(stream) == names(stream)


def test_a_rank_out_of_range_is_refused(pictures):
    with pytest.raises(ValueError, match=r"rank must lie in \[0, 1\], got 2"):
        opened(pictures, rank=2, world_size=2)
