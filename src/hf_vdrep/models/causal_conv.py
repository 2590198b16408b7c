# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""The causal 3-D convolution and the per-frame norms that the tokenizer is built of (WALT §4.1)."""

import torch
import torch.nn.functional as F
from torch import nn


class CausalConv3d(nn.Conv3d):
    """3-D convolution that sees the present and the past only.

    All temporal padding stands in front, so output frame f depends on input frames <= f * stride_t.

    Args:
        in_channels: input channels.
        out_channels: output channels.
        kernel_size: (k_t, k_h, k_w), odd in space.
        stride: (s_t, s_h, s_w).
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: tuple[int, int, int] = (3, 3, 3),
        stride: tuple[int, int, int] = (1, 1, 1),
        bias: bool = True,
    ) -> None:
        spatial_padding = (0, kernel_size[1] // 2, kernel_size[2] // 2)
        super().__init__(in_channels, out_channels, kernel_size, stride, spatial_padding, bias=bias)
        self.causal_padding = kernel_size[0] - 1

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        if self.causal_padding:
            input = F.pad(input, (0, 0, 0, 0, self.causal_padding, 0))
        return super().forward(input)


class FrameGroupNorm(nn.GroupNorm):
    """GroupNorm over each frame of (B, C, T, H, W) alone.

    Pooling statistics over time would let the future leak into frame 0.
    """

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        frames = input.transpose(1, 2).flatten(0, 1)
        frames = super().forward(frames)
        return frames.unflatten(0, (input.shape[0], input.shape[2])).transpose(1, 2)


class AdaptiveFrameGroupNorm(nn.Module):
    """Decoder norm whose scale and shift come from the latent frame that covers each frame (MAGVIT-v2 AdaGN).

    y = Linear(std_hw(z)) * GroupNorm(x) + Linear(mean_hw(z)), with statistics per latent frame, so that the
    decoder stays causal.
    """

    def __init__(self, num_groups: int, num_channels: int, latent_channels: int) -> None:
        super().__init__()
        self.norm = FrameGroupNorm(num_groups, num_channels, eps=1e-6, affine=False)
        self.scale = nn.Linear(latent_channels, num_channels)
        self.shift = nn.Linear(latent_channels, num_channels)
        nn.init.zeros_(self.scale.weight)
        nn.init.ones_(self.scale.bias)
        nn.init.zeros_(self.shift.weight)
        nn.init.zeros_(self.shift.bias)

    def forward(self, hidden_states: torch.Tensor, latents: torch.Tensor) -> torch.Tensor:
        std, mean = torch.std_mean(latents, dim=(3, 4), correction=0)
        steps = latent_step_of_frame(latents.shape[2], hidden_states.shape[2], latents.device)
        scale = self.scale(std.transpose(1, 2))[:, steps].transpose(1, 2)[..., None, None]
        shift = self.shift(mean.transpose(1, 2))[:, steps].transpose(1, 2)[..., None, None]
        return torch.addcmul(shift.to(hidden_states.dtype), scale.to(hidden_states.dtype), self.norm(hidden_states))


def latent_step_of_frame(num_steps: int, num_frames: int, device: torch.device) -> torch.Tensor:
    """Index (num_frames,) of the latent step that covers each frame: frame 0 by step 0, then equal runs."""
    if num_steps == 1:
        return torch.zeros(num_frames, dtype=torch.long, device=device)
    ratio = (num_frames - 1) // (num_steps - 1)
    return (torch.arange(num_frames, device=device) + ratio - 1) // ratio
