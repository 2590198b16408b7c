# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Depth through the dense readout: a random eighth of the grid in training, a fixed quarter in evaluation."""

from typing import Any

import torch
from torch import nn

from .dense import SRTDepthReadout, sub_grid
from .linear_dense import LinearDepthReadout
from .losses import depth_loss
from .patch_dense import PatchDepthReadout
from .probe_data import Labels, ProbeData
from .source_dense import SourceDepthReadout
from .task import Columns, FitConfig, Task

READOUTS: dict[str, Any] = {
    "dense": SRTDepthReadout,
    "source": SourceDepthReadout,
    "patches": PatchDepthReadout,
    "linear": LinearDepthReadout,
}
FIT = FitConfig(steps=300, batch_size=16, learning_rates=(3e-3,), eval_batch=16)


def depth_task(
    *,
    train_stride: int = 8,
    eval_stride: int = 4,
    train_frames: int = 4,
    eval_every: int = 3,
    fit: FitConfig = FIT,
) -> Task:
    """Depth of every frame's pixels, scored by AbsRel.

    Its readouts, by the option `readout`: "dense" (default), "source" and "patches" as published, "linear", a baseline.

    Args:
        train_stride: pixels between queries in training; the offset is drawn anew at each step.
        eval_stride: pixels between queries in evaluation, from half a stride.
        train_frames: frames of each clip drawn at each step.
        eval_every: frames 0, eval_every, ... are evaluated; 3 meets every phase of a latent step of 4.
        fit: training by default.
    """

    def build(data: ProbeData, *, readout: str = "dense", **options: Any) -> nn.Module:
        if readout not in READOUTS:
            raise ValueError(f"readout must be one of {sorted(READOUTS)}, got {readout!r}")
        made = READOUTS[readout]
        depth = data.labels["depth"]
        options = {"statistics": True, **options}
        sizes = [list(depth.shape[2:])] if made in (SourceDepthReadout, PatchDepthReadout) else []
        built = made(data.feature_shape[-1], data.frame_spans, data.num_frames, *sizes, **options)
        built.start_at(torch.as_tensor(depth[:64]))
        return built

    def loss(readout: nn.Module, values: torch.Tensor, labels: Labels, draw: torch.Generator) -> torch.Tensor:
        depth = labels["depth"]
        device = depth.device
        frames = torch.randperm(depth.shape[1], generator=draw, device=device)[:train_frames].sort().values
        stride = 1 if getattr(readout, "every_pixel", False) else train_stride
        row, column = torch.randint(stride, (2,), generator=draw, device=device).tolist()
        index, pixels = sub_grid(depth.shape[2], depth.shape[3], stride, (row, column), device)
        target = depth[:, frames].flatten(2)[:, :, index]
        return depth_loss(readout(values, pixels, frames, standardised=True), target)

    def predict(readout: nn.Module, values: torch.Tensor, labels: Labels) -> Columns:
        depth = labels["depth"]
        frames, middle = torch.arange(0, depth.shape[1], eval_every, device=depth.device), eval_stride // 2
        index, pixels = sub_grid(depth.shape[2], depth.shape[3], eval_stride, (middle, middle), depth.device)
        found = readout(values, pixels, frames, standardised=True).float().exp()
        target = depth[:, frames].flatten(2)[:, :, index].float()
        return {"predictions": found.flatten(1).cpu().numpy(), "references": target.flatten(1).cpu().numpy()}

    return Task("depth", "clip", ("depth",), "depth_error", "abs_rel", False, build, loss, predict, fit)
