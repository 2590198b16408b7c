# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Mean and reciprocal standard deviation of every token, kept beside a cell's features.

Every readout begins with a LayerNorm over the channels of each token. A folded one only needs `x @ w` and these two
numbers: `LN(x) @ w = rstd * (x @ w - mean * sum(w))`, and never the normalised token itself. They are of the values as
they are stored, so what is read back agrees with computing them anew.
"""

import torch

from .cell import Cell
from .process_share import ProcessShare
from .shard_file import ShardError, ShardWriter, open_shard
from .storage_dtype import StoredRows, decode, encode

# As in the readouts' normalisation.
EPSILON = 1e-6
_BLOCK = 32
NUMBERS = 2


def moments(values: torch.Tensor) -> torch.Tensor:
    """(..., C) -> float32 (..., 2), mean and 1 / sqrt(variance + 1e-6) of each token."""
    variance, mean = torch.var_mean(values.float(), dim=-1, correction=0)
    return torch.stack([mean, (variance + EPSILON).rsqrt()], dim=-1)


def statistics_bytes(shape: tuple[int, ...]) -> int:
    """Bytes of the statistics of (n, T', H', W', C) features."""
    tokens = 1
    for side in shape[:-1]:
        tokens *= side
    return 4 * NUMBERS * tokens


def keep_statistics(cells: list[Cell], share: ProcessShare) -> None:
    """Write the statistics that are missing, from the stored features alone; this process's shards, then the others'.

    Raises:
        OSError: the cache cannot be written.
    """
    for cell in cells:
        own, others = share.split(range(cell.num_shards))
        for shard in (*own, *others):
            if not has_statistics(cell, shard):
                _write(cell, shard)


def has_statistics(cell: Cell, shard: int) -> bool:
    """Whether they are there and sound."""
    try:
        open_statistics(cell, shard)
    except ShardError:
        return False
    return True


def open_statistics(cell: Cell, shard: int) -> StoredRows:
    """float32 (n, T', H', W', 2) of a shard, verified.

    Raises:
        ShardError: missing or damaged.
    """
    return open_shard(cell.statistics_path(shard), cell.description(shard, kind="statistics"))[0]


def _write(cell: Cell, shard: int) -> None:
    rows = cell.open(shard)[0]
    path, description = cell.statistics_path(shard), cell.description(shard, kind="statistics")
    writer = ShardWriter(path, (*rows.shape[:-1], NUMBERS), "float32", description, {"epsilon": EPSILON})
    try:
        for start in range(0, len(rows), _BLOCK):
            part = slice(start, start + _BLOCK)
            scales = None if rows.scales is None else rows.scales[part].copy()
            values = decode(StoredRows(rows.values[part].copy(), rows.dtype, scales))
            writer.append(encode(moments(values), "float32"))
        writer.commit()
    finally:
        writer.abort()
