# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Learned positions: the relative bias of window attention and the resizing of position tables (WALT §4.2)."""

import torch
import torch.nn.functional as F
from torch import nn

from .walt_windows import Grid


class WaltRelativePositionBias(nn.Module):
    """Additive bias by relative offset: one table over space, one over time, summed (Swin-style, WALT §4.2).

    Both tables span the whole training grid, not the window, so that a block has the same parameters whether its
    windows are spatial or spatiotemporal. A window larger than the training grid sees them interpolated.

    Args:
        num_heads: attention heads.
        grid: (T, H, W) tokens of a training sample.
    """

    def __init__(self, num_heads: int, grid: Grid) -> None:
        super().__init__()
        self.grid = grid
        self.time = nn.Parameter(torch.zeros(2 * grid[0] - 1, num_heads))
        self.space = nn.Parameter(torch.zeros(2 * grid[1] - 1, 2 * grid[2] - 1, num_heads))

    def forward(self, window: Grid) -> torch.Tensor:
        """Bias (num_heads, L, L) for the tokens of one window, L = t*h*w."""
        t, h, w = window
        frames, height, width = (max(size, full) for size, full in zip(window, self.grid, strict=True))
        times = interpolate_line(self.time, 2 * frames - 1)
        places = interpolate_space(self.space, (2 * height - 1, 2 * width - 1), align_corners=True)
        time = times[_offsets(t, frames, times.device)]
        rows = _offsets(h, height, places.device)
        columns = _offsets(w, width, places.device)
        space = places[rows[:, None, :, None], columns[None, :, None, :]]
        bias = time[:, None, None, :, None, None] + space[None, :, :, None]
        length = t * h * w
        return bias.reshape(length, length, -1).permute(2, 0, 1)


def _offsets(size: int, full: int, device: torch.device) -> torch.Tensor:
    positions = torch.arange(size, device=device)
    return positions[:, None] - positions[None, :] + full - 1


def interpolate_space(table: torch.Tensor, size: tuple[int, int], align_corners: bool = False) -> torch.Tensor:
    """Resize (H, W, D) to (h, w, D), bicubic; the same table where the size agrees.

    Args:
        table: learned values.
        size: (h, w).
        align_corners: the outermost entries are points that stay where they are (tables over offsets) rather than
            cells that tile the plane (tables over places).
    """
    if tuple(table.shape[:2]) == tuple(size):
        return table
    values = table.permute(2, 0, 1)[None].float()
    resized = F.interpolate(values, size=size, mode="bicubic", align_corners=align_corners)
    return resized[0].permute(1, 2, 0).to(table.dtype)


def interpolate_line(table: torch.Tensor, length: int) -> torch.Tensor:
    """Resize (N, D) to (length, D), linear with the ends kept; the same table where the length agrees."""
    if table.shape[0] == length:
        return table
    resized = F.interpolate(table.T[None].float(), size=length, mode="linear", align_corners=True)
    return resized[0].T.to(table.dtype)
