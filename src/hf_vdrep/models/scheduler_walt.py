# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""WALT's noise schedule as a stock diffusers scheduler (WALT §3, §5.2, Table 8)."""

from typing import Any

import torch
from diffusers.schedulers.scheduling_ddim import DDIMScheduler


def make_scheduler(**overrides: Any) -> DDIMScheduler:
    """DDIM over 1000 linear steps with zero terminal SNR and v-prediction.

    `add_noise` and `get_velocity` give the training pair; no step is ever clipped, for latents are not pixels.

    Args:
        overrides: keyword arguments of `DDIMScheduler` to change.
    """
    settings: dict[str, Any] = {
        "num_train_timesteps": 1000,
        "beta_schedule": "linear",
        "beta_start": 1e-4,
        "beta_end": 0.02,
        "prediction_type": "v_prediction",
        "rescale_betas_zero_snr": True,
        "timestep_spacing": "trailing",
        "clip_sample": False,
        "set_alpha_to_one": True,
    }
    return DDIMScheduler(**{**settings, **overrides})


def clean_from_velocity(
    latents: torch.Tensor, velocity: torch.Tensor, timestep: torch.Tensor, alphas_cumprod: torch.Tensor
) -> torch.Tensor:
    """The estimate of the clean latents that a velocity stands for: sqrt(g) * x_t - sqrt(1 - g) * v.

    Args:
        latents: x_t, (B, c, T, h, w).
        velocity: prediction of the same shape.
        timestep: (B,) or scalar, in [0, 999].
        alphas_cumprod: g of every step, (1000,).
    """
    gamma = alphas_cumprod.to(latents.device)[timestep.to(latents.device)].reshape(-1, 1, 1, 1, 1)
    return gamma.sqrt().to(latents.dtype) * latents - (1 - gamma).sqrt().to(latents.dtype) * velocity
