# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Rotary embeddings that pipelines hand to their denoisers, built as the pipelines build them."""

import math
from typing import Any

import torch
from diffusers.models.embeddings import (
    get_2d_rotary_pos_embed,
    get_2d_rotary_pos_embed_lumina,
    get_3d_rotary_pos_embed,
    get_3d_rotary_pos_embed_allegro,
)

from .denoiser_family import Call


def cogvideox_rotary(call: Call) -> Any:
    """CogVideoX 1.0 crops and resizes the grid it was trained on, 1.5 slices a longer one."""
    config, (frames, height, width) = call.config, call.grid
    if not config.use_rotary_positional_embeddings:
        return None
    base = (config.sample_height // config.patch_size, config.sample_width // config.patch_size)
    known: dict[str, Any] = {
        "embed_dim": config.attention_head_dim,
        "grid_size": (height, width),
        "temporal_size": frames,
        "device": call.latents.device,
    }
    if getattr(config, "patch_size_t", None) is None:
        return get_3d_rotary_pos_embed(crops_coords=_crop((height, width), base), **known)
    return get_3d_rotary_pos_embed(crops_coords=None, grid_type="slice", max_size=base, **known)


def allegro_rotary(call: Call) -> Any:
    """Frequencies and positions along T, H, W."""
    config, (frames, height, width) = call.config, call.grid
    *frequencies, steps, rows, columns = get_3d_rotary_pos_embed_allegro(
        embed_dim=config.attention_head_dim,
        crops_coords=((0, 0), (height, width)),
        grid_size=(height, width),
        temporal_size=frames,
        interpolation_scale=(config.interpolation_scale_t, config.interpolation_scale_h, config.interpolation_scale_w),
        device=call.latents.device,
    )
    positions = torch.cartesian_prod(steps.long(), rows.long(), columns.long())
    return tuple(frequencies), tuple(positions.T.reshape(3, 1, -1).contiguous())


def hunyuan_dit_rotary(call: Call) -> Any:
    """The grid of 512 pixels, cropped and resized."""
    side = 512 // 8 // call.config.patch_size
    grid = call.grid[1:]
    return get_2d_rotary_pos_embed(
        call.model.inner_dim // call.model.num_heads,
        _crop(grid, (side, side)),
        grid,
        device=call.latents.device,
        output_type="pt",
    )


def lumina_rotary(call: Call) -> Any:
    """A table of 384 x 384 places, stretched by the side of the image over the side that the model was trained on."""
    height, width = call.latents.shape[3:]
    stretch = math.sqrt(height * width) / call.config.sample_size
    table = get_2d_rotary_pos_embed_lumina(call.model.head_dim, 384, 384, linear_factor=stretch)
    return table.to(call.latents.device)


def minimax_places(call: Call) -> torch.Tensor:
    """MiniMax-H3's places (N, 3): time after the words, 5/3 a frame; the sides of a square of 32 about the middle."""
    frames, height, width = call.grid
    steps = torch.tensor([(1, 4, 4, 4, 4)[frame % 5] for frame in range(frames)], dtype=torch.float64)
    sides = [steps.cumsum(0) - steps]
    for side in (height, width):
        part = side / math.sqrt(height * width)
        sides.append((1 - part) / 2 + torch.arange(side, dtype=torch.float64) * part / side)
    places = torch.cartesian_prod(sides[0] * 5 / 3 + call.words, sides[1] * 32, sides[2] * 32)
    return places.reshape(-1, 3).to(call.latents.device, torch.float32)


def _crop(grid: tuple[int, ...], base: tuple[int, int]) -> tuple[tuple[int, int], tuple[int, int]]:
    """Corners of the part of `base` that has the proportions of `grid` (diffusers' get_resize_crop_region_for_grid)."""
    height, width = grid
    if height / width > base[0] / base[1]:
        resized = (base[0], round(base[0] / height * width))
    else:
        resized = (round(base[1] / width * height), base[1])
    top, left = (round((whole - part) / 2.0) for whole, part in zip(base, resized, strict=True))
    return (top, left), (top + resized[0], left + resized[1])
