# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Learned queries look at all tokens of a clip: what the attentive readouts share, in a plain and a folded form."""

import math

import torch
from torch import nn

from .fourier import fourier_features, pixel_grid
from .look import look
from .readout import Readout
from .standardise import standardised_width


class AttentivePooling(Readout):
    """LayerNorm -> learned time embedding -> one cross-attention of learned queries (papers.md 8.1).

    With z the normalised tokens plus their time embedding and q a query:
    `y = q + W_o softmax(q . W_k z / sqrt(width / heads)) W_v z`.

    A learned query folds into the keys: `q_h . W_k z = (W_k^T q_h) . z`, and `sum_n alpha_n W_v z_n = W_v sum_n alpha_n
    z_n`. So no token is ever projected: the cost falls from 2 * C * width to 2 * C * heads * queries multiply-adds per
    token, for the same function. `folded=False` computes the plain form.

    Args:
        in_channels: C of the features.
        num_steps: T' of the features.
        width: of queries, keys and values.
        num_heads: attention heads; divides `width`.
        num_queries: learned queries; one of them is a vector, not a matrix of one row.
        folded: compute the folded form.
        statistics: tokens carry their mean and deviation beside them (`standardise`).
        octaves: of the Fourier features that tell a token its place; 0 tells it nothing, as in the source.
    """

    shares_tokens = True

    def __init__(
        self,
        in_channels: int,
        num_steps: int,
        *,
        width: int,
        num_heads: int,
        num_queries: int = 1,
        folded: bool = True,
        statistics: bool = False,
        octaves: int = 0,
    ) -> None:
        super().__init__()
        if width % num_heads:
            raise ValueError(f"width must be a multiple of num_heads, got {width} and {num_heads}")
        if num_queries < 1:
            raise ValueError(f"num_queries must be at least 1, got {num_queries}")
        self.num_steps, self.num_heads, self.num_queries, self.folded = num_steps, num_heads, num_queries, folded
        self.in_channels, self.statistics, self.octaves = in_channels, statistics, octaves
        channels = standardised_width(in_channels, statistics)
        self.norm_scale = nn.Parameter(torch.ones(channels))
        self.norm_shift = nn.Parameter(torch.zeros(channels))
        self.time_embedding = nn.Parameter(torch.randn(num_steps, channels) * 0.02)
        # The source draws it at 0.02: attention is then uniform for the first thousand steps, more than we train.
        self.query = nn.Parameter(torch.randn(width) if num_queries == 1 else torch.randn(num_queries, width))
        self.to_k = nn.Linear(channels, width)
        self.to_v = nn.Linear(channels, width)
        self.to_out = nn.Linear(width, width)
        self.to_place = nn.Linear(4 * octaves, channels, bias=False) if octaves else None

    def attend(self, values: torch.Tensor, *, standardised: bool) -> torch.Tensor:
        """What the queries find in features (B, T', H', W', C), queries added: (B, num_queries, width)."""
        channels = len(self.norm_scale) if standardised else self.in_channels
        if values.shape[1] != self.num_steps or values.shape[-1] != channels:
            expected = f"(B, {self.num_steps}, H', W', {channels})"
            raise ValueError(f"values must have shape {expected}, got {tuple(values.shape)}")
        values = values if standardised else self.standardise(values)
        place = self._place(*values.shape[2:4])
        pool = self._pool_folded if self.folded else self._pool_plain
        pooled = pool(values.flatten(2, 3), place)
        return self.query.view(self.num_queries, -1) + self.to_out(pooled)

    def _place(self, height: int, width: int) -> torch.Tensor | None:
        """What is added to the tokens of each place (H' * W', C)."""
        if self.to_place is None:
            return None
        grid = pixel_grid(height, width).to(self.query.device).flatten(0, 1)
        return self.to_place(fourier_features(grid, self.octaves).to(self.query.dtype))

    def _heads(self) -> torch.Tensor:
        """Scaled queries (Q, heads, d)."""
        query = self.query.view(self.num_queries, self.num_heads, -1)
        return query / math.sqrt(query.shape[-1])

    def _pool_plain(self, values: torch.Tensor, place: torch.Tensor | None) -> torch.Tensor:
        tokens = values * self.norm_scale + self.norm_shift + self.time_embedding[:, None]
        tokens = tokens if place is None else tokens + place
        tokens = tokens.flatten(1, 2)
        keys = self.to_k(tokens).unflatten(-1, (self.num_heads, -1))
        content = self.to_v(tokens).unflatten(-1, (self.num_heads, -1))
        weights = torch.einsum("bnhd,qhd->bqhn", keys, self._heads()).softmax(-1)
        return torch.einsum("bqhn,bnhd->bqhd", weights, content).flatten(2)

    def _pool_folded(self, values: torch.Tensor, place: torch.Tensor | None) -> torch.Tensor:
        # The key bias and every other term equal for all tokens cancels in the softmax.
        channels = values.shape[-1]
        key_weight = self.to_k.weight.view(self.num_heads, -1, channels)
        direction = (self._heads()[..., None] * key_weight).sum(2).flatten(0, 1)
        by_step, by_place = direction @ self.time_embedding.T, None if place is None else direction @ place.T
        sums, steps, places = look(values.flatten(1, 2), direction * self.norm_scale, by_step, by_place)
        pooled = sums * self.norm_scale + self.norm_shift + steps @ self.time_embedding
        pooled = pooled if place is None else pooled + places @ place
        pooled = pooled.unflatten(1, (self.num_queries, self.num_heads))
        value_weight = self.to_v.weight.view(self.num_heads, -1, channels)
        return torch.einsum("bqhc,hdc->bqhd", pooled, value_weight).flatten(2) + self.to_v.bias
