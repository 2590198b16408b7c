# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""The plan of a training."""

import math
from dataclasses import dataclass

from .activations import Arithmetic
from .communication import ASSUMPTIONS, step_time
from .figure import Figure, How, Plan, Table
from .hardware import Gpu
from .jobs import DenoiserJob, TokenizerJob
from .memory import STRATEGIES, Strategy, training_memory
from .storage import STORED_BYTES, checkpoint_bytes, latent_bytes, pipeline_bytes, snapshot_bytes
from .work import clip_forward, stack_forward

DAY_S = 86_400
# A clip as H.264 keeps it, bits for a pixel (assumed).
BITS_PER_PIXEL = 0.1
ASSUMED_MFU = 0.40
_EVAL_LEVELS = 8
_GIB = 1 << 30


@dataclass(frozen=True)
class Machine:
    """What a training runs on.

    Attributes:
        gpus: how many.
        speed: hardware FLOP/s that one reaches.
        how: where `speed` comes from.
        gpu: the accelerator; None for this machine's CPU.
        peak: FLOP/s that MFU is told of; None where it is unknown.
        fused: attention that keeps no weights.
        note: about `speed`.
    """

    gpus: int
    speed: float
    how: How
    gpu: Gpu | None = None
    peak: float | None = None
    fused: bool = True
    note: str = ""

    @classmethod
    def of(cls, gpu: Gpu, gpus: int, mfu: float | None = None) -> "Machine":
        """GPUs that compute at a share `mfu` of their peak; an assumption where none is given."""
        note = "" if mfu else f"MFU {ASSUMED_MFU:.0%}: give or measure it with --mfu"
        return cls(gpus, gpu.peak * (mfu or ASSUMED_MFU), "given" if mfu else "assumed", gpu, gpu.peak, note=note)


def plan_training(job: DenoiserJob | TokenizerJob, machine: Machine, strategy: Strategy = "ddp") -> Plan:
    """Cost of a training.

    Args:
        job: what to train.
        machine: on what.
        strategy: how the step is divided, for its time; memory is shown for all.
    """
    if isinstance(job, TokenizerJob):
        return _tokenizer_plan(job, machine)
    sections = {
        "work": work_figures(job),
        "time": time_figures(job, machine, strategy),
        "disk": disk_figures(job, machine.gpus),
    }
    if job.assumed:
        sections["assumed"] = [Figure(words, 1, "", "assumed") for words in job.assumed]
    title = f"{job.name}: {job.steps:,} steps of {job.batch_size} on {_where(machine)}"
    return Plan(title, sections, {"memory": memory_table(job, machine)})


def work_figures(job: DenoiserJob) -> list[Figure]:
    """Parameters, tokens, FLOPs."""
    work, shape = job.work, job.shape
    places = shape.frames * shape.latent_size[0] * shape.latent_size[1]
    return [
        Figure("parameters", shape.parameters, "parameters"),
        Figure("items", job.items, "clips or stacks of images"),
        Figure("latent places", job.items * places, "tokens"),
        Figure("tokens of an item", shape.tokens, "tokens"),
        Figure("forward", work.forward, "FLOP", "formula"),
        Figure("training of an item", work.model, "FLOP", "formula"),
        Figure("recomputed for an item", work.recomputed, "FLOP", "formula"),
        Figure("training", job.items * work.model, "FLOP", "formula"),
        Figure("validation", _validation(job), "FLOP", "formula"),
        Figure("tokenizer", _tokenizing(job), "FLOP", "formula", _tokenizing_note(job)),
    ]


def time_figures(job: DenoiserJob, machine: Machine, strategy: Strategy) -> list[Figure]:
    """Speed, GPU hours and wall time."""
    how: How = machine.how
    # The step waits for the GPU with the most items.
    compute = math.ceil(job.batch_size / machine.gpus) * job.work.hardware / machine.speed
    share = job.work.backward / job.work.hardware
    exposed, note = 0.0, ""
    if machine.gpu is not None:
        step = step_time(job.shape, machine.gpu, machine.gpus, strategy, compute=compute, backward_share=share)
        compute, exposed, note = step.compute, step.exposed, ASSUMPTIONS if machine.gpus > 1 else ""
    step_s = compute + exposed
    around = (_validation(job) + _tokenizing(job)) / machine.speed
    wall = job.steps * step_s + around / machine.gpus
    made = job.batch_size * job.work.model / step_s / machine.gpus
    figures = [Figure("speed of a GPU", machine.speed, "FLOP/s", how, machine.note)]
    if machine.peak:
        figures.append(Figure("MFU", made / machine.peak, "", how, "after communication and recomputation"))
    rests: How = "assumed" if machine.gpus > 1 and machine.gpu is not None else how
    return [
        *figures,
        Figure("step", step_s, "s", rests, note),
        Figure("exposed communication", exposed, "s", "assumed" if exposed else "formula"),
        Figure("items a second", job.batch_size / step_s, "items/s", rests),
        Figure("training time", job.steps * step_s, "s", rests),
        Figure("tokenizer and validation time", around / machine.gpus, "s", how, "at the speed of training"),
        Figure("wall time", wall, "s", rests),
        Figure("GPU hours", wall * machine.gpus / 3600, "h", rests),
    ]


def disk_figures(job: DenoiserJob, processes: int) -> list[Figure]:
    """Checkpoints, snapshots, the pipeline, latents, what is read."""
    shape, one = job.shape, checkpoint_bytes(job.shape, processes)
    pixels = job.clip[0] * job.clip[1] * job.clip[2]
    figures = [
        Figure("checkpoint", one, "B"),
        Figure("checkpoints kept", job.keep * one, "B"),
        Figure("snapshots", job.snapshots * snapshot_bytes(shape), "B"),
        Figure("pipeline", pipeline_bytes(shape, job.tokenizer, job.storage_dtype), "B"),
    ]
    if job.pool:
        kept = latent_bytes(shape, job.pool + job.eval_clips, job.latent_dtype)
        figures.append(Figure("latent cache", kept, "B"))
        figures.append(Figure("latents read", job.items * kept / (2 * (job.pool + job.eval_clips)), "B"))
    if job.kept_pixels:
        figures.append(Figure("rendered clips", 3 * pixels * (job.pool + job.eval_clips), "B"))
    else:
        read = (job.pool or job.items) * pixels * BITS_PER_PIXEL / 8
        note = f"H.264 at {BITS_PER_PIXEL} bit a pixel, of the size that is trained on"
        figures.append(Figure("data read", read, "B", "assumed", note))
    return figures


def memory_table(job: DenoiserJob, machine: Machine) -> Table:
    """Bytes on one GPU for every way to divide the training, activations kept and recomputed."""
    micro = math.ceil(job.batch_size / machine.gpus)
    arithmetic = Arithmetic(job.half, machine.fused)
    rows = []
    for strategy in ("single",) if machine.gpus == 1 else STRATEGIES[1:]:
        for recompute in (False, True):
            parts = training_memory(
                job.shape,
                strategy,
                machine.gpus,
                micro,
                arithmetic,
                checkpointing=recompute,
                text_length=job.text_length,
                context=_GIB if machine.gpu else 0,
            )
            fits = "" if machine.gpu is None else "yes" if parts.total <= 0.95 * machine.gpu.memory else "no"
            rows.append([strategy, "yes" if recompute else "no", micro, *vars(parts).values(), parts.total, fits])
    counted: list[tuple[str, str, How]] = [(name, "B", "formula") for name in vars(parts)]
    counted[-1] = ("workspace", "B", "assumed")
    head: list[tuple[str, str, How]] = [("division", "", "given"), ("checkpointing", "", "given")]
    head += [("items", "items", "given"), *counted, ("total", "B", "assumed"), ("fits", "", "assumed")]
    return Table(head, rows, ["workspace: 1 GiB for CUDA and NCCL, three of the widest activations"])


def _tokenizer_plan(job: TokenizerJob, machine: Machine) -> Plan:
    seconds = job.items * job.flops / machine.speed
    note = "the discriminator and the perceptual network are not counted" if job.adversarial else ""
    one = checkpoint_bytes(job.shape, machine.gpus)
    disk = [Figure("checkpoint", one, "B"), Figure("checkpoints kept", job.keep * one, "B")]
    disk.append(Figure("vae", STORED_BYTES[job.storage_dtype] * job.shape.parameters, "B", "formula"))
    if job.kept_clips:
        disk.append(Figure("rendered clips", 3 * job.frames * job.size[0] * job.size[1] * job.kept_clips, "B"))
    sections = {
        "work": [
            Figure("parameters", job.shape.parameters, "parameters"),
            Figure("items", job.items, "clips"),
            Figure("training of an item", job.flops, "FLOP", "formula", note),
            Figure("training", job.items * job.flops, "FLOP", "formula", note),
        ],
        "time": [
            Figure("speed of a GPU", machine.speed, "FLOP/s", machine.how, machine.note),
            Figure("training time", seconds / machine.gpus, "s", machine.how, "communication is not counted"),
            Figure("GPU hours", seconds / 3600, "h", machine.how),
        ],
        "disk": disk,
    }
    return Plan(f"{job.name}: {job.steps:,} steps of {job.batch_size} clips on {_where(machine)}", sections)


def _validation(job: DenoiserJob) -> float:
    """Held-out clips at eight noise levels; a video model is scored on images too."""
    clips = stack_forward(job.shape, job.text_length)
    if job.shape.config["objective"] == "video":
        clips += clip_forward(job.shape, job.text_length)
    return job.evaluations * job.eval_clips * _EVAL_LEVELS * clips


def _tokenizing(job: DenoiserJob) -> float:
    """Encoding: a kept pool once, clips whole and frames alone; else every item as it comes."""
    if job.tokenizer is None:
        return 0.0
    whole = job.tokenizer.encode_flops(*job.clip)
    alone = job.shape.frames * job.tokenizer.encode_flops(1, *job.clip[1:])
    if job.pool:
        return (job.pool + job.eval_clips) * (whole + alone)
    share = 1.0 if job.shape.config["objective"] == "image" else job.image_fraction
    return job.items * ((1 - share) * whole + share * alone) + job.eval_clips * (whole + alone)


def _tokenizing_note(job: DenoiserJob) -> str:
    return "once, then kept" if job.pool else "anew for every item; a latent cache would do it once"


def _where(machine: Machine) -> str:
    if machine.gpu is None:
        return "this machine"
    return f"{machine.gpus} x {machine.gpu.name}"
