# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""The denoising objective: v-prediction under zero terminal SNR, with self-conditioning (WALT §3, §4.3, §5.2)."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import torch
from diffusers.schedulers.scheduling_ddim import DDIMScheduler
from torch import nn

from ..models.scheduler_walt import clean_from_velocity
from .loop import Batch
from .loss_weighting import level_weights

if TYPE_CHECKING:
    from ..models import WaltTransformer3DModel

Conditions = dict[str, torch.Tensor]


class DenoisingObjective(nn.Module):
    """Mean squared error between predicted and true velocity.

    Videos and images of one batch go through the network separately (an image needs no temporal attention) and count
    in proportion to their tokens. The module calls its model several times in one forward, so that it is what has to
    be wrapped for DDP or FSDP, not the model.

    Args:
        model: the denoiser.
        scheduler: gives `add_noise` and `get_velocity`.
        weighting: "plain", or "min-snr" with `min_snr_gamma`; see `level_weights`.
        min_snr_gamma: cap of the signal-to-noise ratio.
        given_frames_count: whether frames that are given as a condition count in the loss. WALT §4.4 states no
            exception from the objective. Without them a clip's mean is over its other frames, and every clip counts
            alike, so that the loss does not depend on how a batch is divided.
        kinds: what batches may hold. Where FSDP spreads the weights, every process has to go through the model
            equally often; one whose part lacks a kind then passes a sample that counts nothing.
    """

    def __init__(
        self,
        model: "WaltTransformer3DModel",
        scheduler: DDIMScheduler,
        weighting: str = "plain",
        min_snr_gamma: float = 5.0,
        given_frames_count: bool = True,
        kinds: Sequence[str] = (),
    ) -> None:
        super().__init__()
        self.model, self.scheduler, self.given_frames_count = model, scheduler, given_frames_count
        self.kinds = tuple(kinds)
        self.weights = level_weights(scheduler.alphas_cumprod, weighting, min_snr_gamma)

    def forward(self, batch: Batch) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
        """Loss of one batch.

        `batch` holds for `video` and/or `image`: `<kind>` (B, c, T, h, w) clean normalised latents, `<kind>_noise` of
        that shape, `<kind>_timestep` (B,). It may hold, with B rows each: `<kind>_self` bool, where a first estimate
        is fed back; `<kind>_label` (B,); `<kind>_text` (B, L, D) and `<kind>_text_mask` (B, L) bool; `<kind>_hidden`
        (B,) bool, where label and text are hidden; `<kind>_given` (B, T) bool, frames given as a condition.
        """
        total, count, figures = torch.zeros((), device=self._device()), 0, {}
        for kind in ("video", "image"):
            if kind not in batch:
                if kind in self.kinds and self._sharded():
                    total = total + 0 * self.velocity_loss(self._stand_in(batch, kind), kind)
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
        conditions = self._conditions(batch, kind)
        estimate = self._self_condition(noisy, timestep, conditions, batch.get(f"{kind}_self"))
        predicted = self.model(noisy, timestep, self_condition=estimate, **conditions).sample
        return self._mean((predicted.float() - target).square(), timestep, batch.get(f"{kind}_given"))

    def _mean(self, error: torch.Tensor, timestep: torch.Tensor, given: torch.Tensor | None) -> torch.Tensor:
        """Weighted mean of the squared error (B, c, T, h, w)."""
        if self.weights is not None:
            error = error * self.weights.to(error.device)[timestep].view(-1, 1, 1, 1, 1)
        if given is None or self.given_frames_count:
            return error.mean()
        asked = ~given
        return ((error.mean((1, 3, 4)) * asked).sum(1) / asked.sum(1).clamp(min=1)).mean()

    def _self_condition(
        self, noisy: torch.Tensor, timestep: torch.Tensor, conditions: Conditions, chosen: torch.Tensor | None
    ) -> torch.Tensor | None:
        """First pass without gradient; its estimate of the clean latents, zero where not chosen."""
        takes_one = getattr(getattr(self._inner(), "config", None), "self_condition", True)
        if chosen is None or not takes_one:
            return None
        if not (bool(chosen.any()) or self._sharded()):
            return None
        rows = chosen.nonzero()[:, 0]
        estimate = torch.zeros_like(noisy)
        if not len(rows):  # a pass for the other processes' sake
            with torch.no_grad():
                self.model(noisy[:1], timestep[:1])
            return estimate
        with torch.no_grad():
            some = {name: value[rows] for name, value in conditions.items()}
            velocity = self.model(noisy[rows], timestep[rows], **some).sample.float()
            gamma: torch.Tensor = self.scheduler.alphas_cumprod
            estimate[rows] = clean_from_velocity(noisy[rows], velocity, timestep[rows], gamma)
        return estimate

    def _conditions(self, batch: Batch, kind: str) -> Conditions:
        """What the model is told, in the words of its forward; hidden labels and texts take their null form."""
        found: Conditions = {}
        hidden = batch.get(f"{kind}_hidden")
        labels, text, given = (batch.get(f"{kind}_{name}") for name in ("label", "text", "given"))
        if labels is not None:
            null: Any = self._inner().config.num_classes
            found["class_labels"] = labels if hidden is None else labels.masked_fill(hidden, null)
        if text is not None:
            mask = batch[f"{kind}_text_mask"]
            found["encoder_hidden_states"] = text
            found["encoder_attention_mask"] = mask if hidden is None else mask & ~hidden[:, None]
        if given is not None:
            found.update(frame_condition=batch[kind], frame_mask=given)
        return found

    def _sharded(self) -> bool:
        from torch.distributed.fsdp import FSDPModule

        return isinstance(self, FSDPModule)

    def _stand_in(self, batch: Batch, kind: str) -> Batch:
        """One sample of a kind that the batch lacks, made of the other kind."""
        other = "image" if kind == "video" else "video"
        frames = self._inner().config.sample_frames if kind == "video" else 1
        clean, noise = (batch[other + suffix][:1, :, :1].expand(-1, -1, frames, -1, -1) for suffix in ("", "_noise"))
        found = {kind: clean, f"{kind}_noise": noise, f"{kind}_timestep": batch[f"{other}_timestep"][:1]}
        if f"{other}_self" in batch:
            found[f"{kind}_self"] = batch[f"{other}_self"][:1]
        return found

    def _inner(self) -> Any:
        return getattr(self.model, "_orig_mod", self.model)

    def _device(self) -> torch.device:
        return next(self.model.parameters()).device
