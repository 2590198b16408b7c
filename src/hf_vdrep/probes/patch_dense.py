# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""4DS's dense readout: one learned query for each patch of space and time (papers.md 8.2, arXiv 2412.15212)."""

import math
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import nn

from .depth_readout import DepthReadout, start_head
from .resample import TimeMode, frame_weights
from .standardise import standardised_width


class PatchDepthReadout(DepthReadout):
    """Attention readout whose queries are patches of the output (source: width 1024, 16 heads, patches of 2x8x8).

    Features are brought to the input frames and told their time; every query looks at all of them, passes an MLP and
    says the log-depth of its patch's pixels. A query is its patch: another size of clip needs another readout.

    Args:
        in_channels: C of the features.
        frame_spans: int (T', 2).
        num_frames: T.
        image_size: (height, width) of the depth maps.
        patch: (frames, height, width) of a query's patch; the last ones may reach beyond the clip.
        width, num_heads, mlp_ratio: of the attention and the MLP.
        time_mode: how feature steps become frames.
        statistics: tokens carry their mean and deviation beside them (`standardise`).
    """

    readout_type = "dense_patches"
    # Each pixel of a patch has an output of its own, which a sub-grid would train once in 64 steps.
    every_pixel = True
    weights: torch.Tensor

    def __init__(
        self,
        in_channels: int,
        frame_spans: torch.Tensor,
        num_frames: int,
        image_size: Sequence[int],
        *,
        patch: Sequence[int] = (2, 8, 8),
        width: int = 64,
        num_heads: int = 4,
        mlp_ratio: float = 4.0,
        time_mode: TimeMode = "linear",
        statistics: bool = False,
    ) -> None:
        super().__init__()
        if width % num_heads:
            raise ValueError(f"width must be a multiple of num_heads, got {width} and {num_heads}")
        self.size, self.patch, self.num_heads = (num_frames, *image_size), tuple(patch), num_heads
        self.statistics = statistics
        self.grid = tuple(math.ceil(extent / part) for extent, part in zip(self.size, self.patch, strict=True))
        channels = standardised_width(in_channels, statistics)
        self.norm_scale = nn.Parameter(torch.ones(channels))
        self.norm_shift = nn.Parameter(torch.zeros(channels))
        self.time_embedding = nn.Parameter(torch.randn(num_frames, channels) * 0.02)
        # As in the attentive classifier: the source's 0.02 leaves attention uniform for longer than we train.
        self.query = nn.Parameter(torch.randn(math.prod(self.grid), width))
        self.to_k = nn.Linear(channels, width)
        self.to_v = nn.Linear(channels, width)
        self.to_out = nn.Linear(width, width)
        self.mlp_norm = nn.LayerNorm(width)
        hidden = int(width * mlp_ratio)
        self.mlp = nn.Sequential(nn.Linear(width, hidden), nn.GELU(), nn.Linear(hidden, width))
        self.head = start_head(nn.Linear(width, math.prod(self.patch)))
        weights = frame_weights(torch.as_tensor(frame_spans), num_frames, time_mode)
        self.register_buffer("weights", weights, persistent=False)

    def forward(
        self,
        values: torch.Tensor,
        pixels: torch.Tensor,
        frames: torch.Tensor | None = None,
        *,
        standardised: bool = False,
    ) -> torch.Tensor:
        """See `DepthReadout`; only the queries that the pixels lie in are computed."""
        frames = torch.arange(self.size[0], device=values.device) if frames is None else frames
        patches, inside = self._locate(pixels, frames.to(values.device))
        asked, where = patches.unique(return_inverse=True)
        made = self._answer(values if standardised else self.standardise(values), self.query[asked])
        return made[:, where, inside]

    def _locate(self, pixels: torch.Tensor, frames: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Patch and place within it of each (frame, pixel), both (F, Q)."""
        extent = torch.tensor(self.size[:0:-1], device=pixels.device)
        x, y = (pixels * extent).long().clamp(min=0).minimum(extent - 1).unbind(-1)
        patch, inside = torch.zeros_like(x), torch.zeros_like(x)
        for place, part, count in zip((frames[:, None], y, x), self.patch, self.grid, strict=True):
            patch, inside = patch * count + place // part, inside * part + place % part
        return patch, inside

    def _answer(self, values: torch.Tensor, queries: torch.Tensor) -> torch.Tensor:
        """Standardised values (B, T', H', W', C) and queries (U, width) -> log-depth (B, U, pixels of a patch)."""
        keys, content = (self._in_frames(layer, values) for layer in (self.to_k, self.to_v))
        asked = (
            queries.to(keys.dtype).unflatten(-1, (self.num_heads, -1)).transpose(0, 1).expand(len(values), -1, -1, -1)
        )
        found = F.scaled_dot_product_attention(asked, keys, content)
        hidden = queries + self.to_out(found.transpose(1, 2).flatten(2))
        return self.head(hidden + self.mlp(self.mlp_norm(hidden)))

    def _in_frames(self, layer: nn.Linear, values: torch.Tensor) -> torch.Tensor:
        """Keys or values (B, heads, T * N, d). They are linear in the tokens: made once per step, resampled after."""
        tokens = values.flatten(2, 3)
        made = F.linear(tokens, (layer.weight * self.norm_scale).to(tokens.dtype))
        shift = F.linear(self.time_embedding + self.norm_shift, layer.weight, layer.bias)
        made = torch.einsum("ft,btnc->bfnc", self.weights.to(made.dtype), made) + shift[:, None].to(made.dtype)
        return made.flatten(1, 2).unflatten(-1, (self.num_heads, -1)).transpose(1, 2)
