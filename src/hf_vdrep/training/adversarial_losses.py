# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""The formulae of the adversarial loss: non-saturating GAN, R1, LeCAM."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F


def generator_loss(fake_logits: torch.Tensor) -> torch.Tensor:
    """Non-saturating: mean of -log sigmoid(D(fake)) = softplus(-D(fake))."""
    return F.softplus(-fake_logits).mean()


def discriminator_loss(real_logits: torch.Tensor, fake_logits: torch.Tensor) -> torch.Tensor:
    """-log sigmoid(D(real)) - log(1 - sigmoid(D(fake))), each averaged."""
    return F.softplus(-real_logits).mean() + F.softplus(fake_logits).mean()


def r1_penalty(discriminator: Callable[[torch.Tensor], torch.Tensor], real: torch.Tensor) -> torch.Tensor:
    """Mean over clips of the squared norm of dD/dx at real clips (Mescheder et al. 2018); the loss takes half of it.

    Args:
        discriminator: (B, ...) -> (B,).
        real: (B, ...).
    """
    real = real.detach().requires_grad_(True)
    (slope,) = torch.autograd.grad(discriminator(real).sum(), real, create_graph=True)
    return slope.square().flatten(1).sum(1).mean()


@dataclass
class LeCam:
    """LeCAM regulariser (Tseng et al. 2021): logits stay near the running mean of the other side.

    mean relu(D(real) - ema_fake)^2 + mean relu(ema_real - D(fake))^2, with the running means after this step's update.

    Attributes:
        decay: of the running means.
        real: running mean of D(real); None before the first step, which sets it.
        fake: of D(fake).
    """

    decay: float
    real: float | None = None
    fake: float | None = None

    def update(self, real: float, fake: float) -> None:
        """Fold in this step's mean logits, over all processes."""
        keep = self.decay
        self.real = real if self.real is None else keep * self.real + (1 - keep) * real
        self.fake = fake if self.fake is None else keep * self.fake + (1 - keep) * fake

    def penalty(self, real_logits: torch.Tensor, fake_logits: torch.Tensor) -> torch.Tensor:
        """The regulariser at the present running means.

        Raises:
            RuntimeError: before the first `update`.
        """
        if self.real is None or self.fake is None:
            raise RuntimeError("penalty must come after update, got no running means yet")
        return F.relu(real_logits - self.fake).square().mean() + F.relu(self.real - fake_logits).square().mean()
