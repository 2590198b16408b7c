# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Settings every training shares: length, optimiser, schedule, averaging, logging, checkpoints."""

from dataclasses import dataclass, field

from .config import option


@dataclass
class LoopConfig:
    """What `loop.fit` reads; the trainings extend it."""

    output_dir: str = option("", "folder for config, log, checkpoints and the result")
    resume: str = option("auto", "auto (newest checkpoint of output_dir), none, or a checkpoint folder")
    seed: int = option(0, "seed of weights, data order and noise")
    steps: int = option(10_000, "optimiser steps")
    batch_size: int = option(32, "samples per optimiser step, over all processes and micro-batches")
    accumulation: int = option(1, "micro-batches per optimiser step and process")
    lr: float = option(1e-3, "peak learning rate")
    lr_schedule: str = option("cosine", "diffusers schedule name", choices=["cosine", "linear", "constant_with_warmup"])
    warmup_steps: int = option(200, "steps of linear warm-up")
    weight_decay: float = option(0.01, "AdamW weight decay, on matrices and kernels only")
    betas: list[float] = field(default_factory=lambda: [0.9, 0.99], metadata={"help": "AdamW betas"})
    clip_norm: float = option(1.0, "gradient norm is clipped to this; 0 turns clipping off")
    ema_decay: float = option(0.999, "decay of the weight average that is saved")
    mixed_precision: str = option("bf16", "no or bf16 autocast", choices=["no", "bf16"])
    threads: int = option(0, "CPU threads; 0 leaves torch's choice")
    cpu: bool = option(False, "stay on the CPU although an accelerator is there")
    log_every: int = option(20, "steps between lines of log.jsonl")
    eval_every: int = option(500, "steps between validations; 0: only at the end")
    save_every: int = option(500, "steps between checkpoints; 0: only at the end")
    keep: int = option(2, "newest checkpoints to keep")
    snapshots: list[float] = field(
        default_factory=lambda: [],
        metadata={"help": "fractions of the run at which to keep the averaged weights (bf16)"},
    )

    def check(self, parts: int = 1) -> None:
        """Refuse settings that cannot run.

        Args:
            parts: processes times micro-batches.

        Raises:
            ValueError: names the setting, what came and what is expected.
        """
        if not self.output_dir:
            raise ValueError("output_dir must name a folder, got nothing")
        for name in ("steps", "batch_size", "accumulation", "keep"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, got {getattr(self, name)}")
        for name in ("lr", "warmup_steps", "weight_decay", "clip_norm", "log_every", "eval_every", "save_every"):
            if getattr(self, name) < 0:
                raise ValueError(f"{name} must not be negative, got {getattr(self, name)}")
        if len(self.betas) != 2:
            raise ValueError(f"betas must be two numbers, got {self.betas}")
        if any(not 0 < fraction <= 1 for fraction in self.snapshots):
            raise ValueError(f"snapshots must lie in (0, 1], got {self.snapshots}")
        if self.batch_size % parts:
            raise ValueError(
                f"batch_size must be a multiple of processes x accumulation = {parts}, got {self.batch_size}"
            )


# May change between the start of a run and its resumption; everything else must stay.
FREE_ON_RESUME = frozenset(
    {"output_dir", "resume", "steps", "threads", "cpu", "log_every", "eval_every", "save_every", "keep", "snapshots"}
    | {"accumulation", "cache_dir", "pool_workers"}
)
