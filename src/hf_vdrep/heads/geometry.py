# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Frames and latent steps."""

import torch


def causal_spans(num_frames: int, ratio: int) -> list[list[int]]:
    """[first, last + 1) frame of each latent step: frame 0 alone, then `ratio` frames at a time (WALT §4.1).

    Args:
        num_frames: 1 + k * ratio.
        ratio: frames per step.
    """
    return [[0, 1]] + [[first, first + ratio] for first in range(1, num_frames, ratio)]


def still_clip(pixel_values: torch.Tensor | None, num_frames: int) -> torch.Tensor | None:
    """Pictures (B, 3, H, W) as clips (B, 3, num_frames, H, W) in which nothing moves; clips as they are."""
    if pixel_values is None or pixel_values.ndim != 4:
        return pixel_values
    return pixel_values.unsqueeze(2).expand(-1, -1, num_frames, -1, -1)
