# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""The dense readout as its source has it: MooG's SRT decoder (papers.md 8.2, arXiv 2411.05927)."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import nn

from .depth_readout import DepthReadout, start_head
from .fourier import fourier_features
from .resample import TimeMode, frame_weights
from .standardise import standardised_width


class SourceBlock(nn.Module):
    """Pre-norm cross-attention and MLP; no self-attention; RMS norm on queries and keys; norms scale and do not shift.

    Args:
        width: of the stream of queries.
        tokens: width of what is attended to.
        num_heads, head_width: of the attention, whose width is their product.
        mlp_width: hidden width.
    """

    def __init__(self, width: int, tokens: int, num_heads: int, head_width: int, mlp_width: int) -> None:
        super().__init__()
        self.num_heads = num_heads
        inner = num_heads * head_width
        self.norm = nn.LayerNorm(width, eps=1e-6, bias=False)
        self.to_q = nn.Linear(width, inner, bias=False)
        self.to_k = nn.Linear(tokens, inner, bias=False)
        self.to_v = nn.Linear(tokens, inner, bias=False)
        self.q_norm = nn.RMSNorm(head_width, eps=1e-6)
        self.k_norm = nn.RMSNorm(head_width, eps=1e-6)
        self.to_out = nn.Linear(inner, width)
        self.mlp_norm = nn.LayerNorm(width, eps=1e-6, bias=False)
        self.mlp = nn.Sequential(nn.Linear(width, mlp_width), nn.GELU(approximate="tanh"), nn.Linear(mlp_width, width))

    def forward(self, queries: torch.Tensor, tokens: torch.Tensor) -> torch.Tensor:
        """(..., Q, width) and (..., N, tokens) -> (..., Q, width)."""
        q, k, v = self.to_q(self.norm(queries)), self.to_k(tokens), self._heads(self.to_v(tokens))
        # In the norms' own precision, whatever autocast made of the products.
        q = self.q_norm(self._heads(q).to(self.q_norm.weight.dtype))
        k = self.k_norm(self._heads(k).to(self.k_norm.weight.dtype))
        found = F.scaled_dot_product_attention(q.to(v.dtype), k.to(v.dtype), v)
        queries = queries + self.to_out(found.transpose(-3, -2).flatten(-2))
        return queries + self.mlp(self.mlp_norm(queries))

    def _heads(self, x: torch.Tensor) -> torch.Tensor:
        return x.unflatten(-1, (self.num_heads, -1)).transpose(-3, -2)


class SourceDepthReadout(DepthReadout):
    """Depth of any pixels, frame by frame: queries [0 | Fourier(x, y)] through 3 blocks, a norm and one linear.

    The first C of a query's C + 4 * octaves numbers start at zero and are where the features gather. Coordinates run
    from -1 at the centre of the first pixel to 1 at that of the last.

    Args:
        in_channels: C of the features.
        frame_spans: int (T', 2).
        num_frames: T.
        image_size: (height, width) of the depth maps, which coordinates are counted in.
        num_blocks, num_heads, head_width, mlp_width: of the decoder.
        octaves: of the Fourier features.
        time_mode: how feature steps become frames.
        statistics: tokens carry their mean and deviation beside them (`standardise`).
    """

    readout_type = "dense_source"
    weights: torch.Tensor

    def __init__(
        self,
        in_channels: int,
        frame_spans: torch.Tensor,
        num_frames: int,
        image_size: Sequence[int],
        *,
        num_blocks: int = 3,
        num_heads: int = 8,
        head_width: int = 64,
        mlp_width: int = 2048,
        octaves: int = 16,
        time_mode: TimeMode = "linear",
        statistics: bool = False,
    ) -> None:
        super().__init__()
        self.image_size, self.octaves, self.statistics = tuple(image_size), octaves, statistics
        tokens = standardised_width(in_channels, statistics)
        self.tokens, width = tokens, tokens + 4 * octaves
        self.blocks = nn.ModuleList(
            SourceBlock(width, tokens, num_heads, head_width, mlp_width) for _ in range(num_blocks)
        )
        self.norm = nn.LayerNorm(width, eps=1e-6, bias=False)
        self.head = start_head(nn.Linear(width, 1))
        weights = frame_weights(torch.as_tensor(frame_spans), num_frames, time_mode)
        self.register_buffer("weights", weights, persistent=False)

    def coordinates(self, pixels: torch.Tensor) -> torch.Tensor:
        """Places (..., 2) x, y in [0, 1] -> coordinates of the source's grid, linspace(-1, 1) over pixels."""
        size = torch.tensor(self.image_size[::-1], dtype=pixels.dtype, device=pixels.device)
        return (2 * pixels * size - 1) / (size - 1).clamp(min=1) - 1

    def forward(
        self,
        values: torch.Tensor,
        pixels: torch.Tensor,
        frames: torch.Tensor | None = None,
        *,
        standardised: bool = False,
    ) -> torch.Tensor:
        """See `DepthReadout`."""
        values = (values if standardised else self.standardise(values)).flatten(2, 3)
        weights = self.weights if frames is None else self.weights[frames]
        tokens = torch.einsum("ft,btnc->bfnc", weights.to(values.dtype), values)
        place = fourier_features(self.coordinates(pixels), self.octaves)
        queries = F.pad(place, (self.tokens, 0)).to(self.head.weight.dtype)
        queries = queries.expand(*tokens.shape[:2], -1, -1)
        for block in self.blocks:
            queries = block(queries, tokens.to(queries.dtype))
        return self.head(self.norm(queries))[..., 0]
