# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""The records of a split: one compact row per sample, read at random."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

HELD_OUT = 0.05
_BLOCK = 10_000


class RecordIndex:
    """Rows of an Arrow table, so that a million records take tens of megabytes.

    Args:
        table: with a column `id` of unique strings.
    """

    def __init__(self, table: pa.Table) -> None:
        self.table = table

    @classmethod
    def from_rows(cls, rows: Iterable[Mapping[str, Any]]) -> RecordIndex:
        """From mappings with the same keys and types."""
        source = iter(rows)
        blocks = []
        while block := [dict(row) for row in itertools.islice(source, _BLOCK)]:
            blocks.append(pa.Table.from_pylist(block))
        return cls(pa.concat_tables(blocks).combine_chunks() if blocks else pa.table({"id": pa.array([], pa.string())}))

    def __len__(self) -> int:
        return self.table.num_rows

    def __getitem__(self, place: int) -> dict[str, Any]:
        return {name: self.table.column(name)[place].as_py() for name in self.table.column_names}

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return (self[place] for place in range(len(self)))

    def take(self, places: np.ndarray | Sequence[int]) -> RecordIndex:
        """Some rows, in the order given."""
        return RecordIndex(self.table.take(pa.array(np.asarray(places, dtype=np.int64))).combine_chunks())

    def mixed(self, seed: int) -> RecordIndex:
        """The same rows in an order that depends on the seed alone, so that no shard holds one class."""
        return self.take(np.random.default_rng(seed).permutation(len(self)))

    def part(self, name: str) -> RecordIndex:
        """The "fit" part or the held-out "select" part (5 %), by a hash: the same on every machine.

        Records of one `group` (a recording, a scene), where a reader names it, stay together; else the id decides.

        Raises:
            ValueError: another name.
        """
        if name not in ("fit", "select"):
            raise ValueError(f"split must end in '/fit' or '/select', got '/{name}'")
        keys = self.table.column("group" if "group" in self.table.column_names else "id").to_pylist()
        held = np.array([_share(str(key)) < HELD_OUT for key in keys], bool)
        return self.take(np.flatnonzero(held if name == "select" else ~held))

    def shards(self, count: int) -> list[tuple[int, int]]:
        """Contiguous (start, stop), as even as can be, at most `count` of them and none empty."""
        count = max(1, min(count, len(self)))
        edges = [len(self) * shard // count for shard in range(count + 1)]
        return list(itertools.pairwise(edges))


def _share(identifier: str) -> float:
    return int.from_bytes(hashlib.blake2b(identifier.encode(), digest_size=8).digest(), "big") / 2**64
