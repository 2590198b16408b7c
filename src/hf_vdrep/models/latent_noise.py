# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Noise of a sample that does not depend on the batch, device or precision it meets."""

from collections.abc import Sequence

import torch


def noise_like(latents: torch.Tensor, seed: int | Sequence[int]) -> torch.Tensor:
    """Standard normal noise, drawn on the CPU in float32 for each sample alone.

    Args:
        latents: (B, c, T, h, w).
        seed: one for all samples, which then share their noise, or B of them.

    Returns:
        (B, c, T, h, w) on the device and in the dtype of `latents`.

    Raises:
        ValueError: a number of seeds that is not B.
    """
    seeds = [seed] if isinstance(seed, int) else list(seed)
    if not isinstance(seed, int) and len(seeds) != latents.shape[0]:
        raise ValueError(f"seed must be one integer or one per sample ({latents.shape[0]}), got {len(seeds)}")
    drawn = [torch.randn(latents.shape[1:], generator=torch.Generator().manual_seed(int(item))) for item in seeds]
    return torch.stack(drawn).to(latents.device, latents.dtype).expand_as(latents)
