# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Convolutional trunk of the end-to-end reference: a 2-D stem per frame, then (2+1)-D blocks over time."""

import torch
import torch.nn.functional as F
from torch import nn


class ConvUnit(nn.Sequential):
    """Convolution, batch norm, ReLU. Batch norm because it costs a tenth of GroupNorm on a CPU in bf16."""

    def __init__(self, in_channels: int, out_channels: int, kernel: int | tuple[int, int] = 3, stride: int = 1) -> None:
        rows, columns = kernel if isinstance(kernel, tuple) else (kernel, kernel)
        super().__init__(
            nn.Conv2d(in_channels, out_channels, (rows, columns), stride, (rows // 2, columns // 2), bias=False),
            nn.BatchNorm2d(out_channels),
            nn.ReLU(inplace=True),
        )


class ResidualBlock(nn.Module):
    """Two 3x3 units around a shortcut; the branch starts at zero."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = ConvUnit(channels, channels)
        self.second = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(channels)
        nn.init.zeros_(self.norm.weight)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return F.relu(x + self.norm(self.second(self.first(x))))


class TemporalUnit(nn.Module):
    """Residual convolution over time, kernel 3: frames lie along the height of a 2-D convolution, copying nothing."""

    def __init__(self, channels: int, num_frames: int) -> None:
        super().__init__()
        self.num_frames = num_frames
        self.unit = ConvUnit(channels, channels, (3, 1))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        images, channels, height, width = x.shape
        over_time = x.permute(0, 2, 3, 1).reshape(-1, self.num_frames, height * width, channels).permute(0, 3, 1, 2)
        mixed = self.unit(over_time).permute(0, 2, 3, 1).reshape(images, height, width, channels)
        return x + mixed.permute(0, 3, 1, 2)


class Stem(nn.Module):
    """Features of single frames at strides 2, 4, 8; no frame sees another."""

    def __init__(self, widths: tuple[int, int, int]) -> None:
        super().__init__()
        fine, middle, coarse = widths
        self.fine = nn.Sequential(ConvUnit(3, fine, 5, 2), ConvUnit(fine, fine))
        self.middle = nn.Sequential(ConvUnit(fine, middle, 3, 2), ResidualBlock(middle))
        self.coarse = nn.Sequential(ConvUnit(middle, coarse, 3, 2), ResidualBlock(coarse))

    def forward(self, frames: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """(B*T, 3, H, W) -> maps of stride 2, 4, 8."""
        fine = self.fine(frames)
        middle = self.middle(fine)
        return fine, middle, self.coarse(middle)


class Trunk(nn.Module):
    """Stem, time-mixing at strides 4 and 8, and a top-down path back to stride 2."""

    def __init__(self, num_frames: int, widths: tuple[int, int, int] = (32, 64, 96), depth: int = 3) -> None:
        super().__init__()
        fine, middle, coarse = widths
        self.stem = Stem(widths)
        self.time_middle = TemporalUnit(middle, num_frames)
        self.reduce = ConvUnit(middle, coarse, 3, 2)
        blocks = [nn.Sequential(TemporalUnit(coarse, num_frames), ResidualBlock(coarse)) for _ in range(depth)]
        self.blocks = nn.Sequential(*blocks)
        self.lateral_middle = nn.Conv2d(middle, middle, 1)
        self.down_middle = nn.Conv2d(coarse, middle, 1)
        self.merge_middle = ConvUnit(middle, middle)
        self.lateral_fine = nn.Conv2d(fine, fine, 1)
        self.down_fine = nn.Conv2d(middle, fine, 1)
        self.merge_fine = ConvUnit(fine, fine)

    def forward(self, frames: torch.Tensor) -> dict[str, torch.Tensor]:
        """(B*T, 3, H, W) in [-1, 1] -> `frame` (per-frame, stride 8), `clip` (stride 8), `middle` (4), `fine` (2)."""
        fine, middle, coarse = self.stem(frames)
        middle = self.time_middle(middle)
        clip = self.blocks(coarse + self.reduce(middle))
        middle = self.merge_middle(self.lateral_middle(middle) + _double(self.down_middle(clip)))
        fine = self.merge_fine(self.lateral_fine(fine) + _double(self.down_fine(middle)))
        return {"frame": coarse, "clip": clip, "middle": middle, "fine": fine}


def _double(x: torch.Tensor) -> torch.Tensor:
    return F.interpolate(x, scale_factor=2.0, mode="nearest")
