# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Classification through the attentive readout."""

from typing import Any, Literal, cast

import torch
from torch import nn

from .attentive import AttentiveClassifier
from .linear import LinearClassifier, MeanPoolClassifier
from .losses import classification_loss
from .probe_data import Labels, ProbeData
from .task import Columns, FitConfig, Task

FIT = FitConfig(steps=400, batch_size=64, learning_rates=(3e-3, 1e-2), seeds=(0, 1, 2), eval_batch=64)


def classify_task(
    name: str, *, reads: Literal["image", "clip"], label: str, label_smoothing: float = 0.0, fit: FitConfig = FIT
) -> Task:
    """A classification task on one label, scored by top-1.

    Its readouts: "attentive" (default), and the baselines "mean_pool" and "linear", by the option `readout`.
    """

    def build(
        data: ProbeData, *, num_classes: int | None = None, readout: str = "attentive", **options: Any
    ) -> nn.Module:
        if num_classes is None:
            num_classes = int(torch.as_tensor(data.labels[label]).max()) + 1
        _check_range(label, data, num_classes)
        shape, options = data.feature_shape, {"statistics": True, **options}
        if readout == "attentive":
            return AttentiveClassifier(shape[-1], shape[1], num_classes, **options)
        if readout == "mean_pool":
            return MeanPoolClassifier(shape[-1], num_classes, **options)
        if readout == "linear":
            return LinearClassifier(shape[-1], list(shape[1:4]), num_classes, **options)
        raise ValueError(f"readout must be 'attentive', 'mean_pool' or 'linear', got {readout!r}")

    def inspect(readout: nn.Module, data: ProbeData) -> None:
        _check_range(label, data, cast(AttentiveClassifier, readout).num_classes)

    def loss(readout: nn.Module, values: torch.Tensor, labels: Labels, draw: torch.Generator) -> torch.Tensor:
        # The folded readout casts what is large itself; autocast would only cast small weights to and fro.
        with torch.autocast(values.device.type, enabled=False):
            logits = readout(values, standardised=True)
        return classification_loss(logits, labels[label], label_smoothing=label_smoothing)

    def predict(readout: nn.Module, values: torch.Tensor, labels: Labels) -> Columns:
        scores = readout(values, standardised=True).float().softmax(-1)
        return {"predictions": scores.cpu().numpy(), "references": labels[label].cpu().numpy()}

    return Task(name, reads, (label,), "top_k_accuracy", "top_1", True, build, loss, predict, fit, inspect)


def _check_range(label: str, data: ProbeData, num_classes: int) -> None:
    values = torch.as_tensor(data.labels[label])
    bad = ((values < 0) | (values >= num_classes)).nonzero().flatten()
    if len(bad):
        row = int(bad[0])
        raise ValueError(f"label {label!r} must lie in [0, {num_classes - 1}], got {int(values[row])} in row {row}")
