# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Recurrent box readout: predict, look, correct (MooG, arXiv 2411.05927; papers.md 8.3)."""

import torch

from .box_shapes import centred, corners
from .outputs import BoxTracks
from .recurrence import RecurrentReadout, from_zero, mlp
from .resample import TimeMode

SPREAD = 0.3


class RecurrentBoxReadout(RecurrentReadout):
    """Follows boxes of frame 0 through the features (source: width 512, 3 blocks, 8 heads).

    Inside, a box is its centre and size; a size that a correction turns inside out counts as its magnitude. The look of
    a query is the mean feature at nine points within its box.

    Args:
        in_channels: C of the features.
        frame_spans: int (T', 2).
        num_frames: T.
        presence: also judge whether anything of the object can be seen.
        width, num_heads, num_blocks, mlp_ratio: of the corrector.
        octaves: of the query's Fourier features.
        match_width: channels in which the query's feature is compared with the tokens.
        centred_looks: take away what all tokens of a step share before looks are compared.
        statistics: tokens carry their mean and deviation beside them (`standardise`).
        time_mode: how feature steps become frames. "nearest" leaves a step as it is: a motion inside it stays sharp.
    """

    readout_type = "recurrent_boxes"

    def __init__(
        self,
        in_channels: int,
        frame_spans: torch.Tensor | list[list[int]],
        num_frames: int,
        *,
        presence: bool = False,
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
            coordinates=4,
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
        self.judge = from_zero(mlp(width, width, 1)) if presence else None

    def forward(self, values: torch.Tensor, query_boxes: torch.Tensor, *, standardised: bool = False) -> BoxTracks:
        """Boxes over time of query boxes (B, K, 4), x1, y1, x2, y2 in [0, 1] in frame 0.

        Args:
            values: features (B, T', H', W', C).
            query_boxes: rows of absent objects may hold any finite box; their answers mean nothing.
            standardised: `values` are taken as they are.
        """
        start = centred(query_boxes.float())
        inside = torch.tensor([-SPREAD, 0.0, SPREAD], device=values.device)
        grid = torch.cartesian_prod(inside, inside) * start[:, :, None, 2:] + start[:, :, None, :2]
        places, states = self._follow(values, start, grid, standardised=standardised)
        present = None if self.judge is None else self.judge(states).float()[..., 0]
        return BoxTracks(corners(places), present)
