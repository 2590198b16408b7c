# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Cutting a grid of tokens into windows and putting it together again (WALT §4.2)."""

import torch
import torch.nn.functional as F

Grid = tuple[int, int, int]


def fit_window(window: Grid, grid: Grid) -> Grid:
    """`window`, cut to the grid where it is larger: tokens that do not exist can neither ask nor answer."""
    return min(window[0], grid[0]), min(window[1], grid[1]), min(window[2], grid[2])


def padded_grid(grid: Grid, window: Grid) -> Grid:
    """The smallest grid that `window` divides and that holds `grid`."""
    t, h, w = (-(-full // size) * size for full, size in zip(grid, window, strict=True))
    return t, h, w


def to_windows(tokens: torch.Tensor, grid: Grid, window: Grid) -> torch.Tensor:
    """(B, T*H*W, ...) -> (B * windows, t*h*w, ...), tokens of a window in the order t, h, w.

    Where the window does not divide the grid, zeros are appended below, to the right and behind; `window_mask` says
    which tokens they are.
    """
    padded = padded_grid(grid, window)
    if padded != grid:
        tokens, grid = _pad(tokens, grid, padded), padded
    (frames, height, width), (t, h, w) = grid, window
    batch, rest = tokens.shape[0], tokens.shape[2:]
    if h == height and w == width:  # whole frames: already contiguous
        return tokens.reshape(batch * (frames // t), t * h * w, *rest)
    tokens = tokens.reshape(batch, frames // t, t, height // h, h, width // w, w, rest.numel())
    return tokens.permute(0, 1, 3, 5, 2, 4, 6, 7).reshape(-1, t * h * w, *rest)


def from_windows(windows: torch.Tensor, grid: Grid, window: Grid) -> torch.Tensor:
    """Inverse of `to_windows`; what was appended is dropped."""
    (frames, height, width), (t, h, w) = padded_grid(grid, window), window
    rest = windows.shape[2:]
    if h == height and w == width:
        tokens = windows.reshape(-1, frames * height * width, *rest)
    else:
        windows = windows.reshape(-1, frames // t, height // h, width // w, t, h, w, rest.numel())
        tokens = windows.permute(0, 1, 4, 2, 5, 3, 6, 7).reshape(-1, frames * height * width, *rest)
    if (frames, height, width) == grid:
        return tokens
    return tokens.unflatten(1, (frames, height, width))[:, : grid[0], : grid[1], : grid[2]].flatten(1, 3)


def window_mask(grid: Grid, window: Grid, device: torch.device) -> torch.Tensor | None:
    """(windows, t*h*w) bool, true for the tokens of the grid; None where the window divides the grid."""
    if padded_grid(grid, window) == grid:
        return None
    length = grid[0] * grid[1] * grid[2]
    return to_windows(torch.ones(1, length, dtype=torch.bool, device=device), grid, window)


def _pad(tokens: torch.Tensor, grid: Grid, padded: Grid) -> torch.Tensor:
    missing = [larger - size for size, larger in zip(grid, padded, strict=True)]
    padding = [0, 0] * (tokens.ndim - 2) + [0, missing[2], 0, missing[1], 0, missing[0]]
    return F.pad(tokens.unflatten(1, grid), padding).flatten(1, 3)
