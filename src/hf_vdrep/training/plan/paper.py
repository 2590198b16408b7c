# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""The study's twins at the sizes that it names, on 64 to 1,024 GPUs.

The papers give the parameters alone; clips, batch and steps are those of WALT's text-to-video base (Table 8), and the
tokenizer's latents are taken as kept beforehand. All of that is an assumption, and marked as one.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from ...models.autoencoder_configs import AUTOENCODERS, autoencoder_config
from ...models.walt_sizes import size_config
from .activations import Arithmetic
from .communication import ASSUMPTIONS, StepTime, step_time
from .denoiser_shape import DenoiserShape
from .figure import Figure, How, Plan, Table
from .hardware import Gpu
from .jobs import DenoiserJob
from .memory import Strategy, training_memory
from .tokenizer_shape import TokenizerShape
from .training import ASSUMED_MFU, DAY_S

TWINS = ("v-walt-284m", "i-walt-284m", "v-walt-1.9b", "i-walt-1.9b")
COUNTS = (64, 128, 256, 512, 1024)
STEPS, BATCH = 550_000, 512
_STAGE = "t2v-base"


def twin_job(name: str, *, steps: int = STEPS, batch_size: int = BATCH, checkpointing: bool = False) -> DenoiserJob:
    """A twin's training as the plan assumes it."""
    stage = AUTOENCODERS[_STAGE]
    return DenoiserJob(
        name,
        DenoiserShape.of(size_config(name)),
        steps,
        batch_size,
        (stage.frames, stage.height, stage.width),
        TokenizerShape(autoencoder_config(_STAGE)),
        self_condition=0.9,
        checkpointing=checkpointing,
    )


def plan_paper(
    gpu: Gpu,
    *,
    counts: Sequence[int] = COUNTS,
    mfu: float | None = None,
    steps: int = STEPS,
    batch_size: int = BATCH,
    names: Sequence[str] = TWINS,
) -> Plan:
    """Strong scaling of the twins: the same training on ever more GPUs.

    Args:
        gpu: what it runs on.
        counts: of GPUs.
        mfu: share of the peak that computing reaches; assumed if None.
        steps: optimiser steps.
        batch_size: clips of a step, over all GPUs.
        names: of the twins.
    """
    jobs = [twin_job(name, steps=steps, batch_size=batch_size) for name in names]
    rows = [row for job in jobs for row in _rows(job, gpu, counts, mfu or ASSUMED_MFU)]
    notes = [
        f"{steps:,} steps of {batch_size} clips of 17 x 128 x 128, self-conditioning 0.9, 128 tokens of text, all "
        "clips and no images: WALT's text-to-video base; the study does not say",
        f"MFU {mfu or ASSUMED_MFU:.0%}{'' if mfu else ' (assumed)'} before communication and launches; bf16",
        ASSUMPTIONS,
        f"{gpu.link / 1e9:.0f} GB/s between the GPUs of a node, {gpu.network * 8 / 1e9:.0f} Gb/s of network for each",
        "scaling is against the fewest GPUs; latents are read, not encoded; with fewer clips than GPUs, the rest wait",
    ]
    work = {job.name: _work(job, gpu, mfu or ASSUMED_MFU) for job in jobs}
    return Plan(f"the study's twins on {gpu.name}", work, {"scaling": Table(_COLUMNS, rows, notes)})


_NAMES: list[tuple[str, str]] = [("model", ""), ("GPUs", "GPUs"), ("division", ""), ("checkpointing", "")]
_NUMBERS: list[tuple[str, str]] = [
    ("clips per GPU", "clips"),
    ("step", "s"),
    ("exposed", "s"),
    ("scaling", ""),
    ("MFU", ""),
    ("days", "days"),
    ("GPU hours", "h"),
    ("memory", "B"),
    ("fits", ""),
]
_ASSUMED: How = "assumed"
_COLUMNS: list[tuple[str, str, How]] = [(*pair, _ASSUMED) for pair in (*_NAMES, *_NUMBERS)]


def _work(job: DenoiserJob, gpu: Gpu, mfu: float) -> list[Figure]:
    encode = job.tokenizer.encode_flops(*job.clip) if job.tokenizer else 0
    hours = job.items * encode / (gpu.peak * mfu) / 3600
    return [
        Figure("parameters", job.shape.parameters, "parameters"),
        Figure("tokens", job.items * job.shape.tokens, "tokens", "assumed"),
        Figure("training of an item", job.work.model, "FLOP", "formula"),
        Figure("training", job.items * job.work.model, "FLOP", "assumed"),
        Figure("tokenizer, a clip", encode, "FLOP", "formula"),
        Figure("tokenizer GPU hours, each clip once a sight", hours, "h", "assumed"),
    ]


@dataclass(frozen=True)
class Way:
    """A way to divide the training, with its memory and its step.

    Attributes:
        strategy: how weights and batch are divided.
        recompute: whether activations are recomputed.
        memory: bytes of a GPU.
        time: of a step.
    """

    strategy: Strategy
    recompute: bool
    memory: float
    time: StepTime


def ways(job: DenoiserJob, gpu: Gpu, count: int, mfu: float) -> list[Way]:
    """DDP and FSDP2, activations kept and recomputed. Where there are fewer clips than GPUs, the rest wait."""
    found, work = [], job.work
    clips = math.ceil(job.batch_size / count)
    options: list[tuple[Strategy, bool]] = [("ddp", False), ("fsdp2", False), ("ddp", True), ("fsdp2", True)]
    for strategy, recompute in options:
        parts = training_memory(
            job.shape, strategy, count, clips, Arithmetic(), checkpointing=recompute, text_length=job.text_length
        )
        hardware = work.model + (work.forward if recompute else 0)
        compute, share = clips * hardware / (gpu.peak * mfu), work.backward / hardware
        time = step_time(job.shape, gpu, count, strategy, compute=compute, backward_share=share)
        found.append(Way(strategy, recompute, parts.total, time))
    return found


def choose(job: DenoiserJob, gpu: Gpu, count: int, mfu: float = ASSUMED_MFU) -> Way:
    """The fastest way that leaves a tenth of the memory free; where none does, the smallest."""
    found = ways(job, gpu, count, mfu)
    fitting = [way for way in found if way.memory <= 0.9 * gpu.memory]
    if fitting:
        return min(fitting, key=lambda way: way.time.total)
    return min(found, key=lambda way: way.memory)


def _rows(job: DenoiserJob, gpu: Gpu, counts: Sequence[int], mfu: float) -> list[list]:
    rows: list[list] = []
    first = 0.0
    for count in counts:
        way = choose(job, gpu, count, mfu)
        step = way.time.total
        first = first or step * count
        reached = job.batch_size / count * job.work.model / step / gpu.peak
        days = job.steps * step / DAY_S
        fits = "yes" if way.memory <= 0.9 * gpu.memory else "no"
        words = [job.name, count, way.strategy, "yes" if way.recompute else "no"]
        speeds = [step, way.time.exposed, first / step / count, reached]
        rows.append([*words, job.batch_size / count, *speeds, days, days * 24 * count, way.memory, fits])
    return rows
