# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""ProbeWorld as a Hugging Face streaming data set."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import datasets
import torch

from .scene import SLOTS
from .vocabulary import TASK_NAMES
from .world import ProbeWorld

_GROUP = 16  # clips that are rendered together


def features(world: ProbeWorld) -> datasets.Features:
    """Types of every column."""
    config = world.config
    frames, side = config.num_frames, config.resolution
    return datasets.Features(
        {
            "id": datasets.Value("string"),
            "video": datasets.Array4D((frames, side, side, 3), "uint8"),
            **{task: datasets.ClassLabel(names=list(names)) for task, names in TASK_NAMES.items()},
            "depth": datasets.Array3D((frames, side, side), "float32"),
            "pose": datasets.Array3D((frames, 3, 4), "float32"),
            "intrinsics": datasets.Array2D((3, 3), "float32"),
            "tracks": datasets.Array3D((config.num_tracks, frames, 2), "float32"),
            "visible": datasets.Array2D((config.num_tracks, frames), "bool"),
            "boxes": datasets.Array3D((SLOTS, frames, 4), "float32"),
            "present": datasets.Array2D((SLOTS, frames), "bool"),
            "instance": datasets.Array3D((frames, side, side), "uint8"),
        }
    )


def _rows(world: ProbeWorld, shards: list[tuple[int, int]]) -> Iterator[dict[str, Any]]:
    for start, stop in shards:
        for sample in world.samples(range(start, stop), _GROUP):
            yield {k: v.numpy() if isinstance(v, torch.Tensor) else v for k, v in sample.items()}


def default_shards(size: int) -> int:
    """The largest power of two that leaves at least 16 clips to a shard, at least 1.

    A stream resumes by drawing its shard's earlier clips again, so shards are short; a power of two divides evenly
    among processes, without which `split_dataset_by_node` draws every clip in every process.
    """
    return 1 << max(size // _GROUP, 1).bit_length() - 1


def to_iterable_dataset(world: ProbeWorld, num_shards: int | None = None) -> datasets.IterableDataset:
    """Contiguous shards, so that processes and workers split the world without overlap and a stream can be resumed.

    The order is the world's; `state_dict()` and `load_state_dict()` resume at the very sample. `num_shards` should be a
    multiple of processes times workers.

    Args:
        num_shards: None means `default_shards`.

    Raises:
        ValueError: num_shards is not in [1, len(world)].
    """
    num_shards = default_shards(len(world)) if num_shards is None else num_shards
    if not 1 <= num_shards <= len(world):
        raise ValueError(f"num_shards must lie in [1, {len(world)}], got {num_shards}")
    edges = [len(world) * shard // num_shards for shard in range(num_shards + 1)]
    shards = list(itertools.pairwise(edges))
    return datasets.IterableDataset.from_generator(
        _rows, features=features(world), gen_kwargs={"world": world, "shards": shards}
    )
