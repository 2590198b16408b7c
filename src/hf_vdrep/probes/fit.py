# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Train a readout on cached features: several rates and seeds side by side, the choice made on validation alone."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import nn

from .probe_data import ProbeData
from .standardise import standardise
from .task import Columns, FitConfig, Task

Progress = Callable[[int, int], None]
Score = Callable[[Columns], float]


@dataclass(frozen=True)
class Member:
    """One trained readout: its rate, seed, validation score and final training loss."""

    learning_rate: float
    seed: int
    score: float
    train_loss: float
    readout: nn.Module


@dataclass(frozen=True)
class FitResult:
    """All members; `chosen` are those of the best rate, one per seed in the order of the seeds."""

    members: list[Member]
    learning_rate: float
    higher_is_better: bool

    @property
    def chosen(self) -> list[Member]:
        return [member for member in self.members if member.learning_rate == self.learning_rate]

    @property
    def best(self) -> Member:
        """The chosen member with the best validation score."""
        sign = 1 if self.higher_is_better else -1
        return max(self.chosen, key=lambda member: sign * member.score)

    @property
    def validation_score(self) -> float:
        """Mean over the seeds at the chosen rate."""
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
) -> FitResult:
    """Train the task's readout for each (rate, seed) on the same batches, and choose the rate on validation.

    The same words give the same weights: initialisation follows the seeds, batches and sub-samples `order_seed`.

    Args:
        task: from the registry.
        train: features and labels to learn from.
        validation: features and labels that choose the rate, nothing else.
        score: columns -> the primary metric, in the direction of `task.higher_is_better`; by default minus the loss.
        config: training; the task's own by default.
        options: of the readout's constructor: `width`, `num_classes`, ...
        progress: called with (steps done, steps in all).

    Returns:
        The members, in evaluation mode.
    """
    config = config or task.fit
    task.check(validation)
    dtype = torch.bfloat16 if config.bf16 else torch.float32
    train, validation = train.standardised(dtype), validation.standardised(dtype)
    grid = [(rate, seed) for rate in config.learning_rates for seed in config.seeds]
    readouts = [_seeded(task, train, seed, options or {}) for _, seed in grid]
    losses = _optimise(task, train, readouts, [rate for rate, _ in grid], config, progress)
    scores = [_judge(task, readout, validation, score, config) for readout in readouts]
    rows = zip(grid, scores, losses, readouts, strict=True)
    members = [Member(rate, seed, judged, loss, readout) for (rate, seed), judged, loss, readout in rows]
    higher = task.higher_is_better or score is None
    return FitResult(members, _best_rate(members, higher), higher)


@torch.no_grad()
def predict(task: Task, readout: nn.Module, data: ProbeData, *, batch_size: int | None = None) -> Columns:
    """Columns for the task's metric, one row per sample, in float32.

    Args:
        task: from the registry.
        readout: a trained readout.
        data: features and labels (tracks need their query points; labels come back as references).
        batch_size: samples at once; the task's own by default.
    """
    readout.eval()
    size = batch_size or task.fit.eval_batch
    found: dict[str, list[np.ndarray]] = {}
    for start in range(0, len(data), size):
        rows = np.arange(start, min(start + size, len(data)))
        columns = task.predict(readout, standardise(data.read(rows).float()), data.take(rows))
        for name, column in columns.items():
            found.setdefault(name, []).append(column)
    return {name: np.concatenate(columns) for name, columns in found.items()}


def _seeded(task: Task, train: ProbeData, seed: int, options: dict[str, Any]) -> nn.Module:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return task.make(train, **options).train()


def _optimise(
    task: Task,
    train: ProbeData,
    readouts: list[nn.Module],
    rates: list[float],
    config: FitConfig,
    progress: Progress | None,
) -> list[float]:
    optimizers = [_adamw(readout, rate, config) for readout, rate in zip(readouts, rates, strict=True)]
    order = _epochs(len(train), config)
    means = [0.0] * len(readouts)
    for step in range(config.steps):
        rows = order[step * config.batch_size : (step + 1) * config.batch_size]
        values, labels = train.read(rows), train.take(rows)
        factor = _schedule(step, config)
        for place, (readout, optimizer, rate) in enumerate(zip(readouts, optimizers, rates, strict=True)):
            draw = torch.Generator().manual_seed(config.order_seed * 1_000_003 + step)
            with torch.autocast("cpu", torch.bfloat16, enabled=config.bf16):
                loss = task.loss(readout, values, labels, draw)
            loss.backward()
            nn.utils.clip_grad_norm_(readout.parameters(), config.clip_norm)
            for group in optimizer.param_groups:
                group["lr"] = rate * factor
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
            means[place] = loss.item() if step == 0 else 0.95 * means[place] + 0.05 * loss.item()
        if progress:
            progress(step + 1, config.steps)
    return means


def _adamw(readout: nn.Module, rate: float, config: FitConfig) -> torch.optim.Optimizer:
    matrices = [parameter for parameter in readout.parameters() if parameter.ndim > 1]
    vectors = [parameter for parameter in readout.parameters() if parameter.ndim <= 1]
    groups = [{"params": matrices, "weight_decay": config.weight_decay}, {"params": vectors, "weight_decay": 0.0}]
    return torch.optim.AdamW(groups, lr=rate, fused=True)


def _epochs(size: int, config: FitConfig) -> np.ndarray:
    """Row numbers for all steps: whole shuffled passes, one after the other."""
    rng = np.random.default_rng(config.order_seed)
    needed = config.steps * config.batch_size
    return np.concatenate([rng.permutation(size) for _ in range(math.ceil(needed / size))])[:needed]


def _schedule(step: int, config: FitConfig) -> float:
    warm = max(1, round(config.warmup * config.steps))
    if step < warm:
        return (step + 1) / warm
    return 0.5 * (1 + math.cos(math.pi * (step - warm) / max(1, config.steps - warm)))


@torch.no_grad()
def _judge(task: Task, readout: nn.Module, validation: ProbeData, score: Score | None, config: FitConfig) -> float:
    readout.eval()
    if score is not None:
        return float(score(predict(task, readout, validation, batch_size=config.eval_batch)))
    losses = []
    for start in range(0, len(validation), config.eval_batch):
        rows = np.arange(start, min(start + config.eval_batch, len(validation)))
        draw = torch.Generator().manual_seed(start)
        loss = task.loss(readout, validation.read(rows).float(), validation.take(rows), draw)
        losses.append((float(loss), len(rows)))
    return -float(np.average([loss for loss, _ in losses], weights=[count for _, count in losses]))


def _best_rate(members: list[Member], higher_is_better: bool) -> float:
    sign = 1 if higher_is_better else -1
    rates = sorted({member.learning_rate for member in members})
    means = [np.mean([sign * member.score for member in members if member.learning_rate == rate]) for rate in rates]
    return rates[int(np.argmax(np.nan_to_num(means, nan=-np.inf)))]
