# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Linear classifiers: the baselines that say how much of a score is the readout's own doing."""

from collections.abc import Sequence

import torch
from torch import nn

from .readout import Readout
from .standardise import standardised_width


class MeanPoolClassifier(Readout):
    """Mean of all standardised tokens -> linear: what a clip holds, not where or when.

    Args:
        in_channels: C of the features.
        num_classes: size of the output.
        statistics: tokens carry their mean and deviation beside them (`standardise`).
    """

    readout_type = "mean_pool"
    shares_tokens = True

    def __init__(self, in_channels: int, num_classes: int, *, statistics: bool = False) -> None:
        super().__init__()
        self.num_classes, self.statistics = num_classes, statistics
        self.head = _zero_linear(standardised_width(in_channels, statistics), num_classes)

    def forward(self, values: torch.Tensor, *, standardised: bool = False) -> torch.Tensor:
        """Logits (B, num_classes) of features (B, T', H', W', C) of any T', H', W'."""
        values = values if standardised else self.standardise(values)
        return self.head(values.flatten(1, -2).mean(1, dtype=self.head.weight.dtype))


class LinearClassifier(Readout):
    """One linear over the standardised tokens side by side: it knows place and time, and nothing beyond lines.

    The tokens are divided by the square root of their number, so that a logit's scale does not depend on it.

    Args:
        in_channels: C of the features.
        grid: (T', H', W') of the features.
        num_classes: size of the output.
        statistics: tokens carry their mean and deviation beside them (`standardise`).
    """

    readout_type = "linear"
    shares_tokens = True

    def __init__(self, in_channels: int, grid: Sequence[int], num_classes: int, *, statistics: bool = False) -> None:
        super().__init__()
        self.grid, self.num_classes, self.statistics = tuple(grid), num_classes, statistics
        self.tokens = self.grid[0] * self.grid[1] * self.grid[2]
        self.head = _zero_linear(self.tokens * standardised_width(in_channels, statistics), num_classes)

    def forward(self, values: torch.Tensor, *, standardised: bool = False) -> torch.Tensor:
        """Logits (B, num_classes) of features (B, T', H', W', C)."""
        if tuple(values.shape[1:4]) != self.grid:
            raise ValueError(f"values must have the grid {self.grid}, got {tuple(values.shape[1:4])}")
        values = values if standardised else self.standardise(values)
        return self.head(values.flatten(1).to(self.head.weight.dtype) * self.tokens**-0.5)


def _zero_linear(inputs: int, outputs: int) -> nn.Linear:
    head = nn.Linear(inputs, outputs)
    nn.init.zeros_(head.weight)
    nn.init.zeros_(head.bias)
    return head
