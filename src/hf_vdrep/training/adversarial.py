# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""The tokenizer's adversary: a discriminator with its own optimiser that steps after the generator's."""

import math
from typing import Any

import torch
from accelerate import Accelerator

from .adversarial_losses import LeCam, discriminator_loss, generator_loss, r1_penalty
from .discriminator import VideoDiscriminator
from .state import Tensors, pack_optimizer, unpack_optimizer


class Adversary:
    """Tells clips from their reconstructions, and the tokenizer how to be mistaken for a clip.

    Not a module, so that the objective that holds it neither trains nor wraps the discriminator.

    Args:
        discriminator: clips -> (B,) logits.
        accelerator: averages gradients over processes; its precision is used, except for R1.
        lr: Adam's learning rate, scaled as the generator's schedule is.
        betas: Adam's.
        start: optimiser steps before which neither side sees the other.
        r1_weight: half of it times the squared gradient norm at real clips is added.
        r1_every: only at every n-th step, n times as strong (lazy regularisation).
        lecam_weight: weight of LeCAM.
        lecam_decay: of its running means.
    """

    def __init__(
        self,
        discriminator: VideoDiscriminator,
        accelerator: Accelerator,
        *,
        lr: float = 1e-4,
        betas: tuple[float, float] = (0.0, 0.99),
        start: int = 0,
        r1_weight: float = 10.0,
        r1_every: int = 1,
        lecam_weight: float = 0.0,
        lecam_decay: float = 0.999,
    ) -> None:
        self.discriminator, self.accelerator = discriminator.to(accelerator.device), accelerator
        self.optimizer = torch.optim.Adam(discriminator.parameters(), lr=lr, betas=betas)
        self.lr, self.start, self.r1_weight, self.r1_every = lr, start, r1_weight, r1_every
        self.lecam_weight, self.lecam = lecam_weight, LeCam(lecam_decay)
        self.steps = 0
        self._pairs: list[tuple[torch.Tensor, torch.Tensor]] = []

    @property
    def active(self) -> bool:
        """Whether the start step is reached."""
        return self.steps >= self.start

    def challenge(self, real: torch.Tensor, fake: torch.Tensor) -> torch.Tensor:
        """The generator's loss on (B, 3, T, H, W) reconstructions; both are kept for the discriminator's own step."""
        self._pairs.append((real.detach(), fake.detach()))
        self.discriminator.requires_grad_(False)
        try:
            return generator_loss(self.discriminator(fake).float())
        finally:
            self.discriminator.requires_grad_(True)

    def step(self, schedule: float) -> dict[str, float]:
        """One optimiser step on the pairs that came since the last one; counts the step even when inactive.

        A gradient with NaN or infinity is dropped, as are LeCAM's means of that step: one bad clip would otherwise
        stay in the discriminator, and through it in every later step.

        Args:
            schedule: factor of the learning rate.

        Returns:
            Figures: `d_loss`, mean logits `d_real` and `d_fake`, `d_r1` and `d_lecam` where they are on, and
            `d_skipped` where the step was dropped.
        """
        pairs, self._pairs = self._pairs, []
        regularise = self.r1_weight > 0 and self.steps % self.r1_every == 0
        self.steps += 1
        if not pairs:
            return {}
        before = (self.lecam.real, self.lecam.fake)
        if self.lecam_weight and len(pairs) > 1:
            with torch.no_grad():
                self._update_lecam([self._means(*self._logits(*pair)) for pair in pairs])
        totals: dict[str, float] = {}
        for real, fake in pairs:
            for name, value in self._backward(real, fake, regularise, len(pairs)).items():
                totals[name] = totals.get(name, 0.0) + value / len(pairs)
        if self._reduced_norm_is_finite():
            for group in self.optimizer.param_groups:
                group["lr"] = self.lr * schedule
            self.optimizer.step()
        else:
            self.lecam.real, self.lecam.fake = before
            totals = {name: value for name, value in totals.items() if math.isfinite(value)} | {"d_skipped": 1.0}
        self.optimizer.zero_grad(set_to_none=True)
        return totals

    def skip(self) -> None:
        """Forget the pairs of a step that the generator does not take; the step counts, as the schedule does."""
        self._pairs = []
        self.optimizer.zero_grad(set_to_none=True)
        self.steps += 1

    def _reduced_norm_is_finite(self) -> bool:
        """Average the gradients over the processes; the verdict on them is therefore the same everywhere."""
        gradients = []
        for parameter in self.discriminator.parameters():
            parameter.grad = self.accelerator.reduce(parameter.grad, "mean")  # type: ignore[assignment]
            gradients.append(parameter.grad)
        return bool(torch.isfinite(torch.nn.utils.get_total_norm(gradients)))

    def _update_lecam(self, means: list[torch.Tensor]) -> None:
        """Once a step and from all of its logits, so that micro-batches do not hasten the running means."""
        mean: Any = self.accelerator.reduce(torch.stack(means).mean(0), "mean")
        self.lecam.update(*mean.tolist())

    @staticmethod
    def _means(real_logits: torch.Tensor, fake_logits: torch.Tensor) -> torch.Tensor:
        return torch.stack([real_logits.detach().mean(), fake_logits.detach().mean()])

    def _logits(self, real: torch.Tensor, fake: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        with self.accelerator.autocast():
            real_logits, fake_logits = self.discriminator(torch.cat([real, fake])).float().split(len(real))
        return real_logits, fake_logits

    def _backward(self, real: torch.Tensor, fake: torch.Tensor, regularise: bool, parts: int) -> dict[str, float]:
        real_logits, fake_logits = self._logits(real, fake)
        loss = discriminator_loss(real_logits, fake_logits)
        means = self._means(real_logits, fake_logits)
        figures = {"d_loss": float(loss.detach()), "d_real": float(means[0]), "d_fake": float(means[1])}
        if self.lecam_weight:
            if parts == 1:
                self._update_lecam([means])
            penalty = self.lecam.penalty(real_logits, fake_logits)
            loss, figures["d_lecam"] = loss + self.lecam_weight * penalty, float(penalty.detach())
        if regularise:
            # In full precision: the slope's own gradient is too small for bfloat16.
            penalty = r1_penalty(self.discriminator, real.float())
            loss = loss + 0.5 * self.r1_weight * self.r1_every * penalty
            figures["d_r1"] = float(penalty.detach())
        (loss / parts).backward()
        return figures

    def tensors(self) -> dict[str, Tensors]:
        """What a checkpoint needs, as file stem -> named tensors."""
        moments, _ = pack_optimizer(self.optimizer)
        return {"discriminator": dict(self.discriminator.state_dict()), "discriminator-optimizer": moments}

    def state(self) -> dict[str, Any]:
        """What a checkpoint needs, as JSON scalars."""
        groups = pack_optimizer(self.optimizer)[1]
        return {"steps": self.steps, "groups": groups, "lecam": [self.lecam.real, self.lecam.fake]}

    def load(self, tensors: dict[str, Tensors], state: dict[str, Any]) -> None:
        """Inverse of `tensors` and `state`."""
        self.discriminator.load_state_dict(tensors["discriminator"])
        unpack_optimizer(self.optimizer, tensors.get("discriminator-optimizer", {}), state["groups"])
        self.steps = state["steps"]
        self.lecam.real, self.lecam.fake = state["lecam"]
