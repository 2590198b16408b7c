# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Fourier features of coordinates: how a readout says where."""

import math

import torch


def fourier_features(coordinates: torch.Tensor, octaves: int = 16) -> torch.Tensor:
    """sin and cos of 2^i * pi * x for i < octaves, in place of the coordinates (SRT, MooG; papers.md 8.2).

    Args:
        coordinates: (..., D), float32; about [-1, 1] or [0, 1].
        octaves: number of frequencies.

    Returns:
        float32 (..., 2 * D * octaves).
    """
    scales = 2.0 ** torch.arange(octaves, dtype=torch.float32, device=coordinates.device) * math.pi
    angles = (coordinates.float()[..., None] * scales).flatten(-2)
    return torch.cat([angles.sin(), (angles + math.pi / 2).sin()], dim=-1)


def pixel_grid(height: int, width: int) -> torch.Tensor:
    """Pixel centres as x, y normalised to [0, 1]: float32 (height, width, 2), column j at (j + 0.5) / width."""
    y = (torch.arange(height, dtype=torch.float32) + 0.5) / height
    x = (torch.arange(width, dtype=torch.float32) + 0.5) / width
    return torch.stack([x.expand(height, width), y[:, None].expand(height, width)], dim=-1)
