# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""The linear baseline of depth: each token says the log-depth where it stands, pixels between lie between."""

import torch
from torch import nn

from .depth_readout import DepthReadout, start_head
from .resample import TimeMode, frame_weights
from .standardise import standardised_width


class LinearDepthReadout(DepthReadout):
    """Standardised token -> linear -> bilinear interpolation in space, `time_mode` in time.

    Args:
        in_channels: C of the features.
        frame_spans: int (T', 2).
        num_frames: T.
        time_mode: how feature steps become frames.
        statistics: tokens carry their mean and deviation beside them (`standardise`).
    """

    readout_type = "dense_linear"
    weights: torch.Tensor

    def __init__(
        self,
        in_channels: int,
        frame_spans: torch.Tensor,
        num_frames: int,
        *,
        time_mode: TimeMode = "linear",
        statistics: bool = False,
    ) -> None:
        super().__init__()
        self.statistics = statistics
        self.head = start_head(nn.Linear(standardised_width(in_channels, statistics), 1))
        weights = frame_weights(torch.as_tensor(frame_spans), num_frames, time_mode)
        self.register_buffer("weights", weights, persistent=False)

    def forward(
        self,
        values: torch.Tensor,
        pixels: torch.Tensor,
        frames: torch.Tensor | None = None,
        *,
        standardised: bool = False,
    ) -> torch.Tensor:
        """See `DepthReadout`."""
        values = values if standardised else self.standardise(values)
        maps = self.head(values.to(self.head.weight.dtype))[..., 0]
        weights = (self.weights if frames is None else self.weights[frames]).to(maps.dtype)
        across = _between(pixels[:, 0], maps.shape[3]).to(maps.dtype)
        down = _between(pixels[:, 1], maps.shape[2]).to(maps.dtype)
        return torch.einsum("ft,bthw,qh,qw->bfq", weights, maps, down, across)


def _between(place: torch.Tensor, cells: int) -> torch.Tensor:
    """Shares (Q, cells) of the two cells whose centres enclose each place in [0, 1]; the outer ones hold the ends."""
    at = (place * cells - 0.5).clamp(0, cells - 1)
    return (1 - (at[:, None] - torch.arange(cells, device=place.device)).abs()).clamp(min=0)
