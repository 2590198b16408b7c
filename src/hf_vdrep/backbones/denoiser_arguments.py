# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Builders of null conditioning: what each argument of a denoiser's forward pass is where nobody gives it."""

from collections.abc import Callable
from typing import Any

import torch

from .denoiser_family import Argument, Call

Size = str | int | Callable[[Any], int]


def size_of(size: Size, config: Any) -> int:
    """A number, the config's argument of that name, or a function of the config."""
    if callable(size):
        return int(size(config))
    return int(getattr(config, size)) if isinstance(size, str) else size


def text(width: Size, length: Size | None = None) -> Argument:
    """Zero text states (B, L, width); L that of the call if None."""
    return lambda call: call.zeros(call.batch, _length(length, call), size_of(width, call.config))


def vector(width: Size) -> Argument:
    """A zero vector (B, width), such as a pooled text."""
    return lambda call: call.zeros(call.batch, size_of(width, call.config))


def mask(length: Size | None = None, dtype: torch.dtype | None = None) -> Argument:
    """All of the text seen: ones (B, L)."""
    return lambda call: call.ones(call.batch, _length(length, call), dtype=dtype)


def _length(length: Size | None, call: Call) -> int:
    return call.words if length is None else size_of(length, call.config)


def constant(value: float, dtype: torch.dtype | None = None) -> Argument:
    """One number per sample (B,)."""
    return lambda call: call.ones(call.batch, dtype=dtype) * value


def plain(value: Any) -> Argument:
    """The value itself."""
    return lambda call: value


def when(flag: str | Callable[[Any], Any], build: Argument) -> Argument:
    """Only where the config's argument is set."""
    return lambda call: build(call) if (flag(call.config) if callable(flag) else getattr(call.config, flag)) else None


def grid_ids(call: Call, axes: int, start: int = 0) -> torch.Tensor:
    """Coordinates (N, axes) of the grid's cells: row and column at 1 and 2, zero else."""
    frames, height, width = call.grid
    ids = call.zeros(frames, height, width, axes)
    ids[..., 1] = torch.arange(height, device=ids.device).view(1, -1, 1) + start
    ids[..., 2] = torch.arange(width, device=ids.device).view(1, 1, -1) + start
    return ids.flatten(0, 2)


def image_ids(axes: int = 3, batched: bool = False, start: int = 0, kind: int = 0) -> Argument:
    """Coordinates of the grid for rotary embeddings, (N, axes) or (B, N, axes); `kind` stands on the first axis."""

    def build(call: Call) -> torch.Tensor:
        ids = grid_ids(call, axes, start)
        ids[:, 0] = kind
        return ids.expand(call.batch, -1, -1) if batched else ids

    return build


def text_ids(axes: int = 3, batched: bool = False, counted: tuple[int, ...] = ()) -> Argument:
    """Coordinates of the text: zeros, and its words counted on some axes."""

    def build(call: Call) -> torch.Tensor:
        ids = call.zeros(call.words, axes)
        for axis in counted:
            ids[:, axis] = torch.arange(call.words, device=ids.device)
        return ids.expand(call.batch, -1, -1) if batched else ids

    return build


def frame_shapes(nested: bool = True) -> Argument:
    """The grid's shape per sample, as Qwen-Image takes it."""
    return lambda call: [[call.grid] if nested else call.grid] * call.batch


def pixels_of_grid(cell: int = 16) -> Argument:
    """Height and width of the image in pixels, (B, 2), as CogView's size conditions take them."""
    return lambda call: (
        call.zeros(call.batch, 2) + torch.tensor([call.grid[1] * cell, call.grid[2] * cell], device=call.latents.device)
    )
