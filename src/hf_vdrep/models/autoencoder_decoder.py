# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Decoder of the WALT tokenizer (MAGVIT-v2 without a quantiser)."""

from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from .autoencoder_blocks import (
    DepthToSpaceUpsampler,
    State,
    WaltDecoderStage,
    WaltResnetBlock,
    convolve,
    normed_conv,
)
from .autoencoder_layout import Layout
from .autoencoder_tiling import Tiling
from .causal_conv import Cache, CausalConv3d, FrameGroupNorm


class WaltDecoder(nn.Module):
    """Latents (B, c, 1 + k, h, w) -> pixels (B, 3, 1 + 4k, 8h, 8w) in the default layout."""

    _gradient_checkpointing_func: Callable[..., Any]

    def __init__(self, out_channels: int, latent_channels: int, layout: Layout) -> None:
        super().__init__()
        widths, kernels, groups = layout.widths, layout.kernels, layout.norm_num_groups
        self.conv_in = CausalConv3d(latent_channels, widths[-1], (kernels[-1], 3, 3))
        self.mid_blocks = nn.ModuleList(
            WaltResnetBlock(widths[-1], widths[-1], kernels[-1], groups) for _ in range(layout.mid_layers)
        )
        self.up_blocks = nn.ModuleList()
        for level in reversed(range(len(widths))):
            upsampler = None
            if level:
                stride = layout.strides[level - 1]
                upsampler = DepthToSpaceUpsampler(
                    widths[level], widths[level - 1], kernels[level - 1], stride[0] == 2, stride[1] == 2
                )
            stage = WaltDecoderStage(
                widths[level], latent_channels, layout.layers[level], kernels[level], groups, upsampler
            )
            self.up_blocks.append(stage)
        self.norm_out = FrameGroupNorm(groups, widths[0], eps=1e-6)
        self.conv_out = CausalConv3d(widths[0], out_channels, (kernels[0], 3, 3))
        self.gradient_checkpointing = False

    def forward(self, latents: torch.Tensor, cache: Cache | None = None, tiling: Tiling | None = None) -> State:
        """Decode a clip, or the next chunk of one; entries of `cache` are taken out as they are used up."""
        following: Cache = {}

        def past(key: str) -> Cache | None:
            return None if cache is None else cache.pop(key, {})

        hidden_states, following["conv_in"] = convolve(self.conv_in, latents, past("conv_in"), tiling)
        for number, block in enumerate(self.mid_blocks):
            key = f"mid_blocks.{number}"
            hidden_states, following[key] = self._call(block, hidden_states, past(key), tiling)
        for number, stage in enumerate(self.up_blocks):
            key = f"up_blocks.{number}"
            hidden_states, following[key] = self._call(stage, hidden_states, latents, past(key), tiling)
        key = "conv_out"
        hidden_states, following[key] = normed_conv(self.norm_out, self.conv_out, hidden_states, past(key), tiling)
        return hidden_states, None if cache is None else following

    def _call(self, block: nn.Module, *arguments: object) -> State:
        if torch.is_grad_enabled() and self.gradient_checkpointing:
            return self._gradient_checkpointing_func(block, *arguments)
        return block(*arguments)
