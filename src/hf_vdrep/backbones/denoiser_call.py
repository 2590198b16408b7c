# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Calling a denoiser: its arguments from latents, a noise level and whatever conditioning is given."""

from collections.abc import Mapping
from typing import Any

import torch
import torch.nn.functional as F

from .denoiser_arguments import size_of
from .denoiser_family import TEXT_LENGTH, TO_SCALE, Call, DenoiserFamily
from .denoiser_layout import grid_of, lay_out


def make_call(
    model: Any,
    family: DenoiserFamily,
    latents: torch.Tensor,
    timestep: float | torch.Tensor,
    *,
    raw: bool = False,
    ratios: tuple[int, int] | None = None,
    words: int = TEXT_LENGTH,
    blank: torch.Tensor | None = None,
) -> Call:
    """A forward pass over noisy latents.

    Args:
        model: the denoiser.
        family: its line of the table.
        latents: (B, C, T, H, W), T = 1 for an image model. Where the model takes more channels, as models that are
            conditioned on images do, the rest are zero: no image is given.
        timestep: noise level in [0, 1000], one or one per sample.
        raw: the timestep already is in the model's own units.
        ratios: frames and pixels per latent of the tokenizer, where they are known.
        words: of the text, where the model does not fix their number.
        blank: (1, C, T, H, W), latents of a grey clip.

    Raises:
        ValueError: latents that the model cannot take.
    """
    channels = latent_channels(model.config, family)
    if latents.shape[1] > channels:
        raise ValueError(f"latents must have at most {channels} channels, got {latents.shape[1]}")
    grid = grid_of(latents, model.config, family)
    steps = torch.as_tensor(timestep, dtype=torch.float32, device=latents.device).expand(latents.shape[0])
    level = steps if raw else TO_SCALE[family.scale](steps)
    if family.ramp and not raw:
        level = level * float(getattr(model.config, family.ramp))
    padded = F.pad(latents, (0, 0) * 3 + (0, channels - latents.shape[1]))
    return Call(model, padded, grid, level, ratios, words, blank)


def latent_channels(config: Any, family: DenoiserFamily) -> int:
    """Channels of the latents that the model takes, before packing."""
    return size_of(family.channels, config) // family.pack**2


def call_arguments(call: Call, family: DenoiserFamily, given: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Keyword arguments of the forward pass; what is given stands in for what would be null."""
    arguments: dict[str, Any] = {}
    if family.layout != "own":
        arguments[family.key] = lay_out(call.latents, family)
    if family.time:
        arguments[family.time] = call.level
    given = given or {}
    arguments |= {name: build(call) for name, build in family.arguments.items() if name not in given}
    arguments |= given
    return {name: value for name, value in arguments.items() if value is not None}
