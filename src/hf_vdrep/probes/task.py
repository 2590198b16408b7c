# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""A task: which readout, loss, predictions and metric answer to a name."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import torch
from torch import nn

from .probe_data import Labels, ProbeData

Columns = dict[str, np.ndarray]


@dataclass(frozen=True)
class FitConfig:
    """How a readout is trained.

    Attributes:
        steps: optimiser steps.
        batch_size: samples per step.
        learning_rates: tried side by side on the same batches.
        seeds: of initialisation, one readout for each rate and seed.
        weight_decay: AdamW's, on matrices alone.
        weight_decays: tried side by side, like the rates; empty for `weight_decay` alone.
        warmup: share of the steps with rising rate; a cosine to zero follows.
        clip_norm: largest gradient norm.
        bf16: train under bfloat16 autocast; losses and evaluation are float32.
        eval_batch: samples at once in evaluation.
        order_seed: of the batches' order and the sub-samples of pixels and tracks.
        together: stack members whose readout allows it, so that one pass over the tokens serves all; None where it
            pays.
    """

    steps: int = 300
    batch_size: int = 64
    learning_rates: tuple[float, ...] = (1e-3, 3e-3)
    seeds: tuple[int, ...] = (0,)
    weight_decay: float = 0.01
    warmup: float = 0.05
    clip_norm: float = 1.0
    bf16: bool = True
    eval_batch: int = 32
    order_seed: int = 0
    weight_decays: tuple[float, ...] = ()
    together: bool | None = None

    def __post_init__(self) -> None:
        if self.steps < 1 or self.batch_size < 1 or not self.learning_rates or not self.seeds:
            raise ValueError(f"steps, batch_size, learning_rates and seeds must not be empty or zero, got {self}")

    @property
    def decays(self) -> tuple[float, ...]:
        """Weight decays of the grid."""
        return self.weight_decays or (self.weight_decay,)


@dataclass(frozen=True)
class Task:
    """One task of the study.

    Attributes:
        name: as in the table of results.
        reads: "image" (one frame) or "clip".
        labels: names of the labels that it needs.
        metric: folder of the `evaluate` module.
        primary: key of the result that decides.
        higher_is_better: its direction.
        build: (training data, options) -> readout, from torch's global generator.
        loss: (readout, standardised values, labels, generator) -> scalar.
        predict: (readout, standardised values, labels) -> columns for the metric, one row per sample.
        fit: training by default.
        inspect: (readout, data) raises ValueError where a label cannot be what the readout answers.
    """

    name: str
    reads: Literal["image", "clip"]
    labels: tuple[str, ...]
    metric: str
    primary: str
    higher_is_better: bool
    build: Callable[..., nn.Module]
    loss: Callable[[nn.Module, torch.Tensor, Labels, torch.Generator], torch.Tensor]
    predict: Callable[[nn.Module, torch.Tensor, Labels], Columns]
    fit: FitConfig = field(default_factory=FitConfig)
    inspect: Callable[[nn.Module, ProbeData], None] | None = None

    def check(self, data: ProbeData) -> None:
        """Raise ValueError where the data lack a label that the task needs."""
        missing = [name for name in self.labels if name not in data.labels]
        if missing:
            raise ValueError(f"labels of task {self.name!r} must hold {list(self.labels)}, missing {missing}")

    def check_labels(self, readout: nn.Module, data: ProbeData) -> None:
        """Raise ValueError where a label is out of the readout's range."""
        if self.inspect:
            self.inspect(readout, data)

    def make(self, data: ProbeData, **options: Any) -> nn.Module:
        """A fresh readout for these data."""
        self.check(data)
        return self.build(data, **options)
