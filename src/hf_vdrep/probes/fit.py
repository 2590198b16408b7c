# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Train a readout on cached features: a grid side by side on the same batches, the choice made on validation alone."""

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import nn

from .optimise import Progress, train_members
from .probe_data import ProbeData
from .standardise import standardise
from .task import Columns, FitConfig, Task

Score = Callable[[Columns], float]


@dataclass(frozen=True)
class Member:
    """One trained readout: its rate, seed, validation score, final training loss and weight decay."""

    learning_rate: float
    seed: int
    score: float
    train_loss: float
    readout: nn.Module
    weight_decay: float = 0.01


@dataclass(frozen=True)
class FitResult:
    """All members; `chosen` are those of the best rate and decay, one per seed in the order of the seeds."""

    members: list[Member]
    learning_rate: float
    higher_is_better: bool
    weight_decay: float = 0.01

    @property
    def chosen(self) -> list[Member]:
        best = (self.learning_rate, self.weight_decay)
        return [member for member in self.members if (member.learning_rate, member.weight_decay) == best]

    @property
    def best(self) -> Member:
        """The chosen member with the best validation score."""
        sign = 1 if self.higher_is_better else -1
        return max(self.chosen, key=lambda member: -np.inf if np.isnan(member.score) else sign * member.score)

    @property
    def validation_score(self) -> float:
        """Mean over the seeds at the chosen rate and decay."""
        return float(np.mean([member.score for member in self.chosen]))


def fit_readout(
    task: Task,
    train: ProbeData,
    validation: ProbeData,
    *,
    score: Score | None = None,
    config: FitConfig | None = None,
    options: dict[str, Any] | None = None,
    progress: Progress | None = None,
    device: str | torch.device = "cpu",
) -> FitResult:
    """Train the task's readout for each (rate, decay, seed) on the same batches, and choose on validation.

    The same words give the same weights: initialisation follows the seeds, batches and sub-samples `order_seed`. Where
    members train as one (`FitConfig.together`), weights agree with those trained alone to rounding.

    Args:
        task: from the registry.
        train: features and labels to learn from.
        validation: features and labels that choose rate and decay, nothing else.
        score: columns -> the primary metric, in the direction of `task.higher_is_better`; by default minus the loss.
        config: training; the task's own by default.
        options: of the readout's constructor: `width`, `num_classes`, ...
        progress: called with (steps done, steps in all).
        device: where readouts train and stay; features stay in memory and go there batch by batch.

    Returns:
        The members, in evaluation mode.

    Raises:
        ValueError: a split that is the test split, a feature that is not finite, a label out of range.
    """
    config = config or task.fit
    for name, data in (("train", train), ("validation", validation)):
        _refuse_test(name, data)
    task.check(validation)
    grid = list(itertools.product(config.learning_rates, config.decays, config.seeds))
    readouts = [_seeded(task, train, seed, options or {}).to(device) for _, _, seed in grid]
    for data in (train, validation):
        task.check_labels(readouts[0], data)
    dtype = torch.bfloat16 if config.bf16 else torch.float32
    statistics = getattr(readouts[0], "statistics", False)
    train, validation = (data.standardised(dtype, statistics=statistics) for data in (train, validation))
    losses = train_members(task, train, readouts, grid, config, progress)
    scores = [_judge(task, readout, validation, score, config) for readout in readouts]
    rows = zip(grid, scores, losses, readouts, strict=True)
    members = [Member(rate, seed, judged, loss, readout, decay) for (rate, decay, seed), judged, loss, readout in rows]
    higher = task.higher_is_better or score is None
    rate, decay = _best_choice(members, higher)
    return FitResult(members, rate, higher, decay)


def predict(task: Task, readout: nn.Module, data: ProbeData, *, batch_size: int | None = None) -> Columns:
    """Columns for the task's metric, one row per sample, in float32, computed where the readout is.

    Args:
        task: from the registry.
        readout: a trained readout.
        data: features and labels (tracks need their query points; labels come back as references).
        batch_size: samples at once; the task's own by default.

    Raises:
        ValueError: the data are the test split (`TestSplit` reads that), or a feature is not finite.
    """
    _refuse_test("data", data)
    return predict_columns(task, readout, data, batch_size=batch_size)


@torch.no_grad()
def predict_columns(task: Task, readout: nn.Module, data: ProbeData, *, batch_size: int | None = None) -> Columns:
    """`predict`, of any split."""
    readout.eval()
    size, device = batch_size or task.fit.eval_batch, _device(readout)
    found: dict[str, list[np.ndarray]] = {}
    for start in range(0, len(data), size):
        rows = np.arange(start, min(start + size, len(data)))
        values = data.read_finite(rows).to(device)
        if not data.is_standardised:
            values = getattr(readout, "standardise", standardise)(values)
        columns = task.predict(readout, values, data.take(rows, device))
        for name, column in columns.items():
            found.setdefault(name, []).append(column)
    return {name: np.concatenate(columns) for name, columns in found.items()}


def _refuse_test(name: str, data: object) -> None:
    if not isinstance(data, ProbeData):
        raise ValueError(f"{name} must be ProbeData, got {type(data).__name__}")
    if data.split == "test":
        raise ValueError(f"{name} must not be the test split: TestSplit reads it, once, when all is chosen")


def _device(readout: nn.Module) -> torch.device:
    return next((parameter.device for parameter in readout.parameters()), torch.device("cpu"))


def _seeded(task: Task, train: ProbeData, seed: int, options: dict[str, Any]) -> nn.Module:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return task.make(train, **options).train()


@torch.no_grad()
def _judge(task: Task, readout: nn.Module, validation: ProbeData, score: Score | None, config: FitConfig) -> float:
    readout.eval()
    if score is not None:
        return float(score(predict(task, readout, validation, batch_size=config.eval_batch)))
    losses, device = [], _device(readout)
    for start in range(0, len(validation), config.eval_batch):
        rows = np.arange(start, min(start + config.eval_batch, len(validation)))
        draw = torch.Generator(device).manual_seed(start)
        loss = task.loss(readout, validation.read(rows).float().to(device), validation.take(rows, device), draw)
        losses.append((float(loss), len(rows)))
    return -float(np.average([loss for loss, _ in losses], weights=[count for _, count in losses]))


def _best_choice(members: list[Member], higher_is_better: bool) -> tuple[float, float]:
    """Rate and decay with the best mean over the seeds; a mean that is not a number is the worst."""
    sign = 1 if higher_is_better else -1
    scores: dict[tuple[float, float], list[float]] = {}
    for member in members:
        scores.setdefault((member.learning_rate, member.weight_decay), []).append(sign * member.score)
    choices = sorted(scores)
    means = [np.mean(scores[choice]) for choice in choices]
    return choices[int(np.argmax(np.nan_to_num(means, nan=-np.inf)))]
