# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Cross-attention-only transformer blocks, as in the SRT and MooG readouts (papers.md 8.2, 8.3)."""

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

    def forward(self, queries: torch.Tensor, keys: torch.Tensor, content: torch.Tensor) -> torch.Tensor:
        """(..., Q, width) and the keys and values of `keys_values` -> (..., Q, width)."""
        looked = self.to_q(self.norm(queries)).unflatten(-1, (self.num_heads, -1))
        looked = _rms_norm(looked, self.q_scale).transpose(-3, -2)
        # Written out: on a CPU in bf16 the fused kernel is six times slower than these two products.
        found = (looked @ keys).softmax(-1, dtype=torch.float32).to(content.dtype) @ content
        queries = queries + self.to_out(found.transpose(-3, -2).flatten(-2))
        return queries + self.mlp(self.mlp_norm(queries))


class CrossAttentionStack(nn.ModuleList):
    """Blocks of one size, one after the other."""

    def __init__(self, num_blocks: int, width: int, num_heads: int, mlp_ratio: float) -> None:
        super().__init__(CrossAttentionBlock(width, num_heads, mlp_ratio) for _ in range(num_blocks))

    def __iter__(self) -> Iterator[CrossAttentionBlock]:
        return cast(Iterator[CrossAttentionBlock], super().__iter__())


def _rms_norm(x: torch.Tensor, scale: torch.Tensor) -> torch.Tensor:
    power = torch.linalg.vecdot(x, x)[..., None].float() / x.shape[-1]
    return x * ((power + 1e-6).rsqrt() * scale).to(x.dtype)
