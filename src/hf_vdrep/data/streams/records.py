# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Records as a `datasets` stream: typed, sharded, shuffled so that it resumes exactly, split over processes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import datasets
import numpy as np
from datasets.distributed import split_dataset_by_node

from .index import RecordIndex


def indexed_records(index: RecordIndex, root: Path, media: str | None, num_shards: int) -> datasets.IterableDataset:
    """Rows of an index; `path` becomes `media`, typed `Image(decode=False)` or `Video(decode=False)`.

    Args:
        index: the records.
        root: folder of relative paths.
        media: "image", "video" or None.
        num_shards: parts that processes and workers share.
    """
    features = datasets.Features.from_arrow_schema(index.table.schema)
    if media is not None:
        features.pop("path")
        features["media"] = media_feature(video=media == "video")
    arguments = {"index": index, "root": str(root), "media": media, "shards": index.shards(num_shards)}
    return datasets.IterableDataset.from_generator(_rows, features=features, gen_kwargs=arguments)


def media_feature(*, video: bool) -> Any:
    """Type of an undecoded picture or video.

    `datasets.Video` imports torchcodec where that is installed, even to encode, and an installation without its FFmpeg
    fails there; the plain record of path and bytes, which is the same on disk, then stands in.
    """
    if not video:
        return datasets.Image(decode=False)
    try:
        datasets.Video(decode=False).encode_example({"path": None, "bytes": b""})
    except (ImportError, OSError, RuntimeError):
        return {"bytes": datasets.Value("binary"), "path": datasets.Value("string")}
    return datasets.Video(decode=False)


def _rows(index: RecordIndex, root: str, media: str | None, shards: list[tuple[int, int]]) -> Iterator[dict[str, Any]]:
    for start, stop in shards:
        for place in range(start, stop):
            record = index[place]
            if media is not None:
                record["media"] = {"path": str(Path(root) / record.pop("path")), "bytes": None}
            yield record


def arrange(
    records: datasets.IterableDataset,
    *,
    shuffle: bool,
    seed: int,
    epoch: int,
    window: int,
    rank: int,
    world_size: int,
) -> datasets.IterableDataset:
    """Shuffle and split so that the order can be resumed exactly.

    Shards are permuted per epoch (a buffer of one sample, one input shard: buffers do not resume), split over the
    processes, and windows of records permuted; decoding comes after, so that records are cheap.

    Args:
        records: undecoded.
        shuffle: whether to permute; without it the order is that of the files.
        seed: of the permutations.
        epoch: changes the order.
        window: records permuted together.
        rank: this process, in [0, world_size).
        world_size: processes.

    Raises:
        ValueError: rank or window out of range.
    """
    if not 0 <= rank < world_size:
        raise ValueError(f"rank must lie in [0, {world_size - 1}], got {rank}")
    if window < 1:
        raise ValueError(f"window must be at least 1, got {window}")
    if shuffle:
        records = records.shuffle(seed=seed, buffer_size=1, max_buffer_input_shards=1)
    if world_size > 1 and records.num_shards % world_size == 0:
        records = split_dataset_by_node(records, rank=rank, world_size=world_size)
    elif (
        world_size > 1
    ):  # `datasets` would let every process decode everything, and then throw away what is not its own
        records = records.filter(Turns(rank, world_size), with_indices=True)
    if shuffle:
        order = WindowOrder(seed, epoch)
        records = records.map(order, batched=True, batch_size=window, with_indices=True)
    return records


class Turns:
    """Takes every `world_size`-th row."""

    def __init__(self, rank: int, world_size: int) -> None:
        self.rank, self.world_size = rank, world_size

    def __call__(self, row: dict[str, Any], index: int) -> bool:
        return index % self.world_size == self.rank


class WindowOrder:
    """Permutes a batch of rows by (seed, epoch, number of its first row)."""

    def __init__(self, seed: int, epoch: int) -> None:
        self.seed, self.epoch = seed, epoch

    def __call__(self, rows: dict[str, list[Any]], indices: list[int]) -> dict[str, list[Any]]:
        order = np.random.default_rng([self.seed, self.epoch, indices[0]]).permutation(len(indices))
        return {name: [column[place] for place in order] for name, column in rows.items()}
