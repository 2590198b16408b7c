# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Wrap an objective and the model inside it for training."""

import copy
import importlib.util
import os
import random
from datetime import timedelta
from typing import Any

import numpy as np
import torch
from accelerate import Accelerator
from accelerate.state import AcceleratorState
from accelerate.utils import DistributedDataParallelKwargs, DistributedType, InitProcessGroupKwargs
from diffusers.optimization import get_scheduler
from torch import nn

from .ema import Ema
from .guard import Guard
from .loop_config import LoopConfig
from .run import Run
from .stream import derive_seed
from .task import Companion
from .trackers import wanted_trackers
from .zero import ZeroEngine


def make_accelerator(config: LoopConfig, *, find_unused: bool = False) -> Accelerator:
    """The Accelerator for a config; also sets the thread count.

    Args:
        config: its precision, device, threads, trackers and time limit of a collective.
        find_unused: some parameters may get no gradient in some steps.

    Raises:
        ValueError: fp16 without an accelerator, or DeepSpeed or a tracker that is not installed.
    """
    if config.threads > 0:
        torch.set_num_threads(config.threads)
    trackers = wanted_trackers(config.report_to)
    # Accelerate keeps the precision process-wide; a second training in the process may choose another.
    AcceleratorState._reset_state()
    timeout = InitProcessGroupKwargs(timeout=timedelta(seconds=config.process_timeout))
    kwargs = [DistributedDataParallelKwargs(find_unused_parameters=find_unused), timeout]
    if os.environ.get("ACCELERATE_USE_DEEPSPEED", "").lower() == "true" and not importlib.util.find_spec("deepspeed"):
        raise ValueError("deepspeed must be installed for this Accelerate config, got none (pip install deepspeed)")
    if config.mixed_precision == "fp16" and (config.cpu or not torch.accelerator.is_available()):
        raise ValueError("mixed_precision must be no or bf16 on the CPU, got fp16, which needs an accelerator")
    return Accelerator(
        mixed_precision=config.mixed_precision,
        cpu=config.cpu,
        log_with=trackers or None,
        project_dir=config.output_dir or None,
        kwargs_handlers=kwargs,
    )


def build(
    config: LoopConfig,
    objective: nn.Module,
    model: nn.Module,
    accelerator: Accelerator,
    *,
    companion: Companion | None = None,
) -> Run:
    """Wrap an objective and the model inside it for training, under DDP, FSDP2 or ZeRO where Accelerate was told so.

    Raises:
        ValueError: settings that cannot run, or a way of distributing that the loop does not know.
    """
    config.check(accelerator.num_processes * config.accumulation)
    sharded = _check_distribution(accelerator)
    _seed(config.seed, accelerator.process_index)
    model.to(accelerator.device)
    # Before anything is compiled or sharded: the copy is for evaluation and saving.
    template = copy.deepcopy(model).cpu() if sharded else None
    _lighten(model, config)
    if sharded:
        choose_units(accelerator.state.fsdp_plugin, model)
    optimizer = make_optimizer(model, config)
    zero = None
    if accelerator.distributed_type == DistributedType.DEEPSPEED:
        zero = ZeroEngine(objective, optimizer, config, accelerator)
        objective = zero.engine
    else:
        objective, wrapped = accelerator.prepare(objective, optimizer)
        optimizer = wrapped.optimizer
    # After preparing: under FSDP2 the average lies as its parameters lie, each process keeping its own part.
    ema = Ema(model, config.ema_decay, use=config.weights)
    scheduler = get_scheduler(
        config.lr_schedule, optimizer, num_warmup_steps=config.warmup_steps, num_training_steps=config.steps
    )
    guard = Guard(config.max_bad_steps, config.spike_factor, config.spike_window)
    return Run(
        config,
        accelerator,
        objective,
        model,
        optimizer,
        scheduler,
        ema,
        companion,
        guard=guard,
        scaler=accelerator.scaler,
        template=template,
        zero=zero,
    )


def make_optimizer(model: nn.Module, config: LoopConfig) -> torch.optim.Optimizer:
    """Fused AdamW; biases, norms and other vectors are not decayed."""
    parameters = [p for p in model.parameters() if p.requires_grad]
    groups = [
        {"params": [p for p in parameters if p.ndim >= 2], "weight_decay": config.weight_decay},
        {"params": [p for p in parameters if p.ndim < 2], "weight_decay": 0.0},
    ]
    # DeepSpeed takes no empty group, and a checkpoint is to serve with and without it.
    groups = [group for group in groups if group["params"]]
    return torch.optim.AdamW(groups, lr=config.lr, betas=(config.betas[0], config.betas[1]), fused=True)


def choose_units(plugin: Any, model: nn.Module) -> None:
    """Let FSDP wrap the blocks of this model, whichever of the trainings the Accelerate config was written for.

    Of the classes that the plugin names those stay that the model has; without any, the model's own are taken.

    Args:
        plugin: Accelerate's `FullyShardedDataParallelPlugin`.
        model: says by `_no_split_modules` which blocks stay whole.
    """
    there = {type(module).__name__ for module in model.modules()}
    asked, own = plugin.transformer_cls_names_to_wrap or [], getattr(model, "_no_split_modules", None) or []
    chosen = [name for name in asked if name in there] or [name for name in own if name in there]
    plugin.transformer_cls_names_to_wrap = chosen


def _check_distribution(accelerator: Accelerator) -> bool:
    """Whether parameters will be sharded."""
    if accelerator.gradient_accumulation_steps != 1:
        count = accelerator.gradient_accumulation_steps
        raise ValueError(f"gradient_accumulation_steps of Accelerate must be 1, got {count}; set accumulation={count}")
    kind = accelerator.distributed_type
    if kind == DistributedType.FSDP:
        if not accelerator.is_fsdp2:
            raise ValueError("fsdp_version must be 2, got 1; set it in the accelerate config")
        return True
    if kind == DistributedType.MEGATRON_LM:
        raise ValueError(f"distributed_type must be MULTI_GPU, MULTI_CPU, FSDP or DEEPSPEED, got {kind.value}")
    return False


def _seed(seed: int, rank: int) -> None:
    """NumPy's and Python's global generators, so that a run killed before its first checkpoint starts as it did.

    Torch's is left as it is: whoever made the weights has seeded it.
    """
    random.seed(derive_seed("python", seed, rank))
    np.random.seed(derive_seed("numpy", seed, rank) % 2**32)


def _lighten(model: Any, config: LoopConfig) -> None:
    """Activation checkpointing and compilation; both leave the names of the weights as they are."""
    if config.activation_checkpointing:
        if not hasattr(model, "enable_gradient_checkpointing"):
            raise ValueError(f"activation_checkpointing must be off for {type(model).__name__}, which cannot recompute")
        model.enable_gradient_checkpointing()
    if config.compile:
        if getattr(model, "_repeated_blocks", None):
            model.compile_repeated_blocks()
        else:
            model.compile()
