# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Attentive classifier: one learned query looks at all tokens of a clip (papers.md 8.1, DeepMind AttentionReadout)."""

import torch
from torch import nn

from .pooling import AttentivePooling


class AttentiveClassifier(AttentivePooling):
    """LayerNorm -> learned time embedding -> cross-attention of one learned query -> MLP -> linear.

    With y what the query finds (`AttentivePooling`): `y = y + MLP(LN(y))`, `logits = W y`.

    Args:
        in_channels: C of the features.
        num_steps: T' of the features.
        num_classes: size of the output.
        width: width of query and MLP (the source: 768 to 1024).
        num_heads: attention heads; divides `width`.
        mlp_ratio: hidden width of the MLP over `width`.
        folded: compute the folded form.
        statistics: tokens carry their mean and deviation beside them (`standardise`); the source's do not.
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
        statistics: bool = False,
    ) -> None:
        super().__init__(in_channels, num_steps, width=width, num_heads=num_heads, folded=folded, statistics=statistics)
        self.num_classes = num_classes
        self.mlp_norm = nn.LayerNorm(width)
        hidden = int(width * mlp_ratio)
        self.mlp = nn.Sequential(nn.Linear(width, hidden), nn.GELU(), nn.Linear(hidden, width))
        self.head = nn.Linear(width, num_classes)
        nn.init.zeros_(self.head.weight)
        nn.init.zeros_(self.head.bias)

    def forward(self, values: torch.Tensor, *, standardised: bool = False) -> torch.Tensor:
        """Logits (B, num_classes) of features (B, T', H', W', C).

        `standardised` says that the values are what `self.standardise` makes already, which saves a pass.
        """
        hidden = self.attend(values, standardised=standardised)[:, 0]
        hidden = hidden + self.mlp(self.mlp_norm(hidden))
        return self.head(hidden)
