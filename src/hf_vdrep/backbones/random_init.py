# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Random weights for a denoiser whose own initialisation is the identity."""

from typing import Any

import torch
import torch.nn.functional as F

from ..models.transformer_walt import WaltTransformer3DModel
from .fingerprint import public_config


def randomize(transformer: WaltTransformer3DModel, seed: int = 0, std: float = 0.3) -> WaltTransformer3DModel:
    """A denoiser of the same config with random weights.

    WALT starts with zero gates, so a fresh model's blocks pass their input on unchanged, and its features would be a
    linear map of the noisy latents. Here the modulation's weights are normal, scaled so that scales, shifts and gates
    have a standard deviation of about `std` at mid noise, near those of a trained model.

    Args:
        transformer: gives the config; left as it is.
        seed: seed of the weights; the global random state is kept.
        std: standard deviation of the modulation.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        fresh: Any = type(transformer)(**public_config(transformer.config))
        _draw_modulation(fresh, std)
    return fresh.to(transformer.device).eval().requires_grad_(False)


@torch.no_grad()
def _draw_modulation(transformer: Any, std: float) -> None:
    embedding = F.silu(transformer.time_embed(transformer.time_proj(torch.tensor([500]))))
    scale = std / float(embedding.norm())
    for layer in (transformer.adaln, transformer.adaln_out):
        layer.weight.normal_(std=scale)
    for block in transformer.blocks:
        if block.modulation.up is not None:
            low_rank = block.modulation.down(embedding)
            block.modulation.up.weight.normal_(std=std / float(low_rank.norm()))
