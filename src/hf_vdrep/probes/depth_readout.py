# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""What all readouts of depth have in common: log-depth at any pixels of any frames, from a start at the labels."""

from typing import ClassVar

import torch
from torch import nn

from .losses import MAX_DEPTH, MIN_DEPTH
from .readout import Readout


class DepthReadout(Readout):
    """Base; a subclass ends in `head`, whose output is the natural log of metres, and has the `forward` below.

    Attributes:
        every_pixel: trained on all pixels at once, since they cost no more than some; otherwise on a sub-grid.
    """

    every_pixel: ClassVar[bool] = False
    head: nn.Linear

    def start_at(self, depth: torch.Tensor) -> None:
        """Start from the median log-depth of (a sample of) the training labels; 0, NaN and infinity are no labels."""
        seen = depth[(depth > MIN_DEPTH) & (depth < MAX_DEPTH)].float()
        if seen.numel():
            nn.init.constant_(self.head.bias, float(seen.log().median()))

    def forward(
        self,
        values: torch.Tensor,
        pixels: torch.Tensor,
        frames: torch.Tensor | None = None,
        *,
        standardised: bool = False,
    ) -> torch.Tensor:
        """Log-depth (natural log of metres).

        Args:
            values: (B, T', H', W', C) features.
            pixels: (Q, 2) x, y in [0, 1], the same for all frames.
            frames: int (F,) input frames; all by default.
            standardised: the values are what `self.standardise` makes already.

        Returns:
            (B, F, Q).
        """
        raise NotImplementedError


def start_head(head: nn.Linear) -> nn.Linear:
    """The head, saying e metres whatever it sees, until `start_at` knows better."""
    nn.init.zeros_(head.weight)
    nn.init.constant_(head.bias, 1.0)
    return head
