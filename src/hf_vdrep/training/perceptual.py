# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""A perceptual loss: the distance between frames in the features of any frozen transformers encoder."""

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import nn

_IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))


class PerceptualLoss(nn.Module):
    """Squared distance of unit feature vectors, position by position, averaged over positions, layers and frames.

    As in LPIPS, every feature vector is scaled to length one first, so that no layer and no bright place dominates;
    there are no learnt weights. With vectors a and b the distance is 2 - 2 cos(a, b), in [0, 4].

    Args:
        encoder: a transformers vision model that returns `hidden_states`, (N, positions, C) or (N, C, h, w).
        layers: which of them to compare, counted as in the tuple; negative counts from the end.
        size: frames are resized to (height, width) first; None leaves them.
        mean: of the encoder's input, per channel on [0, 1].
        std: likewise.
    """

    mean: torch.Tensor
    std: torch.Tensor

    def __init__(
        self,
        encoder: nn.Module,
        layers: Sequence[int] = (-1,),
        size: tuple[int, int] | None = None,
        mean: Sequence[float] = _IMAGENET[0],
        std: Sequence[float] = _IMAGENET[1],
    ) -> None:
        super().__init__()
        self.encoder = encoder.eval().requires_grad_(False)
        self.layers, self.size = tuple(layers), size
        self.register_buffer("mean", torch.tensor(mean).view(1, -1, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(std).view(1, -1, 1, 1), persistent=False)

    @classmethod
    def from_pretrained(
        cls, name: str, layers: Sequence[int] = (-1,), size: int | None = None, **options: Any
    ) -> "PerceptualLoss":
        """Load an encoder by `AutoModel` from a folder or Hub id, and its input statistics from its processor's file.

        Args:
            name: folder or Hub id of a vision model; of a two-tower model the vision tower is taken.
            layers: hidden states to compare.
            size: side of the square that frames are resized to; None takes the model's own.
            options: for `AutoModel.from_pretrained`.

        Raises:
            ValueError: nothing loadable there.
        """
        from transformers import AutoModel

        try:
            model = AutoModel.from_pretrained(name, **options)
        except (OSError, ValueError) as error:
            reason = str(error).partition("\n")[0]
            raise ValueError(f"perceptual_model must be a transformers vision model, got {name} ({reason})") from error
        settings = _processor_settings(name)
        side = (size, size) if size else _own_size(model, settings)
        mean = settings.get("image_mean") or _IMAGENET[0]
        std = settings.get("image_std") or _IMAGENET[1]
        return cls(getattr(model, "vision_model", model), layers, side, mean, std)

    def train(self, mode: bool = True) -> "PerceptualLoss":
        """Stays in evaluation mode: the features must not wander."""
        return super().train(False)

    def forward(self, reconstruction: torch.Tensor, original: torch.Tensor) -> torch.Tensor:
        """(B, 3, T, H, W) in [-1, 1], twice -> the mean distance; gradients reach the reconstruction alone."""
        with torch.no_grad():
            expected = self._features(original)
        found = self._features(reconstruction)
        distances = [(a - b).square().sum(-1).mean() for a, b in zip(found, expected, strict=True)]
        return torch.stack(distances).mean()

    def _features(self, clips: torch.Tensor) -> list[torch.Tensor]:
        """Unit vectors (N, positions, C) of the chosen layers, in float32."""
        frames = clips.transpose(1, 2).flatten(0, 1).float().add(1).div(2)
        if self.size is not None and frames.shape[2:] != self.size:
            frames = F.interpolate(frames, self.size, mode="bicubic", antialias=True, align_corners=False)
        output = self.encoder(pixel_values=(frames - self.mean) / self.std, output_hidden_states=True)
        chosen = [output.hidden_states[layer].float() for layer in self.layers]
        return [F.normalize(h.flatten(2).mT if h.ndim == 4 else h, dim=-1) for h in chosen]


def _processor_settings(name: str) -> dict[str, Any]:
    from transformers.image_processing_base import ImageProcessingMixin

    try:
        return ImageProcessingMixin.get_image_processor_dict(name)[0]
    except (OSError, ValueError):
        return {}


def _own_size(model: nn.Module, settings: dict[str, Any]) -> tuple[int, int] | None:
    """What the model's config or its processor asks for."""
    config = getattr(model.config, "vision_config", model.config)
    asked = getattr(config, "image_size", None) or settings.get("crop_size") or settings.get("size")
    if isinstance(asked, dict):
        asked = [asked.get(key, asked.get("shortest_edge")) for key in ("height", "width")]
    if isinstance(asked, int):
        asked = [asked, asked]
    return (int(asked[0]), int(asked[1])) if asked and asked[0] else None
