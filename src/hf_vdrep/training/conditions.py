# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""What a run's denoiser is told of its clips, opened once before training."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from ..data.sample import CLASS_LABELS
from .autoencoder import cache_folder
from .condition_labels import captions, class_count, open_labels
from .sample_grids import SampleGrids
from .text_states import CaptionEncoder, open_caption_encoder
from .walt_config import WaltTrainConfig

if TYPE_CHECKING:
    from ..models import AutoencoderWalt


@dataclass
class Told:
    """Conditions of a training.

    Attributes:
        known: class label or caption of every clip of ProbeWorld's pool, by index; None without or with other data.
        classes: number of classes, or None.
        encoder: of captions, or None.
    """

    known: Any = None
    classes: int | None = None
    encoder: CaptionEncoder | None = None

    def model_arguments(self) -> dict[str, Any]:
        """Arguments of `WaltTransformer3DModel` that the conditions need."""
        found: dict[str, Any] = {}
        if self.classes is not None:
            found["num_classes"] = self.classes
        if self.encoder is not None:
            found["text_dim"] = self.encoder.width
        return found

    def sample_arguments(self, number: int) -> dict[str, Any]:
        """Arguments of a pipeline's call for samples of the first classes, or of captions of the pool."""
        if self.classes is not None:
            return {"class_labels": [place % self.classes for place in range(number)]}
        if self.encoder is None or self.known is None:
            return {}
        distinct = sorted(set(self.known))
        chosen = [distinct[place % len(distinct)] for place in range(number)]
        states, mask = self.encoder(chosen)
        return {"prompt_embeds": states, "prompt_attention_mask": mask}


def open_conditions(config: WaltTrainConfig, device: torch.device | str = "cpu") -> Told:
    """Labels or captions of the training pool, and the encoder of captions.

    Raises:
        ValueError: class labels of other data than ProbeWorld without `num_classes` in `model`, or pictures mixed in.
    """
    if config.condition == "none":
        return Told()
    if config.image_data:  # the pictures of one stack are of different things
        raise ValueError(f"condition must be none with image_data, got {config.condition} with {config.image_data}")
    if config.condition == "text":
        encoder = open_caption_encoder(str(config.text_encoder), config.text_length, device)
        return Told(captions(_pool_labels(config)) if config.pooled else None, encoder=encoder)
    if config.pooled:
        place = CLASS_LABELS.index(config.condition)
        return Told(_pool_labels(config)[:, place], classes=class_count(config.condition))
    if not config.model.get("num_classes"):
        raise ValueError(f"model must give num_classes for condition={config.condition} of {config.data}, got none")
    return Told(classes=int(config.model["num_classes"]))


def make_sampler(config: WaltTrainConfig, vae: "AutoencoderWalt", told: Told) -> SampleGrids:
    """Sample grids under the conditions of a training."""
    return SampleGrids(
        vae,
        count=config.sample_count,
        steps=config.sample_inference_steps,
        seed=config.seed,
        conditions=told.sample_arguments,
    )


def _pool_labels(config: WaltTrainConfig) -> np.ndarray:
    from ..data.probeworld import ProbeWorld, ProbeWorldConfig

    world = ProbeWorld(config.train_split, config.pool_size, ProbeWorldConfig(resolution=config.resolution))
    return open_labels(world, cache_folder(config), name=config.train_split)
