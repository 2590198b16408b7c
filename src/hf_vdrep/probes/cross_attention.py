# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Cross-attention-only transformer blocks, as in the SRT and MooG readouts (papers.md 8.2, 8.3)."""

import math
from collections.abc import Iterator
from typing import cast

import torch
from torch import nn


class CrossAttentionBlock(nn.Module):
    """Pre-norm cross-attention and MLP around residuals; RMS norm on queries and keys; no self-attention.

    Keys and values are made apart from the look-up, so that a recurrent readout makes them once for all frames.

    Args:
        width: of queries, tokens, keys and values.
        num_heads: divides `width`.
        mlp_ratio: hidden width of the MLP over `width`.
    """

    def __init__(self, width: int, num_heads: int, mlp_ratio: float = 4.0) -> None:
        super().__init__()
        if width % num_heads:
            raise ValueError(f"width must be a multiple of num_heads, got {width} and {num_heads}")
        self.num_heads = num_heads
        self.norm = nn.LayerNorm(width)
        self.to_q = nn.Linear(width, width)
        self.to_k = nn.Linear(width, width)
        self.to_v = nn.Linear(width, width)
        self.to_out = nn.Linear(width, width)
        self.q_scale = nn.Parameter(torch.ones(width // num_heads))
        self.k_scale = nn.Parameter(torch.ones(width // num_heads))
        self.mlp_norm = nn.LayerNorm(width)
        hidden = int(width * mlp_ratio)
        self.mlp = nn.Sequential(nn.Linear(width, hidden), nn.GELU(approximate="tanh"), nn.Linear(hidden, width))

    def keys_values(self, tokens: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """(..., N, width) -> keys (..., heads, d, N) and values (..., heads, N, d)."""
        keys = self.to_k(tokens).unflatten(-1, (self.num_heads, -1))
        keys = _rms_norm(keys, self.k_scale * keys.shape[-1] ** -0.5)
        content = self.to_v(tokens).unflatten(-1, (self.num_heads, -1))
        return keys.movedim(-3, -1), content.transpose(-3, -2).contiguous()

    def forward(
        self, queries: torch.Tensor, keys: torch.Tensor, content: torch.Tensor, bias: torch.Tensor | None = None
    ) -> torch.Tensor:
        """(..., Q, width), the keys and values of `keys_values` and a bias (..., heads, Q, N) -> (..., Q, width)."""
        looked = self.to_q(self.norm(queries)).unflatten(-1, (self.num_heads, -1))
        looked = _rms_norm(looked, self.q_scale).transpose(-3, -2)
        # Written out: on a CPU in bf16 the fused kernel is six times slower than these two products.
        logits = looked @ keys if bias is None else looked @ keys + bias.to(looked.dtype)
        found = logits.softmax(-1, dtype=torch.float32).to(content.dtype) @ content
        queries = queries + self.to_out(found.transpose(-3, -2).flatten(-2))
        return queries + self.mlp(self.mlp_norm(queries))


class NearBias(nn.Module):
    """Attention bias -k_h * distance^2 between queries and tokens: heads start by looking at what is near.

    Without it, a readout of few steps spends them on learning where its queries lie. Every head's k is learned; one
    head starts almost blind to distance.

    Args:
        num_heads: heads; their reach starts between 0.08 of the frame and all of it.
    """

    def __init__(self, num_heads: int) -> None:
        super().__init__()
        reach = torch.logspace(math.log10(0.08), 0.0, num_heads)
        self.log_sharpness = nn.Parameter(-(2 * reach.square()).log())

    def forward(self, queries: torch.Tensor, tokens: torch.Tensor) -> torch.Tensor:
        """Points (..., Q, 2) and (N, 2), x, y in [0, 1] -> (..., heads, Q, N)."""
        squared = (queries[..., :, None, :] - tokens).square().sum(-1)
        return -self.log_sharpness.exp()[:, None, None] * squared.unsqueeze(-3)


class CrossAttentionStack(nn.ModuleList):
    """Blocks of one size, one after the other."""

    def __init__(self, num_blocks: int, width: int, num_heads: int, mlp_ratio: float) -> None:
        super().__init__(CrossAttentionBlock(width, num_heads, mlp_ratio) for _ in range(num_blocks))

    def __iter__(self) -> Iterator[CrossAttentionBlock]:
        return cast(Iterator[CrossAttentionBlock], super().__iter__())


def _rms_norm(x: torch.Tensor, scale: torch.Tensor) -> torch.Tensor:
    power = torch.linalg.vecdot(x, x)[..., None].float() / x.shape[-1]
    return x * ((power + 1e-6).rsqrt() * scale).to(x.dtype)
