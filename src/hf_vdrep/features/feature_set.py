# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Extracted features, read back in any order."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from ..backbones.feature_map import FeatureMap
from .storage_dtype import StoredRows, decode


@dataclass(frozen=True)
class FeatureArray:
    """Features of all samples at one layer and noise level, mapped from disk.

    Args:
        shards: (n, T', H', W', C) each, as stored; all but the last of equal length.
        layer: block index.
        timestep: noise level, or None.
        frame_spans: int64 (T', 2), input frames that each step covers.
        stride: pixels per cell.
        site: where in the block the features were taken.
    """

    shards: Sequence[StoredRows]
    layer: int
    timestep: int | None
    frame_spans: torch.Tensor
    stride: int
    site: str

    def __len__(self) -> int:
        return sum(len(shard) for shard in self.shards)

    @property
    def shape(self) -> tuple[int, ...]:
        """(N, T', H', W', C)."""
        return (len(self), *self.shards[0].shape[1:])

    def __getitem__(self, indices: int | slice | Sequence[int] | np.ndarray | torch.Tensor) -> torch.Tensor:
        """float32 (n, T', H', W', C) in the order asked for; an int gives (T', H', W', C).

        Raises:
            IndexError: beyond the samples.
        """
        total = len(self)
        if isinstance(indices, slice):
            indices = range(total)[indices]
        wanted = np.asarray(indices, dtype=np.int64)
        if wanted.size and not (-total <= wanted.min() and wanted.max() < total):
            raise IndexError(f"index must lie in [{-total}, {total - 1}], got {wanted.tolist()}")
        rows = decode(self._gather(np.atleast_1d(wanted) % total))
        return rows[0] if wanted.ndim == 0 else rows

    def feature_map(self, indices: Sequence[int] | range | slice | np.ndarray | torch.Tensor) -> FeatureMap:
        """The samples `indices` as a batch."""
        return FeatureMap(self[indices], self.layer, self.timestep, self.frame_spans, self.stride, self.site)

    def _gather(self, wanted: np.ndarray) -> StoredRows:
        first = self.shards[0]
        rows = np.empty((len(wanted), *first.shape[1:]), dtype=first.values.dtype)
        scales = None if first.scales is None else np.empty((len(wanted), first.shape[-1]), dtype=np.float32)
        for position, index in enumerate(wanted.tolist()):
            shard, row = self.shards[index // len(first)], index % len(first)
            rows[position] = shard.values[row]
            if scales is not None and shard.scales is not None:
                scales[position] = shard.scales[row]
        return StoredRows(rows, first.dtype, scales)


@dataclass(frozen=True)
class FeatureSet:
    """All layers and noise levels of one extraction.

    `features[layer, timestep]` is a `FeatureArray`; the layer as resolved, an index from 0.
    """

    sample_ids: Sequence[str]
    arrays: Mapping[tuple[int, int | None], FeatureArray]

    def __len__(self) -> int:
        return len(self.sample_ids)

    def __getitem__(self, cell: tuple[int, int | None]) -> FeatureArray:
        if cell not in self.arrays:
            raise KeyError(f"cell must be one of {sorted(self.arrays, key=str)}, got {cell}")
        return self.arrays[cell]

    @property
    def cells(self) -> list[tuple[int, int | None]]:
        """(layer, timestep) pairs, timestep-major."""
        return list(self.arrays)
