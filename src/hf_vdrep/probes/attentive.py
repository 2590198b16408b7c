# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Attentive classifier: one learned query looks at all tokens of a clip (papers.md 8.1, DeepMind AttentionReadout)."""

import math

import torch
import torch.nn.functional as F
from torch import nn

from .readout import Readout
from .standardise import standardise


class AttentiveClassifier(Readout):
    """LayerNorm -> learned time embedding -> cross-attention of one learned query -> MLP -> linear.

    With z the normalised tokens plus their time embedding and q the query:
    `a = softmax(q . W_k z / sqrt(width / heads)) W_v z`, `y = q + W_o a`, `y = y + MLP(LN(y))`, `logits = W y`.

    A learned query folds into the keys: `q_h . W_k z = (W_k^T q_h) . z`, and `sum_n alpha_n W_v z_n = W_v sum_n alpha_n
    z_n`. So no token is ever projected: the cost falls from 2 * C * width to 2 * C * heads multiply-adds per token, for
    the same function. `folded=False` computes the plain form.

    Args:
        in_channels: C of the features.
        num_steps: T' of the features.
        num_classes: size of the output.
        width: width of query and MLP (the source: 768 to 1024).
        num_heads: attention heads; divides `width`.
        mlp_ratio: hidden width of the MLP over `width`.
        folded: compute the folded form.
    """

    readout_type = "attentive"

    def __init__(
        self,
        in_channels: int,
        num_steps: int,
        num_classes: int,
        *,
        width: int = 128,
        num_heads: int = 8,
        mlp_ratio: float = 4.0,
        folded: bool = True,
    ) -> None:
        super().__init__()
        if width % num_heads:
            raise ValueError(f"width must be a multiple of num_heads, got {width} and {num_heads}")
        self.num_steps, self.num_heads, self.folded = num_steps, num_heads, folded
        self.in_channels = in_channels
        self.norm_scale = nn.Parameter(torch.ones(in_channels))
        self.norm_shift = nn.Parameter(torch.zeros(in_channels))
        self.time_embedding = nn.Parameter(torch.randn(num_steps, in_channels) * 0.02)
        # The source draws it at 0.02: attention is then uniform for the first thousand steps, more than we train.
        self.query = nn.Parameter(torch.randn(width))
        self.to_k = nn.Linear(in_channels, width)
        self.to_v = nn.Linear(in_channels, width)
        self.to_out = nn.Linear(width, width)
        self.mlp_norm = nn.LayerNorm(width)
        hidden = int(width * mlp_ratio)
        self.mlp = nn.Sequential(nn.Linear(width, hidden), nn.GELU(), nn.Linear(hidden, width))
        self.head = nn.Linear(width, num_classes)
        nn.init.zeros_(self.head.weight)
        nn.init.zeros_(self.head.bias)

    def forward(self, values: torch.Tensor, *, standardised: bool = False) -> torch.Tensor:
        """Logits (B, num_classes) of features (B, T', H', W', C).

        `standardised` says that every token has mean 0 and variance 1 already (`standardise`), which saves a pass.
        """
        if values.shape[1] != self.num_steps or values.shape[-1] != self.in_channels:
            expected = f"(B, {self.num_steps}, H', W', {self.in_channels})"
            raise ValueError(f"values must have shape {expected}, got {tuple(values.shape)}")
        values = (values if standardised else standardise(values)).flatten(2, 3)
        pooled = self._pool_folded(values) if self.folded else self._pool_plain(values)
        hidden = self.query + self.to_out(pooled)
        hidden = hidden + self.mlp(self.mlp_norm(hidden))
        return self.head(hidden)

    def _pool_plain(self, values: torch.Tensor) -> torch.Tensor:
        tokens = values * self.norm_scale + self.norm_shift + self.time_embedding[:, None]
        tokens = tokens.flatten(1, 2)
        keys = self.to_k(tokens).unflatten(-1, (self.num_heads, -1))
        content = self.to_v(tokens).unflatten(-1, (self.num_heads, -1))
        query = self.query.view(self.num_heads, -1) / math.sqrt(keys.shape[-1])
        weights = torch.einsum("bnhd,hd->bhn", keys, query).softmax(-1)
        return torch.einsum("bhn,bnhd->bhd", weights, content).flatten(1)

    def _pool_folded(self, values: torch.Tensor) -> torch.Tensor:
        # The key bias and every other term equal for all tokens cancels in the softmax.
        channels, steps = values.shape[-1], values.shape[1]
        key_weight = self.to_k.weight.view(self.num_heads, -1, channels)
        query = self.query.view(self.num_heads, -1, 1) / math.sqrt(key_weight.shape[1])
        direction = (key_weight * query).sum(1)
        per_step = self.time_embedding @ direction.T
        # The two passes over the tokens run in their own precision; the rest is small and runs in the weights'.
        scores = F.linear(values, (direction * self.norm_scale).to(values.dtype)) + per_step[:, None]
        weights = scores.flatten(1, 2).softmax(1)
        pooled = (weights.transpose(1, 2).to(values.dtype) @ values.flatten(1, 2)).to(weights.dtype)
        time_mass = weights.unflatten(1, (steps, -1)).sum(2).transpose(1, 2)
        pooled = pooled * self.norm_scale + self.norm_shift + time_mass @ self.time_embedding
        value_weight = self.to_v.weight.view(self.num_heads, -1, channels)
        return torch.einsum("bhc,hdc->bhd", pooled, value_weight).flatten(1) + self.to_v.bias
