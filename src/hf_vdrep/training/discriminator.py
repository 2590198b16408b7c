# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""The 3-D discriminator of the tokenizer's adversarial loss (MAGVIT's StyleGAN-3D with blur-pool downsampling)."""

import math
from collections.abc import Sequence
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import nn


class BlurPool3d(nn.Module):
    """Low-pass filter ([1, 2, 1] / 4 along each axis), then every second sample of time, height and width.

    Replicated borders keep constants constant, so a single frame is halved in space alone. Odd lengths keep both ends:
    17 -> 9 -> 5 -> 3 -> 2 -> 1.
    """

    def forward(self, hidden_states: torch.Tensor) -> torch.Tensor:
        """(B, C, T, H, W) -> (B, C, ceil(T/2), ceil(H/2), ceil(W/2))."""
        for axis in (2, 3, 4):
            if hidden_states.shape[axis] > 1:
                hidden_states = _blur_and_halve(hidden_states, axis)
        return hidden_states


def _blur_and_halve(values: torch.Tensor, axis: int) -> torch.Tensor:
    size = values.shape[axis]
    first, last = values.narrow(axis, 0, 1), values.narrow(axis, size - 1, 1)
    padded = torch.cat([first, values, last], dim=axis).movedim(axis, -1)
    end = size + size % 2
    before, here, after = (padded[..., offset : end + offset : 2] for offset in range(3))
    return (0.5 * here + 0.25 * (before + after)).movedim(-1, axis)


class DiscriminatorBlock(nn.Module):
    """Residual block that halves every axis: (main + shortcut) / sqrt(2)."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv3d(in_channels, in_channels, 3, padding=1)
        self.conv2 = nn.Conv3d(in_channels, out_channels, 3, padding=1)
        self.shortcut = nn.Conv3d(in_channels, out_channels, 1, bias=False)
        self.pool = BlurPool3d()

    def forward(self, hidden_states: torch.Tensor) -> torch.Tensor:
        shortcut = self.shortcut(self.pool(hidden_states))
        hidden_states = F.leaky_relu(self.conv1(hidden_states), 0.2)
        hidden_states = F.leaky_relu(self.conv2(self.pool(hidden_states)), 0.2)
        return (hidden_states + shortcut) / math.sqrt(2)


class VideoDiscriminator(nn.Module):
    """One real number per clip: high for clips of the data set, low for reconstructions (papers.md §1.2, §1.3).

    conv 3x3x3 -> residual blocks, each halving time, height and width after a blur -> conv -> mean over what is left
    of time -> flatten -> linear -> leaky ReLU -> linear. Works on any number of frames, at the size it was made for.

    Args:
        resolution: height and width of the clips, pixels.
        in_channels: pixel channels.
        base_channels: width of the first convolution.
        multipliers: width of every block, in base channels.
    """

    def __init__(
        self,
        resolution: int,
        in_channels: int = 3,
        base_channels: int = 64,
        multipliers: Sequence[int] = (2, 4, 4, 4, 4),
    ) -> None:
        super().__init__()
        self.resolution = resolution
        widths = [base_channels, *(base_channels * factor for factor in multipliers)]
        side = resolution
        for _ in multipliers:
            side = (side + 1) // 2
        self.conv_in = nn.Conv3d(in_channels, widths[0], 3, padding=1)
        self.blocks = nn.ModuleList(DiscriminatorBlock(a, b) for a, b in pairwise(widths))
        self.conv_out = nn.Conv3d(widths[-1], widths[-1], 3, padding=1)
        self.hidden = nn.Linear(widths[-1] * side * side, widths[-1])
        self.logit = nn.Linear(widths[-1], 1)

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        """(B, 3, T, H, W) in [-1, 1] -> (B,).

        Raises:
            ValueError: another height or width than `resolution`.
        """
        if pixels.shape[3:] != (self.resolution, self.resolution):
            size = f"{pixels.shape[3]}x{pixels.shape[4]}"
            raise ValueError(f"pixels must be {self.resolution}x{self.resolution}, got {size}")
        hidden_states = F.leaky_relu(self.conv_in(pixels), 0.2)
        for block in self.blocks:
            hidden_states = block(hidden_states)
        hidden_states = F.leaky_relu(self.conv_out(hidden_states), 0.2).mean(2).flatten(1)
        return self.logit(F.leaky_relu(self.hidden(hidden_states), 0.2)).squeeze(1)
