# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Depth through the dense readout: a random eighth of the grid in training, a fixed quarter in evaluation."""

from typing import Any

import torch
from torch import nn

from .dense import SRTDepthReadout, sub_grid
from .losses import depth_loss
from .probe_data import Labels, ProbeData
from .task import Columns, FitConfig, Task

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

    Args:
        train_stride: pixels between queries in training; the offset is drawn anew at each step.
        eval_stride: pixels between queries in evaluation, from half a stride.
        train_frames: frames of each clip drawn at each step.
        eval_every: frames 0, eval_every, ... are evaluated; 3 meets every phase of a latent step of 4.
        fit: training by default.
    """

    def build(data: ProbeData, **options: Any) -> nn.Module:
        shape = data.feature_shape
        readout = SRTDepthReadout(shape[-1], data.frame_spans, data.num_frames, **options)
        readout.start_at(torch.as_tensor(data.labels["depth"][:64]))
        return readout

    def loss(readout: nn.Module, values: torch.Tensor, labels: Labels, draw: torch.Generator) -> torch.Tensor:
        depth = labels["depth"]
        frames = torch.randperm(depth.shape[1], generator=draw)[:train_frames].sort().values
        row, column = torch.randint(train_stride, (2,), generator=draw).tolist()
        index, pixels = sub_grid(depth.shape[2], depth.shape[3], train_stride, (row, column))
        target = depth[:, frames].flatten(2)[:, :, index]
        return depth_loss(readout(values, pixels, frames, standardised=True), target)

    def predict(readout: nn.Module, values: torch.Tensor, labels: Labels) -> Columns:
        depth = labels["depth"]
        frames = torch.arange(0, depth.shape[1], eval_every)
        index, pixels = sub_grid(depth.shape[2], depth.shape[3], eval_stride, (eval_stride // 2, eval_stride // 2))
        found = readout(values, pixels, frames, standardised=True).float().exp()
        target = depth[:, frames].flatten(2)[:, :, index].float()
        return {"predictions": found.flatten(1).cpu().numpy(), "references": target.flatten(1).cpu().numpy()}

    return Task("depth", "clip", ("depth",), "depth_error", "abs_rel", False, build, loss, predict, fit)
