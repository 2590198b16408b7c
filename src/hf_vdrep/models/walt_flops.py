# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Work of a denoiser's forward in closed form: two FLOPs for every multiply-add of a matrix product.

Norms, activations, softmax and additions are left out, as usual; they are linear in the tokens.
"""

import inspect
from collections.abc import Mapping
from typing import Any

from .walt_windows import Grid, fit_window, padded_grid

_WAVES = 256


def forward_flops(
    config: Mapping[str, Any], frames: int | None = None, size: tuple[int, int] | None = None, text_length: int = 128
) -> int:
    """FLOPs of one forward of one sample.

    Args:
        config: arguments of `WaltTransformer3DModel`; what is missing has its default.
        frames: latent frames; those of training by default.
        size: latent (height, width); that of training by default.
        text_length: tokens of text, for models that read some.
    """
    full = {**_defaults(), **config}
    height, width = size or _pair(full["sample_size"])
    patch, dim = full["patch_size"], full["num_attention_heads"] * full["attention_head_dim"]
    grid = (frames or full["sample_frames"], height // patch, width // patch)
    total = _ends(full, grid, dim) + _condition(full, grid, dim, text_length)
    for layer in range(full["num_layers"]):
        total += _block(full, layer, grid, dim, text_length)
    return total


def _defaults() -> dict[str, Any]:
    from .transformer_walt import WaltTransformer3DModel

    parameters = inspect.signature(WaltTransformer3DModel.__init__).parameters
    return {name: item.default for name, item in parameters.items() if name != "self"}


def _pair(size: Any) -> tuple[int, int]:
    return (size, size) if isinstance(size, int) else (size[0], size[1])


def _count(grid: Grid) -> int:
    return grid[0] * grid[1] * grid[2]


def _ends(config: Mapping[str, Any], grid: Grid, dim: int) -> int:
    """First and last projection of the tokens."""
    channels = config["in_channels"]
    planes = channels * (1 + config["self_condition"] + (config["low_res_scale"] is not None))
    planes += (channels + 1) * config["frame_conditioning"]
    return 2 * _count(grid) * dim * config["patch_size"] ** 2 * (planes + channels)


def _condition(config: Mapping[str, Any], grid: Grid, dim: int, text_length: int) -> int:
    """Time embedding, shared and last modulation, text projection, low-resolution convolution."""
    embed = 2 * (_WAVES * dim + dim**2)
    total = embed + 2 * dim * 2 * dim
    if config["adaln_lora_rank"] is not None:
        total += 2 * dim * 6 * dim
    if config["text_dim"] is not None:
        total += 2 * text_length * config["text_dim"] * dim
    if config["low_res_scale"] is not None:
        channels, places = config["in_channels"], _count(grid) * config["patch_size"] ** 2
        total += embed + 2 * 9 * channels * channels * places  # c -> c s^2 channels on places / s^2
    return total


def _block(config: Mapping[str, Any], layer: int, grid: Grid, dim: int, text_length: int) -> int:
    tokens, rank = _count(grid), config["adaln_lora_rank"]
    total = 2 * tokens * 2 * int(dim * config["mlp_ratio"]) * dim
    if rank is None:
        total += 2 * dim * 6 * dim
    elif layer:
        total += 2 * rank * 7 * dim
    spatial = fit_window((1, *config["spatial_window"]), grid)
    if config["text_dim"] is not None:
        total += _cross_attention(grid, spatial, dim, text_length)
    if config["objective"] == "image" or layer % 2 == 0:
        return total + _attention(grid, spatial, dim)
    if grid[0] == 1:  # the identity rule: values and output alone
        return total + 2 * tokens * 2 * dim**2
    return total + _attention(grid, fit_window((grid[0], *config["spatiotemporal_window"]), grid), dim)


def _attention(grid: Grid, window: Grid, dim: int) -> int:
    tokens = _count(padded_grid(grid, window))
    return 2 * tokens * 4 * dim**2 + 4 * tokens * _count(window) * dim


def _cross_attention(grid: Grid, window: Grid, dim: int, text_length: int) -> int:
    tokens, length = _count(padded_grid(grid, window)), _count(window)
    keys = tokens // length * (length + text_length)
    return 2 * (tokens + keys) * 2 * dim**2 + 4 * tokens * (length + text_length) * dim
