# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""A bound on what a cache may hold, kept before anything is written."""

import errno
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np
import torch

from ..backbones.base import Backbone
from .cache_index import NAME
from .cell import PATIENCE_S, Cell
from .estimate import estimate
from .storage_dtype import num_stored_bytes
from .token_statistics import statistics_bytes

_GB = 1e9
# A shard's header: names, hash, and the spans of its frames.
_HEADER_BYTES = 4096


def check_quota(
    parts: Sequence[tuple[Backbone, Sequence[Cell]]],
    videos: Callable[[Sequence[int]], torch.Tensor | np.ndarray],
    cache_dir: Path,
    quota: int,
    *,
    statistics: bool = False,
) -> None:
    """Refuse an extraction that would take a cache beyond its quota; one sample is computed to know the sizes.

    Args:
        parts: the backbone and its cells, then the tokenizer and its own if latents are kept.
        videos: positions -> uint8 (b, T, H, W, 3).
        cache_dir: all that lies there counts.
        quota: bytes.
        statistics: of the tokens are kept beside the features, which come first in `parts`.

    Raises:
        OSError: what lies there and what is missing are more than `quota`.
    """
    missing = _missing(parts[0][1])
    if not any(missing):
        return
    example = torch.as_tensor(videos([next(rows for rows in missing if rows)[0].start]))
    needed = sum(_needed(*part, example, statistics and not place) for place, part in enumerate(parts))
    used = bytes_in(cache_dir)
    if used + needed > quota:
        raise OSError(
            errno.EDQUOT,
            f"quota must leave room for the features: {used / _GB:.6g} GB lie in cache_dir, {needed / _GB:.6g} GB are "
            f"to come, got a quota of {quota / _GB:.6g} GB: {cache_dir}",
        )


def bytes_in(folder: Path) -> int:
    """Bytes of all files below `folder`, but for its index and for shards that are being written, which are to come."""
    total = 0
    for path in folder.rglob("*"):
        with suppress(FileNotFoundError):  # finished or removed meanwhile
            stat = path.stat()
            if (
                path.is_file()
                and path.name != NAME
                and not (path.suffix == ".tmp" and time.time() - stat.st_mtime < PATIENCE_S)
            ):
                total += stat.st_size
    return total


def _missing(cells: Sequence[Cell]) -> list[list[range]]:
    """Of each cell, the rows of its missing shards."""
    return [[cell.rows(shard) for shard in range(cell.num_shards) if not cell.is_complete(shard)] for cell in cells]


def _needed(backbone: Backbone, cells: Sequence[Cell], example: torch.Tensor, statistics: bool) -> int:
    first = cells[0].key
    layers = list(dict.fromkeys(cell.key.layer for cell in cells))
    sizes = estimate(
        backbone, example, 1, layers=layers, timesteps=[first.timestep], dtype=first.dtype, pool=first.pool
    )
    shapes = {size.layer: size.shape for size in sizes}

    def size_of(rows: int, cell: Cell) -> int:
        shape = (rows, *shapes[cell.key.layer])
        beside = statistics_bytes(shape) + _HEADER_BYTES if statistics else 0
        return num_stored_bytes(shape, cell.key.dtype) + _HEADER_BYTES + beside

    return sum(
        size_of(len(rows), cell) for cell, missing in zip(cells, _missing(cells), strict=True) for rows in missing
    )
