# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""How the condition scales, shifts and gates a block: AdaLN-LoRA (WALT Eq. 3) or a projection of the block's own."""

import torch
from torch import nn

from .walt_windows import Grid


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

    def forward(
        self, shared: torch.Tensor, embedding: torch.Tensor, grid: Grid | None = None
    ) -> tuple[torch.Tensor, ...]:
        """`shared` A_1 (B, 6d) and the activated condition (B, d) to six (B, 1, d): scale, shift, gate of attention,
        then of the MLP. With a condition for each frame, (B, T, 6d) and (B, T, d) give six (B, T*H*W, d)."""
        if self.down is not None and self.up is not None:
            shared = shared + self.up(self.down(embedding))
        return split_modulation(shared, grid)


class AdaLayerNorm(nn.Module):
    """A modulation of the block's own, one linear layer d -> 6d (the L model of WALT Table 4 and on ImageNet).

    Args:
        dim: width d.
    """

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.linear = nn.Linear(dim, 6 * dim)

    def forward(
        self, shared: torch.Tensor | None, embedding: torch.Tensor, grid: Grid | None = None
    ) -> tuple[torch.Tensor, ...]:
        """As `AdaLayerNormLora`; there is nothing shared."""
        return split_modulation(self.linear(embedding), grid)


def split_modulation(modulation: torch.Tensor, grid: Grid | None) -> tuple[torch.Tensor, ...]:
    """(B, 6d) -> scale, shift, gate of attention, then of the MLP, each (B, 1, d); (B, T, 6d) -> each (B, T*H*W, d)."""
    modulation = per_token(modulation, grid)
    scale_attn, scale_ff, shift_attn, shift_ff, gate_attn, gate_ff = modulation.chunk(6, dim=-1)
    return scale_attn, shift_attn, gate_attn, scale_ff, shift_ff, gate_ff


def per_token(condition: torch.Tensor, grid: Grid | None) -> torch.Tensor:
    """(B, n) -> (B, 1, n), the same for all tokens; (B, T, n) -> (B, T*H*W, n), the same for those of a frame."""
    if condition.ndim == 2:
        return condition.unsqueeze(1)
    if grid is None or condition.shape[1] != grid[0]:
        raise ValueError(
            f"a condition for each frame must have the frames of the grid {grid}, got {condition.shape[1]}"
        )
    return condition.repeat_interleave(grid[1] * grid[2], dim=1)


def modulate(normed: torch.Tensor, scale: torch.Tensor, shift: torch.Tensor) -> torch.Tensor:
    """normed * (1 + scale) + shift."""
    return torch.addcmul(shift, normed, 1 + scale)
