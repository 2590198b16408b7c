# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Features resampled in time to the input frames, by the frames that each feature step covers."""

from typing import Literal

import torch

TimeMode = Literal["nearest", "linear", "cubic"]


def frame_weights(frame_spans: torch.Tensor, num_frames: int, mode: TimeMode = "nearest") -> torch.Tensor:
    """Matrix that turns T' feature steps into features at the input frames.

    "nearest" takes the step whose span covers the frame (the nearest centre where none or several do). "linear" and
    "cubic" (Keys, a = -0.5, as jax.image.resize) interpolate between the centres of the spans and hold the ends.

    Args:
        frame_spans: int (T', 2), first and last + 1 input frame of each step, in order of time.
        num_frames: T, number of input frames.
        mode: "nearest", "linear" or "cubic".

    Returns:
        float32 (T, T'); every row sums to 1.
    """
    spans = torch.as_tensor(frame_spans, dtype=torch.float64)
    if spans.ndim != 2 or spans.shape[1] != 2 or len(spans) == 0:
        raise ValueError(f"frame_spans must have shape (T', 2), got {tuple(spans.shape)}")
    if (spans[:, 1] <= spans[:, 0]).any():
        raise ValueError(f"frame_spans must be non-empty intervals [first, last + 1), got {frame_spans.tolist()}")
    frames = torch.arange(num_frames, dtype=torch.float64)
    centres = (spans[:, 0] + spans[:, 1] - 1) / 2
    if mode == "nearest":
        distance = (frames[:, None] - centres).abs()
        covered = (frames[:, None] >= spans[:, 0]) & (frames[:, None] < spans[:, 1])
        distance = torch.where(covered, distance, distance + num_frames + spans.max())
        return torch.nn.functional.one_hot(distance.argmin(1), len(spans)).float()
    if mode not in ("linear", "cubic"):
        raise ValueError(f"mode must be 'nearest', 'linear' or 'cubic', got {mode!r}")
    if len(spans) == 1:
        return torch.ones(num_frames, 1)
    if (centres.diff() <= 0).any():
        raise ValueError(f"frame_spans must move forward in time, got {frame_spans.tolist()}")
    return _kernel_weights(_fractional_step(frames, centres), len(spans), mode).float()


def _fractional_step(frames: torch.Tensor, centres: torch.Tensor) -> torch.Tensor:
    upper = torch.searchsorted(centres, frames).clamp(1, len(centres) - 1)
    lower = upper - 1
    position = lower + (frames - centres[lower]) / (centres[upper] - centres[lower])
    return position.clamp(0, len(centres) - 1)


def _kernel_weights(position: torch.Tensor, steps: int, mode: TimeMode) -> torch.Tensor:
    distance = (position[:, None] - torch.arange(steps, dtype=torch.float64)).abs()
    if mode == "linear":
        weights = (1 - distance).clamp(min=0)
    else:
        near = 1.5 * distance**3 - 2.5 * distance**2 + 1
        far = -0.5 * distance**3 + 2.5 * distance**2 - 4 * distance + 2
        weights = torch.where(distance <= 1, near, torch.where(distance < 2, far, 0.0))
    return weights / weights.sum(1, keepdim=True)


def resample_to_frames(
    values: torch.Tensor, frame_spans: torch.Tensor, num_frames: int, mode: TimeMode = "nearest"
) -> torch.Tensor:
    """(B, T', H', W', C) -> (B, T, H', W', C), one feature map per input frame."""
    if values.shape[1] != len(frame_spans):
        raise ValueError(f"values have {values.shape[1]} steps but frame_spans {len(frame_spans)}")
    weights = frame_weights(frame_spans, num_frames, mode).to(values)
    return torch.einsum("ft,bt...->bf...", weights, values)
