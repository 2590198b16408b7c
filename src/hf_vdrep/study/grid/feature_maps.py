# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Features of a split in memory: one forward pass at a noise level serves every block."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from ...backbones.base import Backbone
from ...features.precision import autocast, autocast_name
from .cells import Source
from .systems import open_system
from .world import BATCH, CHUNK, Clips, latent_jobs


@dataclass(frozen=True, eq=False)
class Maps:
    """Features at one block: float16 (N, T', H', W', C), and the frames (T', 2) that each step has seen."""

    values: torch.Tensor
    frame_spans: torch.Tensor


def extract_maps(
    clips: Clips, source: Source, layers: Sequence[int], split: str, rows: int, order: str = "forward"
) -> dict[int, Maps]:
    """Features of the first `rows` clips of a split at several blocks.

    Args:
        clips: the world.
        source: model, noise level, what it is shown.
        layers: block indices.
        split, rows, order: which clips, how many, with their frames in which order.

    Raises:
        ValueError: features that half precision cannot hold.
    """
    backbone = open_system(source.backbone, source.reading, source.site)
    inputs_of = _inputs(backbone, clips, source, split, rows, order)
    values: dict[int, torch.Tensor] = {}
    spans = torch.zeros(0, 2, dtype=torch.int64)
    for start in range(0, rows, BATCH):
        numbers = range(start, min(start + BATCH, rows))
        with autocast(autocast_name("auto", backbone.device), backbone.device):
            maps = backbone.extract(
                inputs_of(numbers),
                sample_ids=clips.ids(split, numbers, source.reads),
                layers=list(layers),
                timesteps=[source.timestep],
                seed=clips.seed,
            )
        for layer, found in zip(layers, maps, strict=True):
            if layer not in values:
                values[layer] = torch.empty(rows, *found.values.shape[1:], dtype=torch.float16)
            values[layer][start : start + len(numbers)] = _half(found.values, source)
            spans = found.frame_spans
    return {layer: Maps(found, spans) for layer, found in values.items()}


def _inputs(
    backbone: Backbone, clips: Clips, source: Source, split: str, rows: int, order: str
) -> Callable[[range], Any]:
    """Row numbers to what `extract` takes, from kept latents where the model has a tokenizer."""
    if backbone.tokenizer is None:
        return lambda numbers: backbone.prepare(clips.videos(split, numbers, source.reads, order))
    chunks: Any = [job.latents() for job in latent_jobs(clips, source, split, order, rows)]

    def kept(numbers: range) -> Any:
        # A batch never straddles two chunks: one is a multiple of the other.
        chunk = chunks[numbers.start // CHUNK]
        return backbone.inputs_from(chunk.feature_map([row % CHUNK for row in numbers]))

    return kept


def _half(values: torch.Tensor, source: Source) -> torch.Tensor:
    half = values.to(torch.float16)
    if not bool(torch.isfinite(half).all()):
        raise ValueError(f"features of {source.backbone} must be finite in half precision, got NaN or more than 65504")
    return half


def forward_flops(clips: Clips, source: Source, layer: int) -> int:
    """Multiplications and additions of tokenizer and model up to a block, for one sample."""
    from torch.utils.flop_counter import FlopCounterMode

    backbone = open_system(source.backbone, source.reading, source.site)
    with FlopCounterMode(display=False) as counter:
        inputs = backbone.prepare(clips.videos("train", [0], source.reads, "forward"))
        backbone.extract(inputs, sample_ids=["flops"], layers=[layer], timesteps=[source.timestep])
    return int(counter.get_total_flops())
