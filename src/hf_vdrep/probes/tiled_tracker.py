# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Trackers without a recurrence: queries look at all frames at once, each answers for a tile of time (4DS).

papers.md 8.3: one attention readout over all tokens; for points the query is repeated for each tile with a learned tile
embedding, each answering for two frames; for boxes one query answers for all frames.
"""

import math

import torch
from torch import nn

from .cross_attention import CrossAttentionBlock
from .fourier import fourier_features
from .frame_tokens import StepTokens
from .outputs import BoxTracks, PointTracks
from .readout import Readout
from .recurrence import from_zero, mlp


class _TiledReadout(Readout):
    def _build(
        self,
        in_channels: int,
        frame_spans: torch.Tensor | list[list[int]],
        num_frames: int,
        *,
        coordinates: int,
        answers: int,
        frames_per_tile: int,
        width: int,
        num_heads: int,
        mlp_ratio: float,
        octaves: int,
        statistics: bool,
    ) -> None:
        if frames_per_tile < 1:
            raise ValueError(f"frames_per_tile must be at least 1, got {frames_per_tile}")
        spans = torch.as_tensor(frame_spans)
        self.num_frames, self.octaves, self.statistics = num_frames, octaves, statistics
        tiles = math.ceil(num_frames / frames_per_tile)
        self.tokens = StepTokens(in_channels, spans, num_frames, width, statistics=statistics)
        self.step_embedding = nn.Parameter(torch.randn(len(spans), 1, width) * 0.02)
        self.encode = mlp(2 * coordinates * octaves, width, width)
        self.tile_embedding = nn.Parameter(torch.randn(tiles, width) * 0.02)
        self.block = CrossAttentionBlock(width, num_heads, mlp_ratio)
        self.norm = nn.LayerNorm(width)
        self.head = from_zero(nn.Sequential(nn.Linear(width, frames_per_tile * answers)))
        self.answers = answers

    def _answer(self, values: torch.Tensor, queries: torch.Tensor, *, standardised: bool) -> torch.Tensor:
        """Answers float32 (B, N, T, answers) to queries (B, N, D), 0 where nothing is learned yet."""
        tokens = (self.tokens(values, standardised=standardised) + self.step_embedding).flatten(1, 2)
        asked = self.encode(fourier_features(queries, self.octaves))
        tiled = (asked[:, :, None] + self.tile_embedding).flatten(1, 2)
        found = self.head(self.norm(self.block(tiled, *self.block.keys_values(tokens)))).float()
        found = found.unflatten(1, (queries.shape[1], -1)).flatten(2).unflatten(-1, (-1, self.answers))
        # The last tile may reach past the clip.
        return found[:, :, : self.num_frames]


class TiledPointReadout(_TiledReadout):
    """Point tracks by one look of tiled queries at all frames (4DS; source: width 1024, 8 heads).

    The displacement from the query is answered; an untrained readout says that nothing moves.

    Args:
        in_channels: C of the features.
        frame_spans: int (T', 2).
        num_frames: T.
        frames_per_tile: frames that a query answers for (source: 2).
        width, num_heads, mlp_ratio: of the attention block.
        octaves: of the query's Fourier features.
        statistics: tokens carry their mean and deviation beside them (`standardise`).
    """

    readout_type = "tiled_points"

    def __init__(
        self,
        in_channels: int,
        frame_spans: torch.Tensor | list[list[int]],
        num_frames: int,
        *,
        frames_per_tile: int = 2,
        width: int = 128,
        num_heads: int = 8,
        mlp_ratio: float = 4.0,
        octaves: int = 8,
        statistics: bool = False,
    ) -> None:
        super().__init__()
        self._build(
            in_channels,
            frame_spans,
            num_frames,
            coordinates=2,
            answers=4,
            frames_per_tile=frames_per_tile,
            width=width,
            num_heads=num_heads,
            mlp_ratio=mlp_ratio,
            octaves=octaves,
            statistics=statistics,
        )

    def forward(self, values: torch.Tensor, query_points: torch.Tensor, *, standardised: bool = False) -> PointTracks:
        """Tracks of query points (B, N, 2), x, y in [0, 1] in frame 0, on features (B, T', H', W', C)."""
        found = self._answer(values, query_points, standardised=standardised)
        visible, certain = found[..., 2:].unbind(-1)
        return PointTracks(query_points.float()[:, :, None] + found[..., :2], visible, certain)


class TiledBoxReadout(_TiledReadout):
    """Box tracks by one look of one query per box at all frames (4DS; source: 16 frames x 4, width 1024, 4 heads).

    The change of every corner is answered; corners that a change would exchange are put in order.

    Args:
        in_channels: C of the features.
        frame_spans: int (T', 2).
        num_frames: T.
        frames_per_tile: frames that a query answers for; all of them by default, as in the source.
        width, num_heads, mlp_ratio: of the attention block.
        octaves: of the query's Fourier features.
        statistics: tokens carry their mean and deviation beside them (`standardise`).
    """

    readout_type = "tiled_boxes"

    def __init__(
        self,
        in_channels: int,
        frame_spans: torch.Tensor | list[list[int]],
        num_frames: int,
        *,
        frames_per_tile: int | None = None,
        width: int = 128,
        num_heads: int = 4,
        mlp_ratio: float = 4.0,
        octaves: int = 8,
        statistics: bool = False,
    ) -> None:
        super().__init__()
        self._build(
            in_channels,
            frame_spans,
            num_frames,
            coordinates=4,
            answers=4,
            frames_per_tile=num_frames if frames_per_tile is None else frames_per_tile,
            width=width,
            num_heads=num_heads,
            mlp_ratio=mlp_ratio,
            octaves=octaves,
            statistics=statistics,
        )

    def forward(self, values: torch.Tensor, query_boxes: torch.Tensor, *, standardised: bool = False) -> BoxTracks:
        """Boxes over time of query boxes (B, K, 4), x1, y1, x2, y2 in [0, 1] in frame 0."""
        found = query_boxes.float()[:, :, None] + self._answer(values, query_boxes, standardised=standardised)
        low, high = found[..., :2], found[..., 2:]
        return BoxTracks(torch.cat([torch.minimum(low, high), torch.maximum(low, high)], -1), None)
