# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""What the tokenizer's batches have in common, whatever the clips come from."""

import numpy as np
import torch
from torch import nn

from .autoencoder_config import AutoencoderTrainConfig
from .pixels import psnr, to_pixel_values
from .stream import derive_seed


def draw_crops(config: AutoencoderTrainConfig, step: int, frames: int) -> tuple[int, np.ndarray]:
    """The length of a step's clips, one of `config.lengths`, and their starts, a function of (seed, step).

    Args:
        config: lengths, their weights, batch size, seed.
        step: of the optimiser.
        frames: of the clips.

    Returns:
        (length, int64 (batch_size,) starts).
    """
    rng = np.random.default_rng(derive_seed("crop", config.seed, step))
    weights = np.asarray(config.length_weights)
    length = int(rng.choice(config.lengths, p=weights / weights.sum()))
    return length, rng.integers(0, frames - length + 1, size=config.batch_size)


def measure_psnr(model: nn.Module, clips: np.ndarray, device: torch.device | str) -> dict[str, float]:
    """Mean PSNR (dB) of whole clips, and of their first frames as images.

    Args:
        model: the tokenizer.
        clips: uint8 (N, T, H, W, 3).
        device: where to reconstruct.
    """
    videos, images = [], []
    for start in range(0, len(clips), 16):
        pixels = to_pixel_values(torch.from_numpy(clips[start : start + 16].copy()).to(device))
        videos.append(psnr(model(pixels).sample, pixels))
        images.append(psnr(model(pixels[:, :, :1]).sample, pixels[:, :, :1]))
    return {"psnr": float(torch.cat(videos).mean()), "psnr_image": float(torch.cat(images).mean())}
