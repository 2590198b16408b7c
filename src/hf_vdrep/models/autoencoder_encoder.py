# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Encoder of the WALT tokenizer (MAGVIT-v2 without a quantiser)."""

from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from .autoencoder_blocks import State, StridedDownsampler, WaltResnetBlock, convolve, normed_conv
from .autoencoder_layout import Layout
from .autoencoder_tiling import Tiling
from .causal_conv import Cache, CausalConv3d, FrameGroupNorm


class WaltEncoder(nn.Module):
    """Pixels (B, 3, 1 + 4k, H, W) -> latents (B, c, 1 + k, H/8, W/8) in the default layout."""

    _gradient_checkpointing_func: Callable[..., Any]

    def __init__(self, in_channels: int, latent_channels: int, layout: Layout) -> None:
        super().__init__()
        width, groups = layout.widths[0], layout.norm_num_groups
        self.conv_in = CausalConv3d(in_channels, width, (layout.kernels[0], 3, 3), bias=False)
        stages: list[nn.Module] = []
        for level, out_width in enumerate(layout.widths):
            kernel = layout.kernels[level]
            if level:
                stride = layout.strides[level - 1]
                # A strided kernel must reach the frames that it skips.
                kernel_t = max(kernel, 3) if stride[0] == 2 else kernel
                stages.append(StridedDownsampler(width, out_width, (kernel_t, 3, 3), stride))
                width = out_width
            stages += [WaltResnetBlock(width, width, kernel, groups) for _ in range(layout.layers[level])]
        self.down_blocks = nn.ModuleList(stages)
        kernel = layout.kernels[-1]
        self.mid_blocks = nn.ModuleList(WaltResnetBlock(width, width, kernel, groups) for _ in range(layout.mid_layers))
        self.norm_out = FrameGroupNorm(groups, width, eps=1e-6)
        self.conv_out = CausalConv3d(width, latent_channels, (1, 1, 1))
        self.gradient_checkpointing = False

    def forward(self, sample: torch.Tensor, cache: Cache | None = None, tiling: Tiling | None = None) -> State:
        """Encode a clip, or the next chunk of one; entries of `cache` are taken out as they are used up."""
        following: Cache = {}
        past = None if cache is None else cache.pop("conv_in", {})
        hidden_states, following["conv_in"] = convolve(self.conv_in, sample, past, tiling)
        for number, block in enumerate((*self.down_blocks, *self.mid_blocks)):
            key = f"blocks.{number}"
            past = None if cache is None else cache.pop(key, {})
            if torch.is_grad_enabled() and self.gradient_checkpointing:
                hidden_states, following[key] = self._gradient_checkpointing_func(block, hidden_states, past, tiling)
            else:
                hidden_states, following[key] = block(hidden_states, past, tiling)
        hidden_states, _ = normed_conv(self.norm_out, self.conv_out, hidden_states, None, tiling)
        return hidden_states, None if cache is None else following
