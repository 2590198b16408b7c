# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Pixels between uint8 clips and the models' layout, and the error between two clips."""

import torch


def to_pixel_values(video: torch.Tensor) -> torch.Tensor:
    """uint8 (B, T, H, W, 3) -> float32 (B, 3, T, H, W) in [-1, 1], a view in channels-last memory order."""
    return video.movedim(-1, 1).float().div_(127.5).sub_(1)


def psnr(reconstruction: torch.Tensor, original: torch.Tensor) -> torch.Tensor:
    """Peak signal-to-noise ratio of each clip, dB (B,).

    Args:
        reconstruction: (B, ...) in [-1, 1]; values outside are clamped.
        original: same shape, in [-1, 1].

    Returns:
        -10 log10 of the mean-squared error over all pixels of a clip on the [0, 1] scale.
    """
    error = (reconstruction.float().clamp(-1, 1) - original.float()).div(2).square().flatten(1).mean(1)
    return -10 * error.clamp_min(1e-12).log10()
