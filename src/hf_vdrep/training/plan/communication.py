# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Time that GPUs spend on each other: an estimate from bandwidths, as rings of NCCL move the bytes."""

import math
from dataclasses import dataclass

from .denoiser_shape import DenoiserShape
from .hardware import Gpu
from .memory import Strategy

# All assumed. Share of a link's bandwidth that a collective reaches; of the time in which it can run beside the
# computation, the part that it does; start of a collective, for each doubling of the GPUs.
EFFICIENCY, OVERLAP, LATENCY_S = 0.8, 0.9, 15e-6
_BUCKET = 25 * (1 << 20)  # DDP's
# Kernels of a block, forward and backward, and the time to launch one: below that no GPU is faster (assumed).
KERNELS_PER_BLOCK, LAUNCH_S = 150, 5e-6

ASSUMPTIONS = (
    f"collectives reach {EFFICIENCY:.0%} of a link and hide behind {OVERLAP:.0%} of the computation they may run "
    f"beside; {LATENCY_S * 1e6:.0f} us for each doubling of the GPUs; at least {KERNELS_PER_BLOCK} kernels of "
    f"{LAUNCH_S * 1e6:.0f} us per block and step"
)


@dataclass(frozen=True)
class StepTime:
    """Seconds of an optimiser step.

    Attributes:
        compute: of the micro-batches.
        communication: of all collectives.
        exposed: of them, what the computation does not hide.
    """

    compute: float
    communication: float
    exposed: float

    @property
    def total(self) -> float:
        """Of the step."""
        return self.compute + self.exposed


def bus_bandwidth(gpu: Gpu, gpus: int) -> float:
    """Bytes a second of a ring through all GPUs; between nodes it uses every network card of a node."""
    link = gpu.link if gpus <= gpu.per_node else min(gpu.link, gpu.per_node * gpu.network)
    return EFFICIENCY * link


def step_time(
    shape: DenoiserShape,
    gpu: Gpu,
    gpus: int,
    strategy: Strategy,
    *,
    compute: float,
    backward_share: float,
    micro_batches: int = 1,
) -> StepTime:
    """Of one optimiser step on `gpus` GPUs.

    DDP sums float32 gradients once a step while the last backward pass runs; FSDP2 gathers 16-bit weights for the
    forward and for the backward pass and scatters the sums of gradients, in every micro-batch, beside all of it.

    Args:
        shape: of the denoiser.
        gpu: what it runs on.
        gpus: how many.
        strategy: "single" communicates nothing.
        compute: seconds that the FLOPs of a step take one GPU.
        backward_share: of them, the share in backward passes.
        micro_batches: of one GPU.
    """
    floor = micro_batches * shape.config["num_layers"] * KERNELS_PER_BLOCK * LAUNCH_S
    compute = max(compute, floor)
    if gpus == 1 or strategy == "single":
        return StepTime(compute, 0.0, 0.0)
    share, start = (gpus - 1) / gpus, LATENCY_S * math.log2(gpus)
    if strategy == "ddp":
        moved, collectives = 2 * 4 * shape.parameters, math.ceil(4 * shape.parameters / _BUCKET)
        hidden = OVERLAP * compute * backward_share / micro_batches
    else:
        moved = micro_batches * 3 * 2 * shape.parameters
        collectives, hidden = micro_batches * 3 * shape.config["num_layers"], OVERLAP * compute
    needed = share * moved / bus_bandwidth(gpu, gpus) + collectives * start
    return StepTime(compute, needed, max(0.0, needed - hidden))
