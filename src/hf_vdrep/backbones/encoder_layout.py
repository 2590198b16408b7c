# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""From what a block of a vision encoder puts out to a grid (B, T', H', W', C)."""

import re
from typing import Any

import torch

from .encoder_families import EncoderFamily


def to_grid(
    output: torch.Tensor, family: EncoderFamily, model: Any, name: str, *, steps: int, size: tuple[int, int]
) -> torch.Tensor:
    """Reorder a block's output.

    Args:
        output: what the block put out.
        family: says in which layout.
        model: gives sizes and, for Hiera, the order of its tokens.
        name: of the block.
        steps: T' of the grid, 1 for images.
        size: height and width of the input in pixels.

    Returns:
        (B, T', H', W', C), prefix and suffix tokens dropped.

    Raises:
        ValueError: the output fits no grid over the input.
    """
    if family.layout == "maps":
        return output.movedim(1, -1).unsqueeze(1)
    if family.layout == "maps_last":
        return output.unsqueeze(1)
    if family.layout == "stages":
        return output.unflatten(1, _exact_grid(output.shape[1], size)).unsqueeze(1)
    if family.layout == "hiera":
        return _hiera_grid(model, name, output)
    patch = patch_size(model.config)
    grid = (size[0] // patch, size[1] // patch)
    if family.layout == "videoprism":
        return _videoprism_grid(output, name, (steps, *grid))
    suffix = getattr(model.config, family.suffix) if family.suffix else 0
    return _token_grid(output[:, : output.shape[1] - suffix], (steps, *grid), family.order)


def patch_size(config: Any) -> int:
    """Side of a patch in pixels."""
    patch = getattr(config, "patch_size", None) or config.tubelet_size
    return int(patch if isinstance(patch, int) else patch[-1])


def tubelet_size(config: Any) -> int:
    """Frames of a patch."""
    tubelet = getattr(config, "tubelet_size", 1)
    return int(tubelet if isinstance(tubelet, int) else tubelet[0])


def _token_grid(tokens: torch.Tensor, grid: tuple[int, int, int], order: str) -> torch.Tensor:
    steps, height, width = grid
    prefix = tokens.shape[1] - steps * height * width
    if prefix < 0:
        raise ValueError(f"output must hold at least {steps} x {height} x {width} tokens, got {tokens.shape[1]}")
    if order == "hwt":
        return tokens[:, prefix:].unflatten(1, (height, width, steps)).movedim(3, 1)
    return tokens[:, prefix:].unflatten(1, (steps, height, width))


def _exact_grid(tokens: int, size: tuple[int, int]) -> tuple[int, int]:
    """H' x W' of square cells over the input; sides that do not divide are padded."""
    height, width = size
    for stride in range(1, max(size) + 1):
        grid = (-(-height // stride), -(-width // stride))
        if grid[0] * grid[1] == tokens:
            return grid
    raise ValueError(f"output must be a grid of square cells over {height} x {width} pixels, got {tokens} tokens")


def _hiera_grid(model: Any, name: str, output: torch.Tensor) -> torch.Tensor:
    """Hiera keeps tokens in the order of its masked units; its own `reroll` puts them back."""
    match = re.search(r"stages\.(\d+)\.", name)
    assert match is not None
    return model.encoder.reroll(output, int(match[1])).unsqueeze(1)


def _videoprism_grid(output: torch.Tensor, name: str, grid: tuple[int, int, int]) -> torch.Tensor:
    """VideoPrism's spatial layers see (B * T, H' * W', C), its temporal ones (B * H' * W', T, C)."""
    steps, height, width = grid
    if name.startswith("spatial"):
        return output.unflatten(1, (height, width)).unflatten(0, (-1, steps))
    return output.unflatten(0, (-1, height, width)).movedim(3, 1)
