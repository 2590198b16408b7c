# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Noise that belongs to a sample."""

import hashlib
from collections.abc import Sequence

import torch


def sample_noise(shape: Sequence[int], *, seed: int, sample_ids: Sequence[str], timestep: int) -> torch.Tensor:
    """Gaussian noise that depends on the sample, never on the batch it came in.

    Args:
        shape: (B, C, T, H, W) of the latents.
        seed: run seed.
        sample_ids: B stable identifiers, one per sample.
        timestep: diffusion step in [0, 999]; each step draws its own noise.

    Returns:
        float32 (B, C, T, H, W) on the CPU, standard normal. The first frames of a sample have the same noise however
        many follow.

    Raises:
        ValueError: `sample_ids` and `shape[0]` disagree.
    """
    batch, channels, frames, height, width = shape
    if len(sample_ids) != batch:
        raise ValueError(f"sample_ids must name each of the {batch} samples, got {len(sample_ids)}")
    noise = torch.empty(batch, channels, frames, height, width)
    for row, sample_id in zip(noise, sample_ids, strict=True):
        generator = torch.Generator().manual_seed(_seed_of(seed, sample_id, timestep))
        for frame in range(frames):
            row[:, frame] = torch.randn(channels, height, width, generator=generator)
    return noise


def _seed_of(seed: int, sample_id: str, timestep: int) -> int:
    text = f"{seed}\n{timestep}\n{sample_id}".encode()
    return int.from_bytes(hashlib.blake2b(text, digest_size=8).digest(), "little")
