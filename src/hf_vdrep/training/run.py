# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Everything that changes while a training runs."""

import copy
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator
from torch import nn

from .ema import Ema
from .guard import Guard
from .loop_config import LoopConfig
from .sharding import whole
from .task import Companion
from .zero import ZeroEngine


@dataclass
class Run:
    """One training: its parts, its counters, and where its data stands."""

    config: LoopConfig
    accelerator: Accelerator
    objective: nn.Module  # as prepared: what is called
    model: nn.Module  # the network inside: what is averaged and saved
    optimizer: torch.optim.Optimizer
    scheduler: torch.optim.lr_scheduler.LRScheduler
    ema: Ema
    companion: Companion | None = None
    guard: Guard = field(default_factory=Guard)
    scaler: torch.amp.GradScaler | None = None  # of fp16
    template: nn.Module | None = None  # an unsharded copy to fill, where the model itself is sharded
    zero: ZeroEngine | None = None  # where DeepSpeed divides the optimizer
    step: int = 0
    items: int = 0
    tokens: int = 0
    seconds: float = 0.0
    position: dict[str, Any] | None = None  # of this process's data, after the last step

    @property
    def folder(self) -> Path:
        return Path(self.config.output_dir)

    @property
    def sharded(self) -> bool:
        return self.template is not None


def chosen_copy(run: Run) -> nn.Module | None:
    """A copy of the model with the weights that `config.weights` names, fit to be saved.

    Every process must call it, since sharded weights are gathered.

    Returns:
        The copy, on the model's device; None on all but the main process.
    """
    if run.template is None:
        if not run.accelerator.is_main_process:
            return None
        with run.ema.applied(run.model):
            return copy.deepcopy(run.model)
    state = whole(run.model.state_dict(), keep=run.accelerator.is_main_process)
    if run.ema.use == "ema":
        state.update(whole(run.ema.shadow, keep=run.accelerator.is_main_process))
    if not run.accelerator.is_main_process:
        return None
    run.template.load_state_dict(state)
    return run.template.to(run.accelerator.device)
