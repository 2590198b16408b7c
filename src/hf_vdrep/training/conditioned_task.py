# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""The denoiser's task with what its settings add: conditions of the batches, sample grids, FLOPs."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from torch import nn

from ..models.walt_flops import forward_flops
from .condition_draws import ConditionDraws
from .loop import Batch
from .walt_config import WaltTrainConfig
from .walt_task import image_rows


class ConditionedTask:
    """A task around another; what is not changed here is the inner one's.

    Args:
        task: gives batches of latents and validates.
        draws: adds conditions to batches.
        sampler: draws a model's samples; None for none.
        flops_per_item: of a training step, for one clip or one stack of images.
    """

    def __init__(
        self,
        task: Any,
        draws: ConditionDraws,
        sampler: Callable[[nn.Module], dict[str, np.ndarray]] | None,
        flops_per_item: float,
    ) -> None:
        self.task, self.draws, self.sampler, self.flops_per_item = task, draws, sampler, flops_per_item

    def batch(self, step: int, part: int, parts: int) -> Batch:
        """See `loop.Task`."""
        batch = self.task.batch(step, part, parts)
        return self.draws.add(batch, self._stacks(step), step, part, parts)

    def evaluate(self, model: nn.Module) -> dict[str, float]:
        """See `loop.Task`; without conditions."""
        return self.task.evaluate(model)

    def sample(self, model: nn.Module, step: int) -> dict[str, np.ndarray]:
        """Pictures of what the model generates, uint8 (H, W, 3) by name; the same noise at every step."""
        return {} if self.sampler is None else self.sampler(model)

    def _stacks(self, step: int) -> np.ndarray:
        """bool (batch_size,): which places of a step hold stacks of images; a stream says so itself."""
        config = self.draws.config
        feed = getattr(getattr(self.task, "source", None), "feed", None)
        if feed is None or config.objective == "image":
            return image_rows(config, config.batch_size)
        return feed.pictures(step)

    def __getattr__(self, name: str) -> Any:
        if name == "task":  # not set yet
            raise AttributeError(name)
        return getattr(self.task, name)


def step_flops(config: WaltTrainConfig, model: Mapping[str, Any]) -> float:
    """FLOPs of training on one item: forward, backward of twice its size, and the first pass of self-conditioning.

    Under LoRA the weights themselves need no gradient, which halves the backward; the adapters' own products and what
    activation checkpointing repeats are left out.

    Args:
        config: objective, shares of images and of self-conditioning.
        model: config of the denoiser.
    """
    frames = model["sample_frames"]
    images = 1.0 if config.objective == "image" else config.image_fraction
    text = config.text_length
    clip, image = (forward_flops(model, frames=count, text_length=text) for count in (frames, 1))
    forward = (1 - images) * clip + images * frames * image
    first_pass = config.self_condition_probability if model["self_condition"] else 0.0
    return forward * ((2 if config.lora_rank else 3) + first_pass)
