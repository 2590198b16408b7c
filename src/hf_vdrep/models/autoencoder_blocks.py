# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Residual block, samplers and decoder stage of the WALT tokenizer (MAGVIT-v2 without a quantiser).

Every block is `forward(hidden_states, …, cache, tiling) -> (hidden_states, next cache)`; see `causal_conv` for what a
cache is and `autoencoder_tiling` for the tiling.
"""

from typing import Any

import torch
import torch.nn.functional as F
from torch import nn

from .autoencoder_tiling import Tiling, tiled_affine, tiled_conv
from .causal_conv import AdaptiveFrameGroupNorm, Cache, CausalConv3d, FrameGroupNorm

State = tuple[torch.Tensor, Cache | None]


def normed_conv(
    norm: FrameGroupNorm, conv: CausalConv3d, hidden_states: torch.Tensor, cache: Cache | None, tiling: Tiling | None
) -> State:
    """norm -> swish -> conv, whole or in tiles."""
    if tiling is not None:
        return tiled_conv(conv, hidden_states, cache, tiling, affine=norm.affine_of(hidden_states))
    # In place where no gradient wants the norm's output: one map less.
    return conv(F.silu(norm(hidden_states), inplace=not torch.is_grad_enabled()), cache)


class WaltResnetBlock(nn.Module):
    """norm -> swish -> conv -> norm -> swish -> conv, plus the shortcut."""

    def __init__(self, in_channels: int, out_channels: int, temporal_kernel_size: int, norm_num_groups: int) -> None:
        super().__init__()
        kernel = (temporal_kernel_size, 3, 3)
        self.norm1 = FrameGroupNorm(norm_num_groups, in_channels, eps=1e-6)
        self.conv1 = CausalConv3d(in_channels, out_channels, kernel, bias=False)
        self.norm2 = FrameGroupNorm(norm_num_groups, out_channels, eps=1e-6)
        self.conv2 = CausalConv3d(out_channels, out_channels, kernel, bias=False)
        self.conv_shortcut = None
        if in_channels != out_channels:
            self.conv_shortcut = CausalConv3d(in_channels, out_channels, (1, 1, 1), bias=False)

    def forward(self, hidden_states: torch.Tensor, cache: Cache | None = None, tiling: Tiling | None = None) -> State:
        """(B, in, T, H, W) -> (B, out, T, H, W)."""
        residual = hidden_states
        if self.conv_shortcut is not None:
            residual, _ = convolve(self.conv_shortcut, hidden_states, None, tiling)
        hidden_states, first = normed_conv(self.norm1, self.conv1, hidden_states, child(cache, "conv1"), tiling)
        hidden_states, second = normed_conv(self.norm2, self.conv2, hidden_states, child(cache, "conv2"), tiling)
        return residual + hidden_states, None if cache is None else {"conv1": first, "conv2": second}


class StridedDownsampler(CausalConv3d):
    """Strided causal convolution between two levels of the encoder."""

    def forward(  # type: ignore[override]
        self, input: torch.Tensor, cache: Cache | None = None, tiling: Tiling | None = None, **options: Any
    ) -> State:
        return super().forward(input, cache, **options) if tiling is None else tiled_conv(self, input, cache, tiling)


class DepthToSpaceUpsampler(nn.Module):
    """Causal convolution, then channels become time and space.

    After a temporal doubling the clip's second frame is dropped, so that 1 + k steps become 1 + 2k frames and an
    image stays one frame.
    """

    def __init__(
        self, in_channels: int, out_channels: int, temporal_kernel_size: int, temporal: bool, spatial: bool = True
    ) -> None:
        super().__init__()
        self.temporal = temporal
        side = 2 if spatial else 1
        self.block = (2 if temporal else 1, side, side)
        factor = self.block[0] * self.block[1] * self.block[2]
        self.conv = CausalConv3d(in_channels, out_channels * factor, (temporal_kernel_size, 3, 3))

    def forward(self, hidden_states: torch.Tensor, cache: Cache | None = None, tiling: Tiling | None = None) -> State:
        """(B, in, 1 + k, H, W) -> (B, out, 1 + 2k, 2H, 2W); later chunks have k steps and 2k frames."""
        block, outputs, drop = self.block, None, self.temporal and not cache
        if drop and hidden_states.shape[2] == 1:
            # The channels of the frame that would be dropped are not computed.
            block, outputs, drop = (1, *block[1:]), self.conv.out_channels // 2, False

        def unfold(piece: torch.Tensor) -> torch.Tensor:
            piece = depth_to_space_3d(piece, block)
            return torch.cat([piece[:, :, :1], piece[:, :, 2:]], dim=2) if drop else piece

        inner = child(cache, "conv")
        if tiling is not None:
            hidden_states, inner = tiled_conv(self.conv, hidden_states, inner, tiling, after=unfold, outputs=outputs)
        else:
            hidden_states, inner = self.conv(hidden_states, inner, outputs=outputs)
            hidden_states = unfold(hidden_states)
        return hidden_states, None if cache is None else {"conv": inner}


class WaltDecoderStage(nn.Module):
    """AdaGN fed by the latents, residual blocks, then the up-sampler (absent on the last stage).

    A stage with no residual blocks has no norm either.
    """

    def __init__(
        self,
        width: int,
        latent_channels: int,
        num_layers: int,
        temporal_kernel_size: int,
        norm_num_groups: int,
        upsampler: nn.Module | None,
    ) -> None:
        super().__init__()
        self.norm = AdaptiveFrameGroupNorm(norm_num_groups, width, latent_channels) if num_layers else None
        self.resnets = nn.ModuleList(
            WaltResnetBlock(width, width, temporal_kernel_size, norm_num_groups) for _ in range(num_layers)
        )
        self.upsampler = upsampler

    def forward(
        self,
        hidden_states: torch.Tensor,
        latents: torch.Tensor,
        cache: Cache | None = None,
        tiling: Tiling | None = None,
    ) -> State:
        """(B, width, T, H, W) and the latents (B, c, T', h, w) that cover these frames."""
        following: Cache = {}
        if self.norm is not None:
            hidden_states = self._adapt(self.norm, hidden_states, latents, not cache, tiling)
        for number, resnet in enumerate(self.resnets):
            key = f"resnets.{number}"
            hidden_states, following[key] = resnet(hidden_states, child(cache, key), tiling)
        if self.upsampler is not None:
            key = "upsampler"
            hidden_states, following[key] = self.upsampler(hidden_states, child(cache, key), tiling)
        # A stage without convolutions must still tell the first chunk from the next.
        return hidden_states, None if cache is None else {**following, "started": None}

    @staticmethod
    def _adapt(
        norm: AdaptiveFrameGroupNorm,
        hidden_states: torch.Tensor,
        latents: torch.Tensor,
        first: bool,
        tiling: Tiling | None,
    ) -> torch.Tensor:
        if tiling is None:
            return norm(hidden_states, latents, first)
        inner_scale, inner_shift = norm.norm.affine_of(hidden_states)
        outer_scale, outer_shift = norm.from_latents(latents.to(tiling.device), hidden_states.shape[2], first)
        scale, shift = outer_scale.float().to(inner_scale.device), outer_shift.float().to(inner_scale.device)
        return tiled_affine(hidden_states, scale * inner_scale, scale * inner_shift + shift, tiling)


def convolve(conv: CausalConv3d, hidden_states: torch.Tensor, cache: Cache | None, tiling: Tiling | None) -> State:
    """`conv`, whole or in tiles."""
    return conv(hidden_states, cache) if tiling is None else tiled_conv(conv, hidden_states, cache, tiling)


def child(cache: Cache | None, key: str) -> Cache | None:
    """The part of a cache that belongs to a sub-module; a beginning is a beginning for every part."""
    return None if cache is None else cache.get(key, {})


def depth_to_space_3d(hidden_states: torch.Tensor, block: tuple[int, int, int]) -> torch.Tensor:
    """(B, t*h*w*C, T, H, W) -> (B, C, T*t, H*h, W*w), channels ordered (t, h, w, C)."""
    batch, _, frames, height, width = hidden_states.shape
    t, h, w = block
    out = hidden_states.permute(0, 2, 3, 4, 1).reshape(batch, frames, height, width, t, h, w, -1)
    out = out.permute(0, 1, 4, 2, 5, 3, 6, 7).reshape(batch, frames * t, height * h, width * w, -1)
    return out.permute(0, 4, 1, 2, 3)
