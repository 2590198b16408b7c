# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Classifier-free guidance: its weight over the steps, and how two predictions become one."""

import math
from dataclasses import dataclass

import torch

SCHEDULES = ("constant", "power-cosine")


@dataclass(frozen=True)
class Guidance:
    """Weights of classifier-free guidance.

    Args:
        scale: the weight w; 1 is none.
        schedule: "constant", or "power-cosine" of MDT (Gao et al. 2023): 1 + (w - 1) (1 - cos(pi (1 - t / T) ** s)) / 2
            rises from 1 at pure noise to w at none (WALT Table 2 uses it on ImageNet).
        power: s.
        rescale: share of the prediction that is brought back to the conditional one's standard deviation, in [0, 1]
            (Lin et al. 2023, §3.4; of use with zero terminal SNR).

    Raises:
        ValueError: an unknown schedule, a power that is not positive, or a rescale outside [0, 1].
    """

    scale: float = 1.0
    schedule: str = "constant"
    power: float = 4.0
    rescale: float = 0.0

    def __post_init__(self) -> None:
        if self.schedule not in SCHEDULES:
            raise ValueError(f"guidance_schedule must be one of {', '.join(SCHEDULES)}, got {self.schedule!r}")
        if not self.power > 0:
            raise ValueError(f"guidance_power must be above 0, got {self.power}")
        if not 0 <= self.rescale <= 1:
            raise ValueError(f"guidance_rescale must lie in [0, 1], got {self.rescale}")

    @property
    def is_on(self) -> bool:
        return self.scale != 1.0

    def at(self, timestep: float, num_train_timesteps: int = 1000) -> float:
        """The weight at a noise level in [0, num_train_timesteps)."""
        if self.schedule == "constant":
            return self.scale
        clean = (1.0 - timestep / num_train_timesteps) ** self.power
        return 1.0 + (self.scale - 1.0) * (1.0 - math.cos(math.pi * clean)) / 2.0

    def combine(self, positive: torch.Tensor, null: torch.Tensor, weight: float) -> torch.Tensor:
        """null + weight * (positive - null), rescaled."""
        guided = torch.lerp(null, positive, weight)
        if not self.rescale:
            return guided
        axes = tuple(range(1, guided.ndim))
        scaled = guided * (positive.std(axes, keepdim=True) / guided.std(axes, keepdim=True))
        return torch.lerp(guided, scaled, self.rescale)
