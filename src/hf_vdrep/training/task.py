# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""What a training brings to the loop: a task (batches, validation, pictures) and perhaps a companion network."""

from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from torch import nn

Batch = dict[str, Any]


class Task(Protocol):
    """Where batches come from and how the model is judged.

    Three more members are optional. `seek(position)` puts the data where it stood after the batch that carried
    `position`; `sample(model, step)` draws pictures (see `Sampler`); `flops_per_item` is the work of one item,
    forward and backward, from which the utilisation of the hardware is computed.
    """

    def batch(self, step: int, part: int, parts: int) -> Batch:
        """Elements `part::parts` of the batch of optimiser step `step` (from 0), on the CPU; runs in a thread.

        `ids` (optional) names its samples in error messages; `items` and `tokens` (optional) are counted in the log.
        `position` (optional, fit for JSON) says where this process's data stands after the batch. A task without it
        is a pure function of (step, part, parts).
        """
        ...

    def evaluate(self, model: nn.Module) -> dict[str, float]:
        """Validation figures of the averaged weights."""
        ...


class Seekable(Protocol):
    """A task whose data is a stream."""

    def seek(self, position: dict[str, Any]) -> None:
        """Continue after the batch that carried `position`; called before the first batch."""
        ...


class Sampler(Protocol):
    """A task that draws pictures while it trains."""

    def sample(self, model: nn.Module, step: int) -> dict[str, Path | np.ndarray]:
        """Pictures by name: uint8 (H, W, 3), or the path of a file of any kind, which is moved into the run."""
        ...


class Companion(Protocol):
    """A network that trains beside the model with its own optimiser, such as a discriminator.

    A companion with a method `skip()` lets the loop skip a bad step: it forgets what it gathered for it.
    """

    def step(self, schedule: float) -> dict[str, float]:
        """One step after the model's; `schedule` is the factor of the peak learning rate. Returns figures."""
        ...

    def tensors(self) -> dict[str, dict[str, torch.Tensor]]:
        """What a checkpoint needs, as file stem -> named tensors."""
        ...

    def state(self) -> dict[str, Any]:
        """What a checkpoint needs, as JSON scalars."""
        ...

    def load(self, tensors: dict[str, dict[str, torch.Tensor]], state: dict[str, Any]) -> None:
        """Inverse of `tensors` and `state`."""
        ...
