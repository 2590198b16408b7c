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
        # Pixels of 2 x 2 side by side: the same sight as a strided 5x5 convolution of the image, for half its cost.
        self.fine = nn.Sequential(nn.PixelUnshuffle(2), ConvUnit(12, fine), ConvUnit(fine, fine))
        self.middle = nn.Sequential(ConvUnit(fine, middle, 3, 2), ResidualBlock(middle))
        self.coarse = nn.Sequential(ConvUnit(middle, coarse, 3, 2), ResidualBlock(coarse))

    def forward(self, frames: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """(B*T, 3, H, W) -> maps of stride 2, 4, 8."""
        fine = self.fine(frames)
        middle = self.middle(fine)
        return fine, middle, self.coarse(middle)


class Looks(nn.Sequential):
    """Maps made comparable: projected, every channel with mean 0 and variance 1, so that what all places share does not
    drown what tells them apart."""

    def __init__(self, channels: int, width: int) -> None:
        super().__init__(nn.Conv2d(channels, width, 1, bias=False), nn.BatchNorm2d(width, affine=False))


class Neighbours(nn.Module):
    """Correlation of every place with the places around it in the next frame: what moved where, before any learning.

    The last frame has no next one and gets zeros.

    Args:
        channels: width of the maps.
        num_frames: T.
        match_width: channels in which places are compared.
        radius: of the window, in cells.
    """

    def __init__(self, channels: int, num_frames: int, *, match_width: int = 32, radius: int = 2) -> None:
        super().__init__()
        self.num_frames, self.radius = num_frames, radius
        self.embed = Looks(channels, match_width)
        self.mix = nn.Conv2d((2 * radius + 1) ** 2, channels, 1)

    def forward(self, maps: torch.Tensor) -> torch.Tensor:
        """(B*T, C, h, w) -> the same."""
        looks = self.embed(maps).permute(0, 2, 3, 1).unflatten(0, (-1, self.num_frames))
        radius = self.radius
        around = F.pad(looks[:, 1:], (0, 0, radius, radius, radius, radius))
        here = looks[:, :-1] * looks.shape[-1] ** -0.5
        height, width = looks.shape[2:4]
        windows = []
        for row in range(2 * radius + 1):
            # Each row against one row of the next frame, of which the band around the diagonal is kept.
            products = here @ around[:, :, row : row + height].transpose(-1, -2)
            shape, strides = products.shape[:3], products.stride()
            size = (*shape, width, 2 * radius + 1)
            windows.append(products.as_strided(size, (*strides[:3], strides[3] + 1, 1)))
        found = F.pad(torch.cat(windows, -1), (0, 0, 0, 0, 0, 0, 0, 1)).flatten(0, 1).permute(0, 3, 1, 2)
        return self.mix(found)


class Trunk(nn.Module):
    """Stem, neighbours and time-mixing at strides 4 and 8, and a top-down path back to stride 4."""

    def __init__(self, num_frames: int, widths: tuple[int, int, int] = (32, 64, 96), depth: int = 3) -> None:
        super().__init__()
        _, middle, coarse = widths
        self.stem = Stem(widths)
        self.neighbours = Neighbours(middle, num_frames)
        self.time_middle = TemporalUnit(middle, num_frames)
        self.reduce = ConvUnit(middle, coarse, 3, 2)
        blocks = [nn.Sequential(TemporalUnit(coarse, num_frames), ResidualBlock(coarse)) for _ in range(depth)]
        self.blocks = nn.Sequential(*blocks)
        self.lateral = nn.Conv2d(middle, middle, 1)
        self.down = nn.Conv2d(coarse, middle, 1)
        self.merge = ConvUnit(middle, middle)

    def forward(self, frames: torch.Tensor) -> dict[str, torch.Tensor]:
        """(B*T, 3, H, W) in [-1, 1] -> maps of single frames, `fine` (stride 2), `middle` (4), `coarse` (8), and of the
        whole clip, `moving` (4) and `clip` (8)."""
        fine, middle, coarse = self.stem(frames)
        moving = self.time_middle(middle + self.neighbours(middle))
        clip = self.blocks(coarse + self.reduce(moving))
        moving = self.merge(self.lateral(moving) + double(self.down(clip)))
        return {"fine": fine, "middle": middle, "coarse": coarse, "moving": moving, "clip": clip}


def double(x: torch.Tensor) -> torch.Tensor:
    """Twice the height and width, each cell repeated."""
    return F.interpolate(x, scale_factor=2.0, mode="nearest")
