# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""The causal 3-D convolution and the per-frame norms that the tokenizer is built of (WALT §4.1).

Streaming: every module that looks back in time takes a cache and returns the next one. `None` says that nothing
follows (keep nothing), `{}` that this is the beginning of a stream, anything else is what the module returned for the
chunk before. No module keeps state, so that slicing, gradient checkpointing and two streams at a time are safe.
"""

from typing import Any

import torch
import torch.nn.functional as F
from torch import nn
from torch.utils._python_dispatch import is_in_torch_dispatch_mode

Cache = dict[str, Any]


class CausalConv3d(nn.Conv3d):
    """3-D convolution that sees the present and the past only.

    All temporal padding stands in front, so output frame f depends on input frames <= f * stride_t.

    Args:
        in_channels: input channels.
        out_channels: output channels.
        kernel_size: (k_t, k_h, k_w), odd in space, k_t at least stride_t.
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
        self.reach = kernel_size[0] - stride[0]

    def forward(  # type: ignore[override]
        self, input: torch.Tensor, cache: Cache | None = None, *, outputs: int | None = None, pad_space: bool = True
    ) -> tuple[torch.Tensor, Cache | None]:
        """Convolve a clip or the next chunk of one.

        Args:
            input: (B, C, T, H, W); chunks after the first have a multiple of the temporal stride in frames.
            cache: see the file's head.
            outputs: compute only so many output channels, the first ones.
            pad_space: False where the caller has put the spatial border on (a tile with its halo).

        Returns:
            (output, next cache); the cache holds the last k_t - s_t input frames.
        """
        past = cache["past"] if cache else None
        padding = (0, *self.padding[1:]) if pad_space else (0, 0, 0)
        weight, stride, extended = self.weight[:outputs], self.stride, input
        bias = None if self.bias is None else self.bias[:outputs]
        if past is not None:
            extended = torch.cat([past, input], dim=2)
        elif not cache and input.shape[2] == 1:
            # Of a first frame alone only the last tap meets anything but zeros.
            weight, stride = weight[:, :, -1:], (1, *stride[1:])
        elif not cache and self.causal_padding:
            extended = F.pad(input, (0, 0, 0, 0, self.causal_padding, 0))
        output = _convolve(extended, weight, bias, stride, padding)
        return output, None if cache is None else {"past": self._tail(input, past)}

    def _tail(self, input: torch.Tensor, past: torch.Tensor | None) -> torch.Tensor | None:
        """The last `reach` frames seen, in memory of their own: a view would keep the whole chunk."""
        if not self.reach:
            return None
        frames = input[:, :, -self.reach :]
        missing = self.reach - frames.shape[2]
        if missing and past is not None:
            frames = torch.cat([past[:, :, -missing:], frames], dim=2)
        elif missing:
            frames = F.pad(frames, (0, 0, 0, 0, missing, 0))
        return frames if missing else frames.clone(memory_format=torch.channels_last_3d)


def _convolve(
    input: torch.Tensor,
    weight: torch.Tensor,
    bias: torch.Tensor | None,
    stride: tuple[int, ...],
    padding: tuple[int, ...],
) -> torch.Tensor:
    """`F.conv3d`, by the fast library for single clips too.

    For a batch of one with channels * frames * height up to 20,480 torch chooses its slow path on the CPU, at a third
    to a tenth of oneDNN's speed.
    """
    plain = input.dtype == weight.dtype == torch.float32 and input.device.type == "cpu" and input.shape[0] == 1
    # Autocast and tracing (FLOP counting, compiling) know the general operation only.
    special = is_in_torch_dispatch_mode() or torch.is_autocast_enabled("cpu") or torch.compiler.is_compiling()
    if plain and not special and torch.backends.mkldnn.is_available():
        return torch.mkldnn_convolution(input, weight, bias, padding, stride, (1, 1, 1), 1)
    return F.conv3d(input, weight, bias, stride, padding)


class FrameGroupNorm(nn.GroupNorm):
    """GroupNorm over each frame of (B, C, T, H, W) alone.

    Pooling statistics over time would let the future leak into frame 0.
    """

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        frames = input.transpose(1, 2).flatten(0, 1)
        frames = super().forward(frames)
        return frames.unflatten(0, (input.shape[0], input.shape[2])).transpose(1, 2)

    def affine_of(self, input: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """The norm as `scale * input + shift`, both float32 (B, C, T, 1, 1), from the statistics of whole frames.

        A few rows of one frame are looked at at a time, so that no copy of the clip is made.
        """
        parts = [_channel_moments(frame) for frame in input.unbind(2)]
        mean, var = (
            torch.stack(values, dim=2).unflatten(1, (self.num_groups, -1)) for values in zip(*parts, strict=True)
        )
        # Of a group: its channels' variances, and how far their means lie apart.
        center = mean.mean(2, keepdim=True)
        spread = var.mean(2, keepdim=True) + (mean - center).square().mean(2, keepdim=True)
        scale = (spread + self.eps).rsqrt().expand_as(mean).flatten(1, 2)
        shift = -center.expand_as(mean).flatten(1, 2) * scale
        if self.affine:
            weight, bias = (p.float().to(scale.device)[:, None] for p in (self.weight, self.bias))
            scale, shift = scale * weight, shift * weight + bias
        return scale[..., None, None], shift[..., None, None]


def _channel_moments(frame: torch.Tensor, rows: int = 64) -> tuple[torch.Tensor, torch.Tensor]:
    """Mean and variance (B, C) of each channel of (B, C, H, W), float32."""
    mean = frame.mean((2, 3), keepdim=True, dtype=torch.float32)
    squares = [(part.float() - mean).square().sum((2, 3)) for part in frame.split(rows, dim=2)]
    return mean.flatten(1), torch.stack(squares).sum(0) / (frame.shape[2] * frame.shape[3])


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

    def forward(self, hidden_states: torch.Tensor, latents: torch.Tensor, first: bool = True) -> torch.Tensor:
        scale, shift = self.from_latents(latents, hidden_states.shape[2], first)
        return torch.addcmul(shift.to(hidden_states.dtype), scale.to(hidden_states.dtype), self.norm(hidden_states))

    def from_latents(self, latents: torch.Tensor, num_frames: int, first: bool) -> tuple[torch.Tensor, torch.Tensor]:
        """Scale and shift (B, C, T, 1, 1) of `num_frames` frames; `first`: the clip begins with these latents."""
        std, mean = torch.std_mean(latents, dim=(3, 4), correction=0)
        steps = latent_step_of_frame(latents.shape[2], num_frames, latents.device, first)
        scale = self.scale(std.transpose(1, 2))[:, steps].transpose(1, 2)[..., None, None]
        shift = self.shift(mean.transpose(1, 2))[:, steps].transpose(1, 2)[..., None, None]
        return scale, shift


def latent_step_of_frame(
    num_steps: int, num_frames: int, device: torch.device | str, first: bool = True
) -> torch.Tensor:
    """Index (num_frames,) of the latent step that covers each frame: frame 0 by step 0, then equal runs.

    Args:
        num_steps: latent steps.
        num_frames: frames they cover.
        device: of the result.
        first: the first step is the clip's own, which covers one frame; otherwise all runs are equal.
    """
    frames = torch.arange(num_frames, device=device)
    if not first:
        return frames // (num_frames // num_steps)
    if num_steps == 1:
        return torch.zeros_like(frames)
    ratio = (num_frames - 1) // (num_steps - 1)
    return (frames + ratio - 1) // ratio
