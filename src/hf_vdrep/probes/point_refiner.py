# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Point tracker of the end-to-end reference: carried along by velocities, then refined by correlation.

A small network reads a point's velocity from the maps around it; from frame 0, the velocities carry the point through
the clip. Rounds then look up the correlation of the query's features with the frames around the present guess (RAFT,
arXiv 2003.12039, here with a map of its own for each stride), let the track's frames talk to each other (PIPs, TAPIR),
and move the guess.
"""

from collections.abc import Sequence

import torch
from torch import nn

from .fourier import fourier_features
from .glance import bilinear_weights
from .outputs import PointTracks
from .reference_trunk import Looks

RADIUS = 3
SCALE = 16.0

Maps = Sequence[torch.Tensor]


class TrackMixer(nn.Module):
    """Residual block over the frames of one track: convolution over time, then an MLP."""

    def __init__(self, width: int, kernel: int = 5) -> None:
        super().__init__()
        self.time_norm = nn.LayerNorm(width)
        self.time = nn.Conv2d(width, width, (kernel, 1), padding=(kernel // 2, 0))
        self.mlp_norm = nn.LayerNorm(width)
        self.mlp = nn.Sequential(nn.Linear(width, 2 * width), nn.GELU("tanh"), nn.Linear(2 * width, width))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(B, T, N, width) -> the same."""
        x = x + self.time(self.time_norm(x).permute(0, 3, 1, 2)).permute(0, 2, 3, 1)
        return x + self.mlp(self.mlp_norm(x))


class PointRefiner(nn.Module):
    """Tracks query points of frame 0 through maps of several strides.

    Maps are (B, T, h, w, C): those of single frames, in which points are matched, and one of the whole clip, in which
    motion is read.

    Args:
        channels: of the single-frame maps.
        moving_channels: of the clip's map.
        num_frames: T.
        width: width of the track's state.
        match_width: channels in which query and frames are compared.
        rounds: number of refinements.
        depth: mixing blocks per round.
    """

    def __init__(
        self,
        channels: Sequence[int],
        moving_channels: int,
        num_frames: int,
        *,
        width: int = 96,
        match_width: int = 32,
        rounds: int = 3,
        depth: int = 2,
    ) -> None:
        super().__init__()
        self.rounds = rounds
        self.to_match = nn.ModuleList(Looks(each, match_width) for each in channels)
        # A frame's cell of the finest map tells its four pixels apart.
        self.to_match_pixels = Looks(channels[0], 4 * (match_width // 2))
        self.velocity = nn.Sequential(
            nn.Linear(moving_channels + channels[0], width), nn.GELU("tanh"), nn.Linear(width, 2)
        )
        seen = (1 + len(channels)) * (2 * RADIUS + 1) ** 2 + moving_channels + 2 + 16 + width
        self.read = nn.Linear(seen, width)
        self.start = nn.Linear(match_width // 2 + match_width * len(channels), width)
        self.moment = nn.Parameter(torch.zeros(num_frames, 1, width))
        self.mixers = nn.Sequential(*[TrackMixer(width) for _ in range(depth)])
        self.out_norm = nn.LayerNorm(width)
        self.move = nn.Linear(width, 2)
        self.judge = nn.Linear(width, 2)
        for parameter in (*self.move.parameters(), *self.velocity[-1].parameters()):
            nn.init.zeros_(parameter)

    def velocities(self, fine: torch.Tensor, moving: torch.Tensor, places: torch.Tensor) -> torch.Tensor:
        """Motion (..., N, 2) to the next frame, in frames' sizes, of what lies at places (..., N, 2).

        Args:
            fine: (..., h, w, C) map of single frames.
            moving: (..., h', w', C') map of the clip at the same frames.
            places: in [0, 1].
        """
        around = torch.cat([sample_maps(moving, places), sample_maps(fine, places)], -1)
        return self.velocity(around).float() / SCALE

    @torch.no_grad()
    def carry(self, fine: torch.Tensor, moving: torch.Tensor, query_points: torch.Tensor) -> torch.Tensor:
        """Places (B, T, N, 2) of points that follow the velocities from frame 0."""
        places = [query_points.float()]
        for frame in range(fine.shape[1] - 1):
            step = self.velocities(fine[:, frame], moving[:, frame], places[-1])
            places.append((places[-1] + step).clamp(-0.5, 1.5))
        return torch.stack(places, 1)

    def forward(self, maps: Maps, moving: torch.Tensor, query_points: torch.Tensor) -> list[PointTracks]:
        """One prediction per round.

        Args:
            maps: of single frames, finest first.
            moving: of the clip.
            query_points: (B, N, 2) in [0, 1], in frame 0.
        """
        guess = self.carry(maps[0], moving, query_points)
        looks = [_looks(embed, each) for embed, each in zip(self.to_match, maps, strict=True)]
        looks.append(_apart(_looks(self.to_match_pixels, maps[0])))
        queries = [sample_maps(each[:, 0], query_points) for each in looks]
        volumes = [_correlation(each, query) for each, query in zip(looks, queries, strict=True)]
        state = (self.start(torch.cat(queries, -1))[:, None] + self.moment).expand(*guess.shape[:3], -1)
        found = []
        for _ in range(self.rounds):
            guess = guess.detach()
            seen = [
                *(look_up(volume, guess) for volume in volumes),
                sample_maps(moving, guess),
                (guess - query_points[:, None]) * 8,
                fourier_features(guess, 4),
                state,
            ]
            state = self.mixers(self.read(torch.cat([part.to(state.dtype) for part in seen], dim=-1)))
            read = self.out_norm(state)
            guess = guess + self.move(read).float() / SCALE
            visible, certain = self.judge(read).float().unbind(-1)
            found.append(PointTracks(*[part.transpose(1, 2) for part in (guess, visible, certain)]))
        return found


def sample_maps(maps: torch.Tensor, points: torch.Tensor) -> torch.Tensor:
    """Bilinear samples (..., N, C) of (..., h, w, C) at points (..., N, 2) in [0, 1]; the border's beyond it."""
    # A product with the weights: on a CPU, the gradient of grid_sample costs ten times as much.
    return bilinear_weights(points.float(), *maps.shape[-3:-1]).to(maps.dtype) @ maps.flatten(-3, -2)


def _looks(embed: nn.Module, maps: torch.Tensor) -> torch.Tensor:
    """(B, T, h, w, C) -> (B, T, h, w, match_width)."""
    return embed(maps.flatten(0, 1).permute(0, 3, 1, 2)).permute(0, 2, 3, 1).unflatten(0, maps.shape[:2])


def _apart(looks: torch.Tensor) -> torch.Tensor:
    """(B, T, h, w, 4C) -> (B, T, 2h, 2w, C)."""
    parts = looks.unflatten(-1, (2, 2, -1)).movedim(-3, 3)  # (B, T, h, 2, w, 2, C)
    return parts.flatten(2, 3).flatten(3, 4)


def _correlation(looks: torch.Tensor, query: torch.Tensor) -> torch.Tensor:
    """Products (B, T, N, h, w) of each query (B, N, C) with every place of (B, T, h, w, C)."""
    height, width, channels = looks.shape[2:]
    found = (query * channels**-0.5)[:, None] @ looks.flatten(2, 3).transpose(-1, -2)
    return found.unflatten(-1, (height, width))


def look_up(volume: torch.Tensor, points: torch.Tensor) -> torch.Tensor:
    """Bilinear values in a (2 * RADIUS + 1)^2 window of cells around points (B, T, N, 2); zero beyond the border.

    Args:
        volume: (B, T, N, h, w), a map for each point.
        points: in [0, 1].

    Returns:
        (B, T, N, (2 * RADIUS + 1)^2), row after row.
    """
    height, width = volume.shape[-2:]
    down, across = _window(points[..., 1], height), _window(points[..., 0], width)
    return (down.to(volume.dtype) @ volume @ across.to(volume.dtype).transpose(-1, -2)).flatten(-2)


def _window(x: torch.Tensor, cells: int) -> torch.Tensor:
    """Weights (..., 2 * RADIUS + 1, cells) that sample a line of cells around x in [0, 1]."""
    offsets = torch.arange(-RADIUS, RADIUS + 1, device=x.device)
    place = (x * cells - 0.5)[..., None, None] + offsets[:, None]
    return (1 - (place - torch.arange(cells, device=x.device)).abs()).clamp(min=0)
