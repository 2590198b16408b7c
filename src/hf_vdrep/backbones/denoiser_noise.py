# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Adding noise as a model was trained with it, by the family of its scheduler.

Every family is asked by the same timestep t in [0, 999], from clean to noise:

- "variance_preserving" (DDPM, DDIM, Euler, DPM and their kin, whether the model predicts the noise, the sample or the
  velocity): sqrt(a_t) x + sqrt(1 - a_t) e with the scheduler's table, and the model hears t. Euler and its kin keep
  x + sigma e and divide it by sqrt(sigma^2 + 1) before the model: the same.
- "flow" (flow matching): sigma = t / 1000, (1 - sigma) x + sigma e, and the model hears sigma in its own units. The
  shifts by which pipelines choose their steps change which sigmas are visited, not what a sigma is.
- "edm" (EDM, and Stable Video Diffusion's continuous Euler): sigma from sigma_min to sigma_max, even in its logarithm,
  (x + sigma e) / sqrt(sigma^2 + sigma_data^2), and the model hears log(sigma) / 4.
- "ratio" (Stable Cascade): the scheduler's own cosine at t / 1000.
- "masks" (aMUSEd): codes are masked with the cosine's share at t / 1000.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import torch

Kind = Literal["variance_preserving", "flow", "edm", "ratio", "masks"]
STEPS = 1000


@dataclass(frozen=True)
class Noised:
    """What the model reads.

    Attributes:
        latents: noisy and scaled as the model takes them.
        timestep: noise level in [0, 1000] for the units of the family, or the level itself where `raw`; one, or one per
            sample (B,).
        raw: the model hears `timestep` as it is.
    """

    latents: torch.Tensor
    timestep: float | torch.Tensor
    raw: bool = False


def noise_kind(scheduler: Any) -> Kind:
    """The family of a scheduler.

    Raises:
        ValueError: none that is known.
    """
    name, config = type(scheduler).__name__, scheduler.config
    flow = config.get("prediction_type") == "flow_prediction" or config.get("use_flow_sigmas")
    if name == "AmusedScheduler":
        return "masks"
    if name == "DDPMWuerstchenScheduler":
        return "ratio"
    if name.startswith("EDM") or config.get("timestep_type") == "continuous":
        return "edm"
    if flow or "flow" in name.lower() or name.endswith("RFScheduler") or hasattr(scheduler, "scale_noise"):
        return "flow"
    if hasattr(scheduler, "alphas_cumprod"):
        return "variance_preserving"
    raise ValueError(f"scheduler must be of DDPM's, flow matching's or EDM's family, got {name}")


def add_noise(scheduler: Any, clean: torch.Tensor, noise: torch.Tensor, timestep: int) -> Noised:
    """Noisy latents at one level for all samples.

    Args:
        scheduler: of the pipeline.
        clean: (B, C, T, H, W).
        noise: standard normal of that shape.
        timestep: in [0, 999].
    """
    kind = noise_kind(scheduler)
    if kind == "flow":
        sigma = timestep / STEPS
        return Noised((1 - sigma) * clean + sigma * noise, timestep)
    if kind == "edm":
        sigma, data = edm_sigma(scheduler, timestep), _sigma_data(scheduler)
        return Noised((clean + sigma * noise) / math.sqrt(sigma**2 + data**2), math.log(sigma) / 4, raw=True)
    if kind == "ratio":
        ratio = torch.full((clean.shape[0],), timestep / STEPS, device=clean.device)
        return Noised(scheduler.add_noise(clean, noise, ratio), timestep)
    if kind == "masks":
        return Noised(mask_codes(scheduler, clean, noise, timestep / STEPS), timestep)
    kept = float(scheduler.alphas_cumprod[timestep])
    return Noised(math.sqrt(kept) * clean + math.sqrt(1 - kept) * noise, timestep)


def stack_levels(levels: Sequence[Noised]) -> Noised:
    """A batch at several noise levels as one of all of them, level-major; every sample has its own level."""
    steps = [torch.as_tensor(each.timestep, dtype=torch.float32).expand(len(each.latents)) for each in levels]
    latents = torch.cat([each.latents for each in levels])
    return Noised(latents, torch.cat(steps).to(latents.device), levels[0].raw)


def edm_sigma(scheduler: Any, timestep: int) -> float:
    """Standard deviation of the noise at a timestep."""
    config = scheduler.config
    low = config.get("sigma_min") or 0.002
    high = config.get("sigma_max") or 80.0
    return float(low * (high / low) ** (timestep / (STEPS - 1)))


def mask_codes(scheduler: Any, codes: torch.Tensor, noise: torch.Tensor, ratio: float) -> torch.Tensor:
    """Codes with the mask's in the places of the least noise; a share of cos((1 - ratio) pi / 2)."""
    share = math.cos((1 - ratio) * math.pi / 2)
    count = round(share * noise[0].numel())
    order = noise.flatten(1).argsort(dim=1).argsort(dim=1).view_as(noise)
    return torch.where(order < count, float(scheduler.config.mask_token_id), codes)


def _sigma_data(scheduler: Any) -> float:
    return float(scheduler.config.get("sigma_data") or 1.0)
