# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Recurrent point readout: predict, look, correct (MooG, arXiv 2411.05927; papers.md 8.3)."""

import torch
from torch import nn

from .cross_attention import CrossAttentionStack, NearBias
from .fourier import fourier_features, pixel_grid
from .frame_tokens import StepTokens
from .outputs import PointTracks
from .resample import TimeMode


class RecurrentPointReadout(nn.Module):
    """Follows query points of frame 0 through the features (source: width 512, 3 blocks, 8 heads).

    The state of a track starts as an MLP of the query's Fourier features. In every frame a corrector (cross-attention
    to that frame's tokens alone) revises it, the outputs are read from the revised state, and a predictor carries it to
    the next frame. Keys and values of all frames are made at once, outside the recurrence.

    Args:
        in_channels: C of the features.
        frame_spans: int (T', 2).
        num_frames: T.
        width, num_heads, num_blocks, mlp_ratio: of the corrector.
        octaves: of the query's Fourier features.
        anchored: emit the query plus a displacement, tanh(MLP(s)), so that an untrained readout says that nothing
            moves; False emits sigmoid(MLP(s)) as in MooG, which needs tens of thousands of steps.
        time_mode: how feature steps become frames.
    """

    def __init__(
        self,
        in_channels: int,
        frame_spans: torch.Tensor,
        num_frames: int,
        *,
        width: int = 96,
        num_heads: int = 4,
        num_blocks: int = 1,
        mlp_ratio: float = 2.0,
        octaves: int = 8,
        anchored: bool = True,
        time_mode: TimeMode = "linear",
    ) -> None:
        super().__init__()
        self.octaves, self.anchored = octaves, anchored
        self.tokens = StepTokens(in_channels, frame_spans, num_frames, width, time_mode=time_mode)
        self.encode = _mlp(4 * octaves, width, width)
        self.blocks = CrossAttentionStack(num_blocks, width, num_heads, mlp_ratio)
        self.near = NearBias(num_heads)
        self.correct_norm = nn.LayerNorm(width)
        self.predict = _mlp(width, width, width)
        self.predict_norm = nn.LayerNorm(width, eps=1e-4, bias=False)
        self.position = _mlp(width, width, 2)
        self.judge = _mlp(width, width, 2)
        for head in (self.position, self.judge):
            for parameter in head[-1].parameters():
                nn.init.zeros_(parameter)

    def forward(self, values: torch.Tensor, query_points: torch.Tensor, *, standardised: bool = False) -> PointTracks:
        """Tracks of query points (B, N, 2), x, y in [0, 1] in frame 0, on features (B, T', H', W', C)."""
        tokens = self.tokens(values, standardised=standardised)
        keys_values = [
            [self.tokens.to_frames(part).unbind(1) for part in block.keys_values(tokens)] for block in self.blocks
        ]
        state = self.encode(fourier_features(query_points, self.octaves))
        centres = pixel_grid(*values.shape[2:4]).to(values.device).flatten(0, 1)
        corrected, place = [], query_points.float()
        for frame in range(len(self.tokens.weights)):
            look, bias = state, self.near(place, centres)
            for block, (keys, content) in zip(self.blocks, keys_values, strict=True):
                look = block(look, keys[frame], content[frame], bias)
            revised = state + self.correct_norm(look)
            # The next frame is searched around where the track is now; that search has no gradient.
            place = self._place(revised, query_points).detach()
            corrected.append(revised)
            state = self.predict_norm(revised + self.predict(revised))
        return self._emit(torch.stack(corrected, dim=2), query_points)

    def _place(self, states: torch.Tensor, query_points: torch.Tensor) -> torch.Tensor:
        place = self.position(states).float()
        return query_points + place.tanh() if self.anchored else place.sigmoid()

    def _emit(self, states: torch.Tensor, query_points: torch.Tensor) -> PointTracks:
        positions = self._place(states, query_points[:, :, None])
        visible, certain = self.judge(states).float().unbind(-1)
        return PointTracks(positions, visible, certain)


def _mlp(inputs: int, hidden: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(nn.Linear(inputs, hidden), nn.GELU(approximate="tanh"), nn.Linear(hidden, outputs))
