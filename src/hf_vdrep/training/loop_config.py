# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Settings every training shares: length, optimiser, schedule, averaging, logging, checkpoints."""

from dataclasses import dataclass, field

from .config import option

SCHEDULES = ["cosine", "linear", "constant", "constant_with_warmup"]
_NOT_NEGATIVE: tuple[str, ...] = (
    "lr",
    "warmup_steps",
    "weight_decay",
    "clip_norm",
    "log_every",
    "eval_every",
    "save_every",
)
_NOT_NEGATIVE += ("threads", "sample_every", "max_bad_steps", "spike_factor", "peak_tflops")


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
    lr_schedule: str = option("cosine", "diffusers schedule name", choices=SCHEDULES)
    warmup_steps: int = option(200, "steps of linear warm-up; the schedule `constant` has none")
    weight_decay: float = option(0.01, "AdamW weight decay, on matrices and kernels only")
    betas: list[float] = field(default_factory=lambda: [0.9, 0.99], metadata={"help": "AdamW betas"})
    clip_norm: float = option(1.0, "gradient norm is clipped to this; 0 turns clipping off")
    ema_decay: float = option(0.999, "decay of the weight average that is saved")
    mixed_precision: str = option("bf16", "autocast: no, bf16 or fp16 (GPU only)", choices=["no", "bf16", "fp16"])
    activation_checkpointing: bool = option(False, "recompute blocks in the backward pass: less memory, more time")
    compile: bool = option(False, "torch.compile, block by block where the model says which blocks repeat")
    weights: str = option("ema", "weights that are validated, sampled and saved", choices=["ema", "raw"])
    threads: int = option(0, "CPU threads; 0 leaves torch's choice")
    cpu: bool = option(False, "stay on the CPU although an accelerator is there")
    log_every: int = option(20, "steps between lines of log.jsonl")
    eval_every: int = option(500, "steps between validations; 0: only at the end")
    save_every: int = option(500, "steps between checkpoints; 0: only at the end")
    keep: int = option(2, "newest checkpoints to keep")
    sample_every: int = option(0, "steps between pictures of what the model generates; 0: none")
    report_to: str = option("none", "tracker", choices=["none", "trackio", "tensorboard", "wandb", "all"])
    project: str = option("hf_vdrep", "the tracker's project")
    max_bad_steps: int = option(3, "NaN or infinite steps in a row, each skipped, that end the run; 0: the first does")
    spike_factor: float = option(0.0, "skip steps whose loss or gradient exceeds this many times its median; 0: none")
    spike_window: int = option(100, "good steps behind that median")
    peak_tflops: float = option(0.0, "peak of one device for the MFU, TFLOP/s; 0: measured by a matrix product")
    process_timeout: float = option(1800.0, "seconds after which a silent process counts as lost")
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
        for name in ("steps", "batch_size", "accumulation", "keep", "spike_window"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, got {getattr(self, name)}")
        for name in _NOT_NEGATIVE:
            if getattr(self, name) < 0:
                raise ValueError(f"{name} must not be negative, got {getattr(self, name)}")
        if self.process_timeout <= 0:
            raise ValueError(f"process_timeout must be above 0, got {self.process_timeout}")
        if 0 < self.spike_factor <= 1:
            raise ValueError(f"spike_factor must be 0 or above 1, got {self.spike_factor}")
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
    | {"accumulation", "activation_checkpointing", "weights", "sample_every", "report_to", "project", "max_bad_steps"}
    | {"peak_tflops", "process_timeout", "cache_dir", "pool_workers", "workers", "latent_quota"}
)
