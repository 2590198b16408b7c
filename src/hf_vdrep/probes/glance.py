# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""The trackers' look at a frame: cross-attention that knows where it stands, what it seeks and how far off that is."""

import math
from collections.abc import Iterator
from typing import cast

import torch
import torch.nn.functional as F
from torch import nn

OFFSET_SCALE = 8.0


class Sight(nn.Module):
    """Attention logits of places and of looks alike: -k_h * distance^2 + s_h * similarity, k and s learned per head.

    Nearness alone follows what moves little; similarity to the query's own feature finds it again where it went.
    Without the two, a readout of few steps spends them on learning where its queries lie and what they look like.

    Args:
        in_channels: C of the features.
        num_heads: heads; their reach starts between 0.08 of the frame and all of it.
        match_width: channels in which looks are compared.
        centred: take away what all tokens of a step share, which tells none of them apart.
    """

    def __init__(self, in_channels: int, num_heads: int, match_width: int, *, centred: bool = True) -> None:
        super().__init__()
        self.centred = centred
        self.to_match = nn.Linear(in_channels, match_width, bias=False)
        reach = torch.logspace(math.log10(0.08), 0.0, num_heads)
        self.log_sharpness = nn.Parameter(-(2 * reach.square()).log())
        self.likeness = nn.Parameter(torch.full((num_heads,), 6.0))

    def looks(self, values: torch.Tensor) -> torch.Tensor:
        """(B, T', S, C) -> unit vectors (B, T', S, match_width)."""
        looks = self.to_match(values).float()
        return F.normalize(looks - looks.mean(2, keepdim=True) if self.centred else looks, dim=-1)

    def bias(self, places: torch.Tensor, centres: torch.Tensor, similarity: torch.Tensor) -> torch.Tensor:
        """Places (B, N, 2), token centres (S, 2) and similarities (B, N, S) -> logits (B, heads, N, S)."""
        squared = (places[:, :, None] - centres).square().sum(-1)
        near = self.log_sharpness.exp()[:, None, None] * squared[:, None]
        return self.likeness[:, None, None] * similarity[:, None] - near


class Glance(nn.Module):
    """Pre-norm cross-attention and MLP around residuals.

    Beside the content, each head brings the mean offset of what it saw from the place that it looked from (a
    soft-argmax), so that a displacement need not be learned from positions.

    Args:
        width: of queries and tokens.
        num_heads: divides `width`.
        mlp_ratio: hidden width of the MLP over `width`.
    """

    def __init__(self, width: int, num_heads: int, mlp_ratio: float) -> None:
        super().__init__()
        if width % num_heads:
            raise ValueError(f"width must be a multiple of num_heads, got {width} and {num_heads}")
        self.num_heads = num_heads
        self.norm = nn.LayerNorm(width)
        self.to_q = nn.Linear(width, width)
        self.to_kv = nn.Linear(width, 2 * width)
        self.q_norm = nn.RMSNorm(width // num_heads, eps=1e-6)
        self.k_norm = nn.RMSNorm(width // num_heads, eps=1e-6)
        self.to_out = nn.Linear(width + 2 * num_heads, width)
        self.mlp_norm = nn.LayerNorm(width)
        hidden = int(width * mlp_ratio)
        self.mlp = nn.Sequential(nn.Linear(width, hidden), nn.GELU(approximate="tanh"), nn.Linear(hidden, width))

    def keys_values(self, tokens: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """(B, T', S, width) -> keys (B, T', heads, d, S), scaled, and values (B, T', heads, S, d)."""
        keys, content = self.to_kv(tokens).unflatten(-1, (2, self.num_heads, -1)).unbind(-3)
        keys = self.k_norm(keys.float()) * keys.shape[-1] ** -0.5
        return keys.to(content.dtype).movedim(-3, -1), content.transpose(-3, -2)

    def forward(
        self,
        queries: torch.Tensor,
        keys: torch.Tensor,
        content: torch.Tensor,
        bias: torch.Tensor,
        places: torch.Tensor,
        centres: torch.Tensor,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """One look of queries (B, N, width) at one frame.

        Returns:
            The queries after it, and offsets (B, N, 2 * heads) in units of an eighth of the frame.
        """
        looked = self.q_norm(self.to_q(self.norm(queries)).float().unflatten(-1, (self.num_heads, -1)))
        weights = (looked.to(keys.dtype).transpose(1, 2) @ keys + bias).softmax(-1, dtype=torch.float32)
        seen = (weights.to(content.dtype) @ content).transpose(1, 2).flatten(2)
        with torch.autocast(queries.device.type, enabled=False):
            offsets = ((weights @ centres).transpose(1, 2) - places[:, :, None]).flatten(2) * OFFSET_SCALE
        queries = queries + self.to_out(torch.cat([seen, offsets.to(seen.dtype)], -1))
        return queries + self.mlp(self.mlp_norm(queries)), offsets


class GlanceStack(nn.ModuleList):
    """Glances, one after the other."""

    def __iter__(self) -> Iterator[Glance]:
        return cast(Iterator[Glance], super().__iter__())


def bilinear_weights(points: torch.Tensor, height: int, width: int) -> torch.Tensor:
    """Weights (..., height * width) that sample a map of cell centres (j + 0.5) / W at points (..., 2) in [0, 1].

    Points outside are sampled at the border.
    """
    across = _hat(points[..., 0], width)
    down = _hat(points[..., 1], height)
    return (down[..., :, None] * across[..., None, :]).flatten(-2)


def _hat(x: torch.Tensor, cells: int) -> torch.Tensor:
    place = (x * cells - 0.5).clamp(0, cells - 1)[..., None]
    return (1 - (place - torch.arange(cells, device=x.device)).abs()).clamp(min=0)
