# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Recurrent point readout: predict, look, correct (MooG, arXiv 2411.05927; papers.md 8.3)."""

import torch

from .outputs import PointTracks
from .recurrence import RecurrentReadout, from_zero, mlp
from .resample import TimeMode


class RecurrentPointReadout(RecurrentReadout):
    """Follows query points of frame 0 through the features (source: width 512, 3 blocks, 8 heads).

    Args:
        in_channels: C of the features.
        frame_spans: int (T', 2).
        num_frames: T.
        width, num_heads, num_blocks, mlp_ratio: of the corrector.
        octaves: of the query's Fourier features.
        match_width: channels in which the query's feature is compared with the tokens.
        centred_looks: take away what all tokens of a step share before looks are compared.
        statistics: tokens carry their mean and deviation beside them (`standardise`).
        time_mode: how feature steps become frames. "nearest" leaves a step as it is: a motion inside it stays sharp.
    """

    readout_type = "recurrent_points"

    def __init__(
        self,
        in_channels: int,
        frame_spans: torch.Tensor | list[list[int]],
        num_frames: int,
        *,
        width: int = 96,
        num_heads: int = 4,
        num_blocks: int = 1,
        mlp_ratio: float = 2.0,
        octaves: int = 8,
        match_width: int = 48,
        centred_looks: bool = True,
        statistics: bool = False,
        time_mode: TimeMode = "nearest",
    ) -> None:
        super().__init__()
        self._build(
            in_channels,
            frame_spans,
            num_frames,
            coordinates=2,
            width=width,
            num_heads=num_heads,
            num_blocks=num_blocks,
            mlp_ratio=mlp_ratio,
            octaves=octaves,
            match_width=match_width,
            centred_looks=centred_looks,
            statistics=statistics,
            time_mode=time_mode,
        )
        self.judge = from_zero(mlp(width, width, 2))

    def forward(self, values: torch.Tensor, query_points: torch.Tensor, *, standardised: bool = False) -> PointTracks:
        """Tracks of query points (B, N, 2), x, y in [0, 1] in frame 0, on features (B, T', H', W', C)."""
        positions, states = self._follow(values, query_points, query_points[:, :, None], standardised=standardised)
        visible, certain = self.judge(states).float().unbind(-1)
        return PointTracks(positions, visible, certain)
