# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Memory of one GPU while it trains: what is sharded, what is not."""

from dataclasses import dataclass
from typing import Literal

from .activations import Arithmetic, activation_bytes
from .denoiser_shape import DenoiserShape
from .figure import Figure

Strategy = Literal["single", "ddp", "fsdp2"]
STRATEGIES: tuple[Strategy, ...] = ("single", "ddp", "fsdp2")
# CUDA's context, cuBLAS's and NCCL's buffers.
_CONTEXT = 1 << 30


@dataclass(frozen=True)
class TrainingMemory:
    """Bytes on one GPU, by what they hold.

    Attributes:
        weights: float32 masters.
        gradients: float32, and the buckets that DDP sums them in.
        moments: AdamW's two.
        average: the moving average of the weights.
        copies: 16-bit weights: autocast's, or the blocks that FSDP2 has gathered.
        activations: of a micro-batch.
        workspace: what else is alive at the peak (assumed).
    """

    weights: float
    gradients: float
    moments: float
    average: float
    copies: float
    activations: float
    workspace: float

    @property
    def total(self) -> float:
        """Of all."""
        return sum(vars(self).values())

    def figures(self) -> list[Figure]:
        """One per part, and the total."""
        parts = [Figure(name, value, "B", *_HOW.get(name, ("formula",))) for name, value in vars(self).items()]
        return [*parts, Figure("memory", self.total, "B", "assumed", "workspace is assumed")]


_HOW: dict[str, tuple] = {
    "weights": ("exact",),
    "moments": ("exact",),
    "average": ("exact",),
    "workspace": ("assumed", "1 GiB for CUDA and NCCL, and three of the widest activations"),
}


def training_memory(
    shape: DenoiserShape,
    strategy: Strategy,
    gpus: int,
    micro_batch: float,
    arithmetic: Arithmetic,
    *,
    checkpointing: bool = False,
    text_length: int = 128,
    context: int = _CONTEXT,
) -> TrainingMemory:
    """Memory of one GPU at the end of the forward pass and the start of the backward pass.

    Args:
        shape: of the denoiser.
        strategy: one GPU alone, DDP (all replicated), or FSDP2 (all sharded, blocks gathered in 16 bit when used).
        gpus: over which FSDP2 shards.
        micro_batch: items of one GPU at a time.
        arithmetic: precision and kind of attention.
        checkpointing: of activations.
        text_length: tokens of text, for models that read some.
        context: bytes that the device's libraries take.
    """
    own = shape.parameters / (gpus if strategy == "fsdp2" else 1)
    buckets = shape.parameters if strategy == "ddp" and gpus > 1 else 0
    kept = activation_bytes(shape, arithmetic, checkpointing=checkpointing, text_length=text_length)
    widest = shape.tokens * shape.width * shape.config["mlp_ratio"] * 4
    return TrainingMemory(
        weights=4 * own,
        gradients=4 * (own + buckets),
        moments=8 * own,
        average=4 * own,
        copies=_copies(shape, strategy, arithmetic),
        activations=kept * micro_batch,
        workspace=context + 3 * widest * micro_batch,
    )


def _copies(shape: DenoiserShape, strategy: Strategy, arithmetic: Arithmetic) -> float:
    if strategy == "fsdp2":
        # The block at work, the next, and the gradient of one before it is scattered.
        return 3 * arithmetic.low * shape.largest_block
    return 2 * shape.parameters if arithmetic.half else 0
