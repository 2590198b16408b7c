# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Latent frames to tokens and back (WALT §4.2): every frame is cut into patches on its own."""

import torch

from .walt_windows import Grid


def patchify(latents: torch.Tensor, patch: int) -> tuple[torch.Tensor, Grid]:
    """(B, C, T, h, w) -> tokens (B, T*H*W, p*p*C) and the grid (T, H, W)."""
    batch, channels, frames, height, width = latents.shape
    grid = (frames, height // patch, width // patch)
    tokens = latents.reshape(batch, channels, frames, grid[1], patch, grid[2], patch)
    return tokens.permute(0, 2, 3, 5, 4, 6, 1).reshape(batch, -1, patch * patch * channels), grid


def unpatchify(tokens: torch.Tensor, grid: Grid, patch: int) -> torch.Tensor:
    """Inverse of `patchify`."""
    tokens = tokens.reshape(tokens.shape[0], *grid, patch, patch, -1).permute(0, 6, 1, 2, 4, 3, 5)
    return tokens.reshape(*tokens.shape[:3], grid[1] * patch, grid[2] * patch)
