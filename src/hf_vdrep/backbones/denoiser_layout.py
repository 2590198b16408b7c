# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Latents into the layout that a denoiser takes, and what its blocks put out into a grid (B, T', H', W', C)."""

from typing import Any

import torch

from .denoiser_family import DenoiserFamily

Grid = tuple[int, int, int]


def cell_of(config: Any, family: DenoiserFamily) -> Grid:
    """Latents per cell of the blocks' grid, along T, H, W."""
    own = family.patch(config) if callable(family.patch) else family.patch
    inner = own or _config_patch(config)
    return (inner[0], inner[1] * family.pack, inner[2] * family.pack)


def grid_of(latents: torch.Tensor, config: Any, family: DenoiserFamily) -> Grid:
    """T', H', W' of the blocks' tokens over latents (B, C, T, H, W).

    Raises:
        ValueError: latents that the cells do not divide, or that the family cannot take.
    """
    cell, shape = cell_of(config, family), tuple(latents.shape[2:])
    if any(side % part for side, part in zip(shape, cell, strict=True)):
        raise ValueError(f"latents must have T, H, W divisible by {cell}, got {shape}")
    if min(shape[1:]) < family.least:
        raise ValueError(f"latents must be at least {family.least} x {family.least}, got {shape[1]} x {shape[2]}")
    if family.square and shape[1] != shape[2]:
        raise ValueError(f"latents must be square, got {shape[1]} x {shape[2]}")
    return (shape[0] // cell[0], shape[1] // cell[1], shape[2] // cell[2])


def lay_out(latents: torch.Tensor, family: DenoiserFamily) -> torch.Tensor:
    """(B, C, T, H, W) as the model takes it."""
    if family.layout == "image":
        return latents.squeeze(2)
    if family.layout == "frames":
        return latents.transpose(1, 2)
    if family.layout == "last":
        return latents.movedim(1, -1)
    if family.layout == "packed":
        return pack(latents, family.pack)
    return latents


def pack(latents: torch.Tensor, side: int, steps: int = 1) -> torch.Tensor:
    """(B, C, T, H, W) -> (B, N, C * steps * side^2), a token per `steps` x `side` x `side` latents, channels first."""
    parts = latents.unflatten(4, (-1, side)).unflatten(3, (-1, side)).unflatten(2, (-1, steps))
    return parts.permute(0, 2, 4, 6, 1, 3, 5, 7).flatten(4).flatten(1, 3)


def unpack(tokens: torch.Tensor, grid: Grid, side: int, steps: int = 1) -> torch.Tensor:
    """Inverse of `pack`."""
    parts = tokens.unflatten(1, grid).unflatten(-1, (-1, steps, side, side))
    return parts.permute(0, 4, 1, 5, 2, 6, 3, 7).flatten(6, 7).flatten(4, 5).flatten(2, 3)


def to_grid(
    output: torch.Tensor, family: DenoiserFamily, grid: Grid, name: str = "", batch: int = 1, site: str = "block"
) -> torch.Tensor:
    """What a block put out as (B, T', H', W', C).

    Args:
        output: the tensor.
        family: of the denoiser.
        grid: T', H', W' of its tokens.
        name: of the block.
        batch: samples of the call.
        site: where in the block it was taken.

    Raises:
        ValueError: fewer tokens than the grid has cells.
    """
    if family.output == "maps":
        return output.movedim(1, -1).unflatten(0, (batch, -1))
    if family.output == "left":
        return output[..., : output.shape[-1] // 2].movedim(1, -1).unflatten(0, (batch, -1))
    if family.output == "clips":
        return output.movedim(1, -1)
    if family.output == "latte":
        return _latte_grid(output, grid, name)
    if family.output == "unidiffuser":
        # Two tokens of conditions, then those of the text, stand before the grid's.
        output = output[:, -grid[1] * grid[2] :]
    if output.ndim == 5:
        return output
    if output.ndim == 2:
        output = output.unsqueeze(0)
    if output.ndim == 4:
        return output.unflatten(0, (batch, -1)) if family.output == "grid" else output.movedim(1, -1).unsqueeze(1)
    if family.output == "sequence_first" and site in ("block", "mlp"):
        output = output.transpose(0, 1)
    count = grid[0] * grid[1] * grid[2]
    if output.shape[1] < count:
        raise ValueError(f"output must hold at least {grid} tokens, got {output.shape[1]}")
    tokens = output[:, output.shape[1] - count :] if family.side == "last" else output[:, :count]
    if family.output == "fractal":
        return _fractal_grid(tokens, grid)
    return tokens.unflatten(1, grid)


def _latte_grid(output: torch.Tensor, grid: Grid, name: str) -> torch.Tensor:
    """Latte's spatial blocks see (B T, H' W', C), its temporal ones (B H' W', T, C)."""
    frames, height, width = grid
    if name.startswith("temporal"):
        return output.unflatten(0, (-1, height, width)).movedim(3, 1)
    return output.unflatten(1, (height, width)).unflatten(0, (-1, frames))


def _fractal_grid(tokens: torch.Tensor, grid: Grid, side: int = 8) -> torch.Tensor:
    """Tokens that stand in squares of 8 x 8 within each frame."""
    frames, height, width = grid
    squares = tokens.unflatten(1, (frames, height // side, width // side, side, side))
    return squares.transpose(3, 4).flatten(4, 5).flatten(2, 3)


def _config_patch(config: Any) -> Grid:
    patch = getattr(config, "patch_size", None) or 1
    steps = getattr(config, "patch_size_t", None) or 1
    if isinstance(patch, int):
        return (int(steps), patch, patch)
    if len(patch) == 2:
        return (1, int(patch[0]), int(patch[1]))
    return (int(patch[0]), int(patch[1]), int(patch[2]))
