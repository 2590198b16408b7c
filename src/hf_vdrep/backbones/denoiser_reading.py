# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""One forward pass of a denoiser over noisy latents, read at a site of some blocks."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch

from .denoiser_call import call_arguments, make_call
from .denoiser_families import family_of
from .denoiser_family import TEXT_LENGTH
from .denoiser_layout import to_grid
from .denoiser_sites import Block, Site, read_sites, tensor_at


def read_denoiser(
    denoiser: Any,
    latents: torch.Tensor,
    timestep: float | torch.Tensor,
    blocks: Sequence[Block],
    *,
    site: Site = "block",
    raw: bool = False,
    ratios: tuple[int, int] | None = None,
    given: Mapping[str, Any] | None = None,
    blank: torch.Tensor | None = None,
) -> list[torch.Tensor]:
    """Features of a batch; nothing runs after the last block.

    Args:
        denoiser: of a class in the table.
        latents: noisy (B, C, T, H, W), T = 1 for an image model.
        timestep: noise level in [0, 1000], one or one per sample.
        blocks: of `blocks_of`.
        site: where in a block.
        raw: the model hears `timestep` as it is, not in the family's units.
        ratios: frames and pixels per latent of the tokenizer, where they are known.
        given: arguments of the forward pass that stand in for null ones; tensors of one row serve every sample.
        blank: (1, C, T, H, W), latents of a grey clip, for families that ask for them.

    Returns:
        (B, T', H', W', C) per block.

    Raises:
        ValueError: latents that the model cannot take, or a block that lacks the site.
    """
    family = family_of(denoiser)
    if family.single and len(latents) > 1:
        levels = torch.as_tensor(timestep, dtype=torch.float32).expand(len(latents))
        told: dict[str, Any] = {"site": site, "raw": raw, "ratios": ratios, "given": given, "blank": blank}
        rows = [
            read_denoiser(denoiser, row.unsqueeze(0), level, blocks, **told)
            for row, level in zip(latents, levels, strict=True)
        ]
        return [torch.cat(values) for values in zip(*rows, strict=True)]
    inputs = _for_batch(given or {}, latents)
    states = latents.to(denoiser.dtype)
    call = make_call(denoiser, family, states, timestep, raw=raw, ratios=ratios, words=_words(inputs), blank=blank)
    arguments = call_arguments(call, family, inputs)
    outputs = read_sites(lambda: denoiser(**arguments), blocks, site)
    part = family.part if site == "block" else family.inner
    return [
        to_grid(tensor_at(output, part), family, call.grid, block.name, call.batch, site)
        for output, block in zip(outputs, blocks, strict=True)
    ]


def _words(given: Mapping[str, Any]) -> int:
    """Words of the text that is given, which masks and positions follow."""
    for name in ("encoder_hidden_states", "text_bth"):
        states = given.get(name)
        if isinstance(states, torch.Tensor) and states.ndim >= 3:
            # SANA-WM keeps the words on the third axis.
            return states.shape[2] if states.ndim == 4 and states.shape[1] == 1 else states.shape[1]
    return TEXT_LENGTH


def _for_batch(given: Mapping[str, Any], latents: torch.Tensor) -> dict[str, Any]:
    return {
        key: value.to(latents.device).expand(len(latents), *value.shape[1:])
        if isinstance(value, torch.Tensor) and value.ndim and value.shape[0] == 1
        else value
        for key, value in given.items()
    }
