# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""The shards of one (layer, noise level) on disk."""

import math
import time
import warnings
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from ..backbones.feature_map import FeatureMap
from .cache_layout import CellKey
from .feature_set import FeatureArray
from .shard_file import ShardError, ShardWriter, open_shard
from .storage_dtype import StoredRows

Shard = tuple[StoredRows, dict[str, Any]]

# A writer that has not come further for so long is taken for dead.
PATIENCE_S = 60.0


@dataclass(frozen=True)
class Cell:
    """One (layer, noise level) over all samples.

    Args:
        key: what it holds.
        folder: where.
        num_samples: samples in all its shards.
    """

    key: CellKey
    folder: Path
    num_samples: int
    _opened: dict[int, Shard] = field(default_factory=dict, compare=False)
    _reported: set[int] = field(default_factory=set, compare=False)

    @property
    def num_shards(self) -> int:
        return math.ceil(self.num_samples / self.key.shard_size)

    def rows(self, shard: int) -> range:
        """Positions of the samples in a shard."""
        start = shard * self.key.shard_size
        return range(start, min(start + self.key.shard_size, self.num_samples))

    def is_complete(self, shard: int) -> bool:
        """Whether the shard is there and sound; a damaged one is reported, once."""
        if shard not in self._opened and not self._path(shard).exists():
            return False
        try:
            self.open(shard)
        except ShardError as error:
            if shard not in self._reported:
                self._reported.add(shard)
                warnings.warn(f"a damaged shard is extracted again: {error}", stacklevel=2)
            return False
        return True

    def is_being_written(self, shard: int) -> bool:
        """Whether a process is at work on the shard, by its temporary file."""
        for temporary in self.folder.glob(f".{self._path(shard).name}.*.tmp"):
            with suppress(FileNotFoundError):  # finished meanwhile
                if time.time() - temporary.stat().st_mtime < PATIENCE_S:
                    return True
        return False

    def writer(self, shard: int, example: FeatureMap) -> ShardWriter:
        """A writer of rows shaped like `example`."""
        facts = {"frame_spans": example.frame_spans.tolist(), "stride": example.stride, "site": example.site}
        shape = (len(self.rows(shard)), *example.values.shape[1:])
        return ShardWriter(self._path(shard), shape, self.key.dtype, self.description(shard), facts)

    def array(self, statistics: Sequence[StoredRows] | None = None) -> FeatureArray:
        """All samples, every shard verified; with the `statistics` of its tokens where they are given.

        Raises:
            ShardError: a shard is missing or damaged.
        """
        opened = [self.open(shard) for shard in range(self.num_shards)]
        facts = opened[0][1]
        if any(other != facts for _, other in opened):
            raise ShardError(f"shards must agree on their grid: {self.folder}")
        spans = torch.tensor(facts["frame_spans"], dtype=torch.int64)
        shards: Sequence[StoredRows] = [rows for rows, _ in opened]
        return FeatureArray(
            shards, self.key.layer, self.key.timestep, spans, facts["stride"], facts["site"], statistics
        )

    def open(self, shard: int) -> Shard:
        """A shard's rows and facts, verified the first time.

        Raises:
            ShardError: it is missing or damaged.
        """
        if shard not in self._opened:
            self._opened[shard] = open_shard(self._path(shard), self.description(shard))
        return self._opened[shard]

    def description(self, shard: int, *, kind: str | None = None) -> dict[str, Any]:
        """What a file of this shard says that it holds; `kind` where that is not the features."""
        rows = self.rows(shard)
        found = {"cell": self.key.digest, "start": rows.start, "stop": rows.stop}
        return found if kind is None else {**found, "kind": kind}

    def statistics_path(self, shard: int) -> Path:
        """Where the statistics of the shard's tokens lie."""
        return self.folder / f"statistics-{shard:05d}.safetensors"

    def _path(self, shard: int) -> Path:
        return self.folder / f"shard-{shard:05d}.safetensors"
