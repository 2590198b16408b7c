# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Extracted features, read back in any order."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from ..backbones.feature_map import FeatureMap
from .storage_dtype import StoredRows, decode

Indices = int | slice | Sequence[int] | np.ndarray | torch.Tensor


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
        statistics: float32 (n, T', H', W', 2) for each shard, mean and 1 / standard deviation of every token; None
            where they were not kept.
    """

    shards: Sequence[StoredRows]
    layer: int
    timestep: int | None
    frame_spans: torch.Tensor
    stride: int
    site: str
    statistics: Sequence[StoredRows] | None = None

    def __len__(self) -> int:
        return sum(len(shard) for shard in self.shards)

    @property
    def shape(self) -> tuple[int, ...]:
        """(N, T', H', W', C)."""
        return (len(self), *self.shards[0].shape[1:])

    def __getitem__(self, indices: Indices) -> torch.Tensor:
        """float32 (n, T', H', W', C) in the order asked for; an int gives (T', H', W', C).

        Raises:
            IndexError: beyond the samples.
        """
        wanted = self._positions(indices)
        rows = decode(_gather(self.shards, np.atleast_1d(wanted)))
        return rows[0] if wanted.ndim == 0 else rows

    def moments(self, indices: Indices) -> tuple[torch.Tensor, torch.Tensor]:
        """(mean, 1 / standard deviation) of every token, float32 (n, T', H', W') each, as kept.

        Raises:
            ValueError: they were not kept.
            IndexError: beyond the samples.
        """
        if self.statistics is None:
            raise ValueError("statistics must have been kept: extract with statistics=True")
        found = decode(_gather(self.statistics, np.atleast_1d(self._positions(indices))))
        return found[..., 0], found[..., 1]

    def standardised(self, indices: Indices) -> torch.Tensor:
        """float32 (n, T', H', W', C), every token with mean 0 and variance 1, by the statistics that were kept.

        `ProbeData(features=array.standardised, ..., is_standardised=True)` hands them to readouts.
        """
        mean, rstd = self.moments(indices)
        values = decode(_gather(self.shards, np.atleast_1d(self._positions(indices))))
        return values.sub_(mean[..., None]).mul_(rstd[..., None])

    def feature_map(self, indices: Sequence[int] | range | slice | np.ndarray | torch.Tensor) -> FeatureMap:
        """The samples `indices` as a batch."""
        return FeatureMap(self[indices], self.layer, self.timestep, self.frame_spans, self.stride, self.site)

    def _positions(self, indices: Indices) -> np.ndarray:
        total = len(self)
        if isinstance(indices, slice):
            indices = range(total)[indices]
        wanted = np.asarray(indices, dtype=np.int64)
        if wanted.size and not (-total <= wanted.min() and wanted.max() < total):
            raise IndexError(f"index must lie in [{-total}, {total - 1}], got {wanted.tolist()}")
        return wanted % total


def _gather(shards: Sequence[StoredRows], wanted: np.ndarray) -> StoredRows:
    """The rows `wanted`, in that order; all shards but the last have the length of the first."""
    first = shards[0]
    rows = np.empty((len(wanted), *first.shape[1:]), dtype=first.values.dtype)
    scales = None if first.scales is None else np.empty((len(wanted), first.shape[-1]), dtype=np.float32)
    for position, index in enumerate(wanted.tolist()):
        shard, row = shards[index // len(first)], index % len(first)
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
