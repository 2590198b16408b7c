# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""The denoising objective: v-prediction under zero terminal SNR, with self-conditioning (WALT §3, §4.3, §5.2)."""

from typing import TYPE_CHECKING, Any

import torch
from diffusers.schedulers.scheduling_ddim import DDIMScheduler
from torch import nn

from ..models.scheduler_walt import clean_from_velocity
from .loop import Batch

if TYPE_CHECKING:
    from ..models import WaltTransformer3DModel


class DenoisingObjective(nn.Module):
    """Mean squared error between predicted and true velocity.

    Videos and images of one batch go through the network separately (an image needs no temporal attention) and count
    in proportion to their tokens.

    Args:
        model: the denoiser.
        scheduler: gives `add_noise` and `get_velocity`.
        class_dropout: probability of hiding a class label, when there are labels.
    """

    def __init__(self, model: "WaltTransformer3DModel", scheduler: DDIMScheduler, class_dropout: float = 0.1) -> None:
        super().__init__()
        self.model, self.scheduler, self.class_dropout = model, scheduler, class_dropout

    def forward(self, batch: Batch) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
        """Loss of one batch.

        `batch` holds for `video` and/or `image`: `<kind>` (B, c, T, h, w) clean normalised latents, `<kind>_noise` of
        that shape, `<kind>_timestep` (B,), `<kind>_self` (B,) bool, optionally `<kind>_label` (B,).
        """
        total, count, figures = torch.zeros((), device=self._device()), 0, {}
        for kind in ("video", "image"):
            if kind not in batch:
                continue
            loss = self.velocity_loss(batch, kind)
            figures[f"loss_{kind}"] = loss.detach()
            total, count = total + loss * batch[kind].numel(), count + batch[kind].numel()
        return total / count, figures

    def velocity_loss(self, batch: Batch, kind: str) -> torch.Tensor:
        """Mean over the samples of one kind."""
        clean, noise, timestep = (batch[kind + suffix] for suffix in ("", "_noise", "_timestep"))
        noisy = self.scheduler.add_noise(clean, noise, timestep)
        target = self.scheduler.get_velocity(clean, noise, timestep)
        labels = self._labels(batch, kind)
        estimate = self._self_condition(noisy, timestep, labels, batch.get(f"{kind}_self"))
        predicted = self.model(noisy, timestep, class_labels=labels, self_condition=estimate).sample
        return (predicted.float() - target).square().mean()

    def _self_condition(
        self, noisy: torch.Tensor, timestep: torch.Tensor, labels: torch.Tensor | None, chosen: torch.Tensor | None
    ) -> torch.Tensor | None:
        """First pass without gradient; its estimate of the clean latents, zero where not chosen."""
        if chosen is None or not bool(chosen.any()):
            return None
        rows = chosen.nonzero()[:, 0]
        estimate = torch.zeros_like(noisy)
        with torch.no_grad():
            some = None if labels is None else labels[rows]
            velocity = self.model(noisy[rows], timestep[rows], class_labels=some).sample.float()
            gamma: torch.Tensor = self.scheduler.alphas_cumprod
            estimate[rows] = clean_from_velocity(noisy[rows], velocity, timestep[rows], gamma)
        return estimate

    def _labels(self, batch: Batch, kind: str) -> torch.Tensor | None:
        labels = batch.get(f"{kind}_label")
        if labels is None or not self.training:
            return labels
        null: Any = self.model.config.num_classes
        hidden = torch.rand(labels.shape, device=labels.device) < self.class_dropout
        return torch.where(hidden, torch.full_like(labels, null), labels)

    def _device(self) -> torch.device:
        return next(self.model.parameters()).device
