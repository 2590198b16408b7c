# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""What the tokenizer is trained to do: L1, L2, perceptual and adversarial terms on reconstructions."""

from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from .loop import Batch
from .pixels import to_pixel_values

if TYPE_CHECKING:
    from ..models import AutoencoderWalt
    from .adversarial import Adversary
    from .perceptual import PerceptualLoss


class ReconstructionObjective(nn.Module):
    """Weighted sum of the distances between pixels and their reconstruction (WALT §3, after VQ-GAN).

    Args:
        model: the tokenizer.
        l1_weight: of mean |error| on [-1, 1] pixels.
        l2_weight: of mean squared error on [-1, 1] pixels.
        perceptual: distance in the features of a frozen encoder.
        perceptual_weight: of it.
        adversary: judges reconstructions once it is active.
        adversarial_weight: of its judgement.
    """

    def __init__(
        self,
        model: "AutoencoderWalt",
        l1_weight: float,
        l2_weight: float,
        *,
        perceptual: "PerceptualLoss | None" = None,
        perceptual_weight: float = 0.1,
        adversary: "Adversary | None" = None,
        adversarial_weight: float = 0.1,
    ) -> None:
        super().__init__()
        self.model, self.perceptual, self.adversary = model, perceptual, adversary
        self.l1_weight, self.l2_weight = l1_weight, l2_weight
        self.perceptual_weight, self.adversarial_weight = perceptual_weight, adversarial_weight

    def forward(self, batch: Batch) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
        """`batch["video"]` uint8 (B, T, H, W, 3) -> loss and its terms, unweighted: `l1`, `l2`, `perceptual`, `gan`."""
        pixels = to_pixel_values(batch["video"])
        reconstruction = self.model(pixels).sample
        error = reconstruction.float() - pixels
        terms: dict[str, tuple[float, Any]] = {
            "l1": (self.l1_weight, error.abs().mean()),
            "l2": (self.l2_weight, error.square().mean()),
        }
        if self.perceptual is not None:
            terms["perceptual"] = (self.perceptual_weight, self.perceptual(reconstruction, pixels))
        if self.adversary is not None and self.adversary.active:
            terms["gan"] = (self.adversarial_weight, self.adversary.challenge(pixels, reconstruction.float()))
        loss = sum(weight * value for weight, value in terms.values())
        return loss, {name: value.detach() for name, (_, value) in terms.items()}
