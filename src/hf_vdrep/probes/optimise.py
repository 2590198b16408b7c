# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""The loop that trains the members of a grid side by side on the same batches."""

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from torch import nn

from .ensemble import Ensemble
from .probe_data import ProbeData
from .readout import Readout
from .task import FitConfig, Task

Progress = Callable[[int, int], None]
Choice = tuple[float, float, int]
Loss = Callable[[Any], torch.Tensor]
MEMBERS_WORTH_STACKING = 4


def train_members(
    task: Task,
    data: ProbeData,
    readouts: Sequence[nn.Module],
    grid: Sequence[Choice],
    config: FitConfig,
    progress: Progress | None = None,
) -> list[float]:
    """Train readouts in place.

    Args:
        task: gives the loss.
        data: standardised features, and labels.
        readouts: one per entry of the grid, all on one device.
        grid: (learning rate, weight decay, seed) of each.
        config: everything that they share.
        progress: called with (steps done, steps in all).

    Returns:
        Running mean of each member's loss at the end.
    """
    device = next(readouts[0].parameters()).device
    optimizers = [_adamw(readout, rate, decay) for readout, (rate, decay, _) in zip(readouts, grid, strict=True)]
    stack = _stacked(readouts, config, data)
    order, means = epochs(len(data), config), np.zeros(len(readouts))
    for step in range(config.steps):
        rows = order[step * config.batch_size : (step + 1) * config.batch_size]
        loss = _on_batch(task, data, rows, step, config, device)
        losses = stack.backward(loss) if stack else _one_by_one(readouts, loss)
        factor = schedule(step, config)
        for readout, optimizer, (rate, _, _) in zip(readouts, optimizers, grid, strict=True):
            _step(readout, optimizer, rate * factor, config.clip_norm)
        now = losses.float().cpu().numpy()
        means = now if step == 0 else 0.95 * means + 0.05 * now
        if progress:
            progress(step + 1, config.steps)
    if stack:
        stack.part()
    return [float(mean) for mean in means]


def _on_batch(
    task: Task, data: ProbeData, rows: np.ndarray, step: int, config: FitConfig, device: torch.device
) -> Loss:
    """The loss of these rows; what it draws at random is the same for every member."""
    values, labels = data.read(rows).to(device), data.take(rows, device)

    def loss(readout: Any) -> torch.Tensor:
        draw = torch.Generator(device).manual_seed(config.order_seed * 1_000_003 + step)
        # Around the forward pass alone: a backward pass under autocast would round gradients once more.
        with torch.autocast(device.type, torch.bfloat16, enabled=config.bf16):
            return task.loss(readout, values, labels, draw)

    return loss


def _one_by_one(readouts: Sequence[nn.Module], loss: Loss) -> torch.Tensor:
    found = []
    for readout in readouts:
        each = loss(readout)
        each.backward()
        found.append(each.detach())
    return torch.stack(found)


def _step(readout: nn.Module, optimizer: torch.optim.Optimizer, rate: float, clip_norm: float) -> None:
    nn.utils.clip_grad_norm_(readout.parameters(), clip_norm)
    for group in optimizer.param_groups:
        group["lr"] = rate
    optimizer.step()
    optimizer.zero_grad(set_to_none=True)


def _stacked(readouts: Sequence[nn.Module], config: FitConfig, data: ProbeData) -> Ensemble | None:
    members = [readout for readout in readouts if isinstance(readout, Readout) and readout.shares_tokens]
    if len(members) < max(2, len(readouts)) or config.together is False:
        return None
    if config.together is None and members[0].device.type == "cpu":
        # On a processor, stacking pays where the tokens outweigh the weights and there are several members.
        tokens = config.batch_size * math.prod(data.read(np.zeros(1, dtype=np.int64)).shape)
        if len(members) < MEMBERS_WORTH_STACKING or 4 * members[0].num_parameters() > tokens:
            return None
    return Ensemble(members)


def _adamw(readout: nn.Module, rate: float, decay: float) -> torch.optim.Optimizer:
    matrices = [parameter for parameter in readout.parameters() if parameter.ndim > 1]
    vectors = [parameter for parameter in readout.parameters() if parameter.ndim <= 1]
    groups = [{"params": matrices, "weight_decay": decay}, {"params": vectors, "weight_decay": 0.0}]
    return torch.optim.AdamW(groups, lr=rate, fused=True)


def epochs(size: int, config: FitConfig) -> np.ndarray:
    """Row numbers for all steps: whole shuffled passes, one after the other."""
    rng = np.random.default_rng(config.order_seed)
    needed = config.steps * config.batch_size
    return np.concatenate([rng.permutation(size) for _ in range(math.ceil(needed / size))])[:needed]


def schedule(step: int, config: FitConfig) -> float:
    """Share of the learning rate: a linear rise, then a cosine to zero."""
    warm = max(1, round(config.warmup * config.steps))
    if step < warm:
        return (step + 1) / warm
    return 0.5 * (1 + math.cos(math.pi * (step - warm) / max(1, config.steps - warm)))
