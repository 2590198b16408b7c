# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Cached features and labels of a split, read by row."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np
import torch

from .standardise import standardise

Labels = dict[str, torch.Tensor]
FeatureSource = np.ndarray | torch.Tensor | Callable[[np.ndarray], torch.Tensor]

BLOCK = 64


# Two sets of data are the same only where they are one: comparing features would read them.
@dataclass(frozen=True, eq=False)
class ProbeData:
    """Features of one backbone at one (layer, timestep), with the labels of the samples.

    Attributes:
        features: (N, T', H', W', C) array or tensor of any float type (a memory map will do), or a function from row
            numbers to such a tensor.
        labels: name -> tensor or array with N rows.
        frame_spans: int (T', 2), first and last + 1 input frame of each feature step.
        num_frames: T, input frames of a sample; 1 for images.
        split: name of the split, where known; "test" is refused by training and by `predict`.
        is_standardised: the features are what a readout's `standardise` makes.
    """

    features: FeatureSource
    labels: Mapping[str, torch.Tensor | np.ndarray]
    frame_spans: torch.Tensor
    num_frames: int
    split: str | None = None
    is_standardised: bool = False

    def __post_init__(self) -> None:
        sizes = {name: len(rows) for name, rows in self.labels.items()}
        if not callable(self.features):
            sizes["features"] = len(self.features)
        if not sizes or len(set(sizes.values())) != 1 or 0 in sizes.values():
            raise ValueError(f"features and labels must have the same number of rows, at least 1, got {sizes}")

    def __len__(self) -> int:
        return len(next(iter(self.labels.values())))

    @property
    def feature_shape(self) -> tuple[int, ...]:
        """(1, T', H', W', C)."""
        return tuple(self.read(np.zeros(1, dtype=np.int64)).shape)

    def read(self, rows: np.ndarray) -> torch.Tensor:
        """Features of some rows, as they are stored."""
        if callable(self.features):
            return self.features(rows)
        return torch.as_tensor(self.features[rows])

    def read_finite(self, rows: np.ndarray) -> torch.Tensor:
        """Features of some rows in float32.

        Raises:
            ValueError: a feature is not finite; the line names the row.
        """
        values = self.read(rows).float()
        bad = ~torch.isfinite(values).flatten(1).all(1)
        if bad.any():
            raise ValueError(f"features must be finite, got NaN or infinity in row {int(rows[int(bad.nonzero()[0])])}")
        return values

    def take(self, rows: np.ndarray, device: torch.device | None = None) -> Labels:
        """Labels of some rows."""
        return {name: torch.as_tensor(values[rows]).to(device) for name, values in self.labels.items()}

    def standardised(self, dtype: torch.dtype = torch.bfloat16, *, statistics: bool = False) -> "ProbeData":
        """The same data with standardised features held in memory: readouts pass over them many times.

        Args:
            dtype: that they are held in.
            statistics: as the readout takes them, `Readout.statistics`.

        Raises:
            ValueError: a feature is not finite; the line names the row.
        """
        if self.is_standardised:
            return self
        blocks = []
        for start in range(0, len(self), BLOCK):
            rows = np.arange(start, min(start + BLOCK, len(self)))
            blocks.append(standardise(self.read_finite(rows), statistics=statistics).to(dtype))
        return replace(self, features=torch.cat(blocks), is_standardised=True)
