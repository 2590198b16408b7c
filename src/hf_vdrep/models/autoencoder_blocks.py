# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Residual blocks, samplers, encoder and decoder of the WALT tokenizer (MAGVIT-v2 without a quantiser)."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import nn

from .causal_conv import AdaptiveFrameGroupNorm, CausalConv3d, FrameGroupNorm


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

    def forward(self, hidden_states: torch.Tensor) -> torch.Tensor:
        residual = hidden_states if self.conv_shortcut is None else self.conv_shortcut(hidden_states)
        hidden_states = self.conv1(F.silu(self.norm1(hidden_states)))
        hidden_states = self.conv2(F.silu(self.norm2(hidden_states)))
        return residual + hidden_states


class DepthToSpaceUpsampler(nn.Module):
    """Causal convolution, then channels become time and space.

    After a temporal doubling the second frame is dropped, so that 1 + k steps become 1 + 2k frames and an image
    stays one frame.
    """

    def __init__(self, in_channels: int, out_channels: int, temporal_kernel_size: int, temporal: bool) -> None:
        super().__init__()
        self.temporal = temporal
        self.block = (2 if temporal else 1, 2, 2)
        factor = self.block[0] * 4
        self.conv = CausalConv3d(in_channels, out_channels * factor, (temporal_kernel_size, 3, 3))

    def forward(self, hidden_states: torch.Tensor) -> torch.Tensor:
        hidden_states = depth_to_space_3d(self.conv(hidden_states), self.block)
        if self.temporal:
            hidden_states = torch.cat([hidden_states[:, :, :1], hidden_states[:, :, 2:]], dim=2)
        return hidden_states


def depth_to_space_3d(hidden_states: torch.Tensor, block: tuple[int, int, int]) -> torch.Tensor:
    """(B, t*h*w*C, T, H, W) -> (B, C, T*t, H*h, W*w), channels ordered (t, h, w, C)."""
    batch, _, frames, height, width = hidden_states.shape
    t, h, w = block
    out = hidden_states.permute(0, 2, 3, 4, 1).reshape(batch, frames, height, width, t, h, w, -1)
    out = out.permute(0, 1, 4, 2, 5, 3, 6, 7).reshape(batch, frames * t, height * h, width * w, -1)
    return out.permute(0, 4, 1, 2, 3)


class WaltEncoder(nn.Module):
    """Pixels (B, 3, 1 + 4k, H, W) -> latents (B, c, 1 + k, H/8, W/8) in the default layout."""

    def __init__(
        self,
        in_channels: int,
        latent_channels: int,
        block_out_channels: Sequence[int],
        layers_per_block: Sequence[int],
        mid_block_layers: int,
        temporal_downsample: Sequence[bool],
        temporal_kernel_sizes: Sequence[int],
        norm_num_groups: int,
    ) -> None:
        super().__init__()
        width = block_out_channels[0]
        self.conv_in = CausalConv3d(in_channels, width, (temporal_kernel_sizes[0], 3, 3), bias=False)
        stages: list[nn.Module] = []
        for level, out_width in enumerate(block_out_channels):
            kernel = temporal_kernel_sizes[level]
            if level:
                stride = (2 if temporal_downsample[level - 1] else 1, 2, 2)
                # A strided kernel must reach the frames that it skips.
                kernel_t = max(kernel, 3) if stride[0] == 2 else kernel
                stages.append(CausalConv3d(width, out_width, (kernel_t, 3, 3), stride))
                width = out_width
            stages += [WaltResnetBlock(width, width, kernel, norm_num_groups) for _ in range(layers_per_block[level])]
        self.down_blocks = nn.ModuleList(stages)
        kernel = temporal_kernel_sizes[-1]
        self.mid_blocks = nn.ModuleList(
            WaltResnetBlock(width, width, kernel, norm_num_groups) for _ in range(mid_block_layers)
        )
        self.norm_out = FrameGroupNorm(norm_num_groups, width, eps=1e-6)
        self.conv_out = CausalConv3d(width, latent_channels, (1, 1, 1))

    def forward(self, sample: torch.Tensor) -> torch.Tensor:
        hidden_states = self.conv_in(sample)
        for block in (*self.down_blocks, *self.mid_blocks):
            hidden_states = block(hidden_states)
        return self.conv_out(F.silu(self.norm_out(hidden_states)))


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

    def forward(self, hidden_states: torch.Tensor, latents: torch.Tensor) -> torch.Tensor:
        if self.norm is not None:
            hidden_states = self.norm(hidden_states, latents)
        for resnet in self.resnets:
            hidden_states = resnet(hidden_states)
        return hidden_states if self.upsampler is None else self.upsampler(hidden_states)


class WaltDecoder(nn.Module):
    """Latents (B, c, 1 + k, h, w) -> pixels (B, 3, 1 + 4k, 8h, 8w) in the default layout."""

    def __init__(
        self,
        out_channels: int,
        latent_channels: int,
        block_out_channels: Sequence[int],
        layers_per_block: Sequence[int],
        mid_block_layers: int,
        temporal_downsample: Sequence[bool],
        temporal_kernel_sizes: Sequence[int],
        norm_num_groups: int,
    ) -> None:
        super().__init__()
        width = block_out_channels[-1]
        kernel = temporal_kernel_sizes[-1]
        self.conv_in = CausalConv3d(latent_channels, width, (kernel, 3, 3))
        self.mid_blocks = nn.ModuleList(
            WaltResnetBlock(width, width, kernel, norm_num_groups) for _ in range(mid_block_layers)
        )
        self.up_blocks = nn.ModuleList()
        for level in reversed(range(len(block_out_channels))):
            upsampler = None
            if level:
                target, kernel = block_out_channels[level - 1], temporal_kernel_sizes[level - 1]
                upsampler = DepthToSpaceUpsampler(
                    block_out_channels[level], target, kernel, temporal_downsample[level - 1]
                )
            self.up_blocks.append(
                WaltDecoderStage(
                    block_out_channels[level],
                    latent_channels,
                    layers_per_block[level],
                    temporal_kernel_sizes[level],
                    norm_num_groups,
                    upsampler,
                )
            )
        self.norm_out = FrameGroupNorm(norm_num_groups, block_out_channels[0], eps=1e-6)
        self.conv_out = CausalConv3d(block_out_channels[0], out_channels, (temporal_kernel_sizes[0], 3, 3))

    def forward(self, latents: torch.Tensor) -> torch.Tensor:
        hidden_states = self.conv_in(latents)
        for block in self.mid_blocks:
            hidden_states = block(hidden_states)
        for stage in self.up_blocks:
            hidden_states = stage(hidden_states, latents)
        return self.conv_out(F.silu(self.norm_out(hidden_states)))
