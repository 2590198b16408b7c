# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Point tracker of the end-to-end reference: correlation look-ups and temporal refinement.

The points start where they were asked for, in every frame; each round looks up the correlation of the query's feature
with the frames around the present guess (RAFT, arXiv 2003.12039, on three strides), lets the track's frames talk to
each other (PIPs, TAPIR), and moves the guess.
"""

import torch
import torch.nn.functional as F
from torch import nn

from .fourier import fourier_features
from .outputs import PointTracks

LEVELS = 3
RADIUS = 3


class TrackMixer(nn.Module):
    """Residual block over the frames of one track: convolution over time, then an MLP."""

    def __init__(self, width: int, kernel: int = 5) -> None:
        super().__init__()
        self.time_norm = nn.LayerNorm(width)
        self.time = nn.Conv2d(width, width, (kernel, 1), padding=(kernel // 2, 0))
        self.mlp_norm = nn.LayerNorm(width)
        self.mlp = nn.Sequential(nn.Linear(width, 2 * width), nn.GELU(), nn.Linear(2 * width, width))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(B, T, N, width) -> the same."""
        x = x + self.time(self.time_norm(x).permute(0, 3, 1, 2)).permute(0, 2, 3, 1)
        return x + self.mlp(self.mlp_norm(x))


class PointRefiner(nn.Module):
    """Tracks query points of frame 0 through feature maps of stride 2.

    Args:
        channels: width of the feature maps.
        context_channels: width of the maps sampled at the present guess.
        width: width of the track's state.
        rounds: number of refinements.
        depth: mixing blocks per round.
    """

    def __init__(
        self, channels: int, context_channels: int, *, width: int = 96, rounds: int = 3, depth: int = 2
    ) -> None:
        super().__init__()
        self.rounds = rounds
        self.to_match = nn.Conv2d(channels, channels, 1)
        seen = LEVELS * (2 * RADIUS + 1) ** 2 + context_channels + 2 + 16 + width
        self.read = nn.Linear(seen, width)
        self.start = nn.Linear(channels, width)
        self.mixers = nn.Sequential(*[TrackMixer(width) for _ in range(depth)])
        self.out_norm = nn.LayerNorm(width)
        self.move = nn.Linear(width, 2)
        self.judge = nn.Linear(width, 2)
        nn.init.zeros_(self.move.weight)
        nn.init.zeros_(self.move.bias)

    def forward(self, fine: torch.Tensor, context: torch.Tensor, query_points: torch.Tensor) -> list[PointTracks]:
        """One prediction per round.

        Args:
            fine: (B, T, C, H/2, W/2) maps to match in.
            context: (B, T, C', h, w) maps that have seen the whole clip.
            query_points: (B, N, 2) in [0, 1], in frame 0.
        """
        batch, frames = fine.shape[:2]
        maps = self.to_match(fine.flatten(0, 1)).float().unflatten(0, (batch, frames))
        query = sample_maps(maps[:, :1], query_points[:, None])[:, 0]
        pyramid = _correlation_pyramid(maps, query)
        guess = query_points[:, None].expand(-1, frames, -1, -1).float()
        state = self.start(query)[:, None].expand(-1, frames, -1, -1)
        found = []
        for _ in range(self.rounds):
            guess = guess.detach()
            seen = [
                look_up(pyramid, guess),
                sample_maps(context, guess),
                (guess - query_points[:, None]) * 8,
                fourier_features(guess, 4),
                state,
            ]
            state = self.mixers(self.read(torch.cat([part.to(state.dtype) for part in seen], dim=-1)))
            read = self.out_norm(state)
            guess = guess + self.move(read).float() / 16
            visible, certain = self.judge(read).float().unbind(-1)
            swap = [part.transpose(1, 2) for part in (guess, visible, certain)]
            found.append(PointTracks(*swap))
        return found


def sample_maps(maps: torch.Tensor, points: torch.Tensor) -> torch.Tensor:
    """Bilinear samples of (B, T, C, H, W) at points (B, T, N, 2) in [0, 1]: float32 (B, T, N, C)."""
    batch, frames = maps.shape[:2]
    grid = (points * 2 - 1).flatten(0, 1)[:, None].float()
    sampled = F.grid_sample(maps.flatten(0, 1).float(), grid, padding_mode="border", align_corners=False)
    return sampled[:, :, 0].transpose(1, 2).unflatten(0, (batch, frames))


def _correlation_pyramid(maps: torch.Tensor, query: torch.Tensor) -> list[torch.Tensor]:
    """Correlations (B*T*N, 1, h, w) of each query with every place, at LEVELS strides."""
    channels, height, width = maps.shape[2:]
    correlation = (query * channels**-0.5)[:, None] @ maps.flatten(3)
    levels = [correlation.reshape(-1, 1, height, width)]
    for _ in range(LEVELS - 1):
        levels.append(F.avg_pool2d(levels[-1], 2))
    return levels


def look_up(pyramid: list[torch.Tensor], points: torch.Tensor) -> torch.Tensor:
    """Correlations in a (2 * RADIUS + 1)^2 window of each level's cells around points (B, T, N, 2)."""
    offsets = torch.arange(-RADIUS, RADIUS + 1, dtype=torch.float32, device=points.device)
    window = torch.stack(torch.meshgrid(offsets, offsets, indexing="xy"), dim=-1)
    centres = points.reshape(-1, 1, 1, 2).float()
    found = []
    for level in pyramid:
        size = torch.tensor([level.shape[-1], level.shape[-2]], dtype=torch.float32, device=points.device)
        grid = (centres + window / size) * 2 - 1
        found.append(F.grid_sample(level, grid, padding_mode="zeros", align_corners=False).flatten(1))
    return torch.cat(found, dim=-1).unflatten(0, points.shape[:3])
