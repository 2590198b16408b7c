# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Classification through the attentive readout."""

from typing import Any

import torch
from torch import nn

from .attentive import AttentiveClassifier
from .losses import classification_loss
from .probe_data import Labels, ProbeData
from .task import Columns, FitConfig, Task

FIT = FitConfig(steps=400, batch_size=64, learning_rates=(3e-3, 1e-2), seeds=(0, 1, 2), eval_batch=64)


def classify_task(name: str, *, reads: str, label: str, label_smoothing: float = 0.0, fit: FitConfig = FIT) -> Task:
    """A classification task on one label, scored by top-1."""

    def build(data: ProbeData, *, num_classes: int | None = None, **options: Any) -> nn.Module:
        largest = int(torch.as_tensor(data.labels[label]).max())
        num_classes = largest + 1 if num_classes is None else num_classes
        if largest >= num_classes:
            raise ValueError(f"label {label!r} must lie in [0, {num_classes - 1}], got {largest}")
        shape = data.feature_shape
        return AttentiveClassifier(shape[-1], shape[1], num_classes, **options)

    def loss(readout: nn.Module, values: torch.Tensor, labels: Labels, draw: torch.Generator) -> torch.Tensor:
        # The folded readout casts what is large itself; autocast would only cast small weights to and fro.
        with torch.autocast(values.device.type, enabled=False):
            logits = readout(values, standardised=True)
        return classification_loss(logits, labels[label], label_smoothing=label_smoothing)

    def predict(readout: nn.Module, values: torch.Tensor, labels: Labels) -> Columns:
        scores = readout(values, standardised=True).float().softmax(-1)
        return {"predictions": scores.numpy(), "references": labels[label].numpy()}

    return Task(name, reads, (label,), "top_k_accuracy", "top_1", True, build, loss, predict, fit)  # type: ignore[arg-type]
