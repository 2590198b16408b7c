# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""The two kinds of WALT block and their AdaLN-LoRA conditioning (WALT §4.2, Eq. 3)."""

import torch
from diffusers.models.attention import FeedForward
from torch import nn

from .walt_attention import Grid, WaltAttention


class AdaLayerNormLora(nn.Module):
    """Per-block modulation A_i = A_1 + W_b W_a e: a shared projection plus a low-rank correction (WALT Eq. 3).

    Args:
        dim: width d.
        rank: r of the correction; 0 leaves the shared projection alone (the first block).
    """

    def __init__(self, dim: int, rank: int) -> None:
        super().__init__()
        self.down = nn.Linear(dim, rank, bias=False) if rank else None
        self.up = nn.Linear(rank, 6 * dim, bias=False) if rank else None

    def forward(self, shared: torch.Tensor, embedding: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """`shared` A_1 (B, 6d) and the activated condition (B, d) to six (B, 1, d): scale, shift, gate of attention,
        then of the MLP."""
        if self.down is not None and self.up is not None:
            shared = shared + self.up(self.down(embedding))
        scale_attn, scale_ff, shift_attn, shift_ff, gate_attn, gate_ff = shared.unsqueeze(1).chunk(6, dim=-1)
        return scale_attn, shift_attn, gate_attn, scale_ff, shift_ff, gate_ff


class WaltSpatialBlock(nn.Module):
    """Attention within windows of one latent frame, then the MLP.

    Args:
        dim: token width.
        heads: attention heads.
        grid: (T, H, W) tokens of a training sample.
        window: (1, h, w) attention window.
        rank: AdaLN-LoRA rank, 0 for the first block.
        mlp_ratio: hidden width of the MLP over `dim`.
    """

    def __init__(self, dim: int, heads: int, grid: Grid, window: Grid, rank: int, mlp_ratio: float) -> None:
        super().__init__()
        self.window = window
        self.norm1 = nn.LayerNorm(dim, eps=1e-6, elementwise_affine=False)
        self.attn = WaltAttention(dim, heads, grid)
        self.norm2 = nn.LayerNorm(dim, eps=1e-6, elementwise_affine=False)
        self.ff = FeedForward(dim, mult=mlp_ratio, activation_fn="gelu-approximate")
        self.modulation = AdaLayerNormLora(dim, rank)

    def forward(
        self,
        hidden_states: torch.Tensor,
        shared_modulation: torch.Tensor,
        embedding: torch.Tensor,
        grid: Grid,
        image_mask: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """(B, T*H*W, D) -> same. A frame is seen alone here, so `image_mask` changes nothing."""
        scale1, shift1, gate1, scale2, shift2, gate2 = self.modulation(shared_modulation, embedding)
        attended = self.attn(torch.addcmul(shift1, self.norm1(hidden_states), 1 + scale1), grid, self.window)
        hidden_states = torch.addcmul(hidden_states, gate1, attended)
        changed = self.ff(torch.addcmul(shift2, self.norm2(hidden_states), 1 + scale2))
        return torch.addcmul(hidden_states, gate2, changed)


class WaltSpatiotemporalBlock(WaltSpatialBlock):
    """Attention within windows that span all latent frames, then the MLP.

    `window` is (T, h, w). Images pass by the identity rule: every token attends to itself alone, so only its value
    embedding goes through (WALT §4.2).
    """

    def forward(
        self,
        hidden_states: torch.Tensor,
        shared_modulation: torch.Tensor,
        embedding: torch.Tensor,
        grid: Grid,
        image_mask: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """(B, T*H*W, D) -> same; samples with `image_mask` (B,), and all if T = 1, follow the identity rule."""
        scale1, shift1, gate1, scale2, shift2, gate2 = self.modulation(shared_modulation, embedding)
        normed = torch.addcmul(shift1, self.norm1(hidden_states), 1 + scale1)
        if grid[0] == 1:
            attended = self.attn.identity(normed)
        else:
            attended = self.attn(normed, grid, (grid[0], *self.window[1:]), image_mask)
        hidden_states = torch.addcmul(hidden_states, gate1, attended)
        changed = self.ff(torch.addcmul(shift2, self.norm2(hidden_states), 1 + scale2))
        return torch.addcmul(hidden_states, gate2, changed)
