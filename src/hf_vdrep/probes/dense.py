# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Dense readout: a Scene-Representation-Transformer decoder asks the features for the depth of each pixel."""

import torch
from torch import nn

from .cross_attention import CrossAttentionStack, NearBias
from .depth_readout import DepthReadout, start_head
from .fourier import fourier_features, pixel_grid
from .frame_tokens import StepTokens
from .resample import TimeMode


class SRTDepthReadout(DepthReadout):
    """Depth of any pixels of any frames (papers.md 8.2), in a form that learns within a few hundred steps.

    `SourceDepthReadout` is the form of the source. This one is narrower, projects the tokens once, knows where they
    stand and starts by looking at what is near.

    Each pixel's Fourier features, plus an embedding of the frame, become a query; cross-attention-only blocks look at
    the tokens of its frame; a final norm and one linear give log-depth, so that depth is positive.

    Args:
        in_channels: C of the features.
        frame_spans: int (T', 2).
        num_frames: T.
        width, num_heads, num_blocks, mlp_ratio: of the transformer.
        octaves: of the pixel's Fourier features; 2^-(octaves - 1) is the shortest period in units of half a frame.
        time_mode: how feature steps become frames.
        statistics: tokens carry their mean and deviation beside them (`standardise`).
    """

    readout_type = "dense"

    def __init__(
        self,
        in_channels: int,
        frame_spans: torch.Tensor,
        num_frames: int,
        *,
        width: int = 64,
        num_heads: int = 4,
        num_blocks: int = 2,
        mlp_ratio: float = 2.0,
        octaves: int = 16,
        time_mode: TimeMode = "linear",
        statistics: bool = False,
    ) -> None:
        super().__init__()
        self.octaves, self.num_frames, self.statistics = octaves, num_frames, statistics
        self.tokens = StepTokens(
            in_channels, frame_spans, num_frames, width, time_mode=time_mode, statistics=statistics
        )
        self.ask = nn.Linear(4 * octaves, width)
        self.frame = nn.Parameter(torch.zeros(num_frames, width))
        self.blocks = CrossAttentionStack(num_blocks, width, num_heads, mlp_ratio)
        self.near = NearBias(num_heads)
        self.norm = nn.LayerNorm(width, bias=False)
        self.head = start_head(nn.Linear(width, 1))

    def forward(
        self,
        values: torch.Tensor,
        pixels: torch.Tensor,
        frames: torch.Tensor | None = None,
        *,
        standardised: bool = False,
    ) -> torch.Tensor:
        """See `DepthReadout`."""
        tokens = self.tokens(values, standardised=standardised)
        frame = self.frame if frames is None else self.frame[frames]
        place = fourier_features(pixels * 2 - 1, self.octaves).to(frame.dtype)
        queries = self.ask(place) + frame[:, None]
        queries = queries.expand(len(values), -1, -1, -1)
        bias = self.near(pixels, pixel_grid(*values.shape[2:4]).to(pixels.device).flatten(0, 1))
        for block in self.blocks:
            keys, content = (self.tokens.to_frames(part, frames) for part in block.keys_values(tokens))
            queries = block(queries, keys, content, bias)
        return self.head(self.norm(queries))[..., 0]


def sub_grid(
    height: int,
    width: int,
    stride: int,
    offset: tuple[int, int] = (0, 0),
    device: torch.device | str = "cpu",
) -> tuple[torch.Tensor, torch.Tensor]:
    """Every `stride`-th pixel from `offset` (row, column), and where it lies.

    Returns:
        index: int (Q,) into a flattened (height, width) image; points: (Q, 2) x, y in [0, 1].
    """
    if not (0 <= offset[0] < stride and 0 <= offset[1] < stride):
        raise ValueError(f"offset must lie in [0, {stride - 1}], got {offset}")
    index = torch.arange(height * width).view(height, width)[offset[0] :: stride, offset[1] :: stride].flatten()
    return index.to(device), pixel_grid(height, width).view(-1, 2)[index].to(device)
