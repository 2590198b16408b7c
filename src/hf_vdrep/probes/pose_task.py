# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Camera pose of the last frame relative to the first, through learned queries."""

from typing import Any, cast

import torch
from torch import nn

from .losses import pose_loss
from .pose import PoseReadout, relative_pose
from .probe_data import Labels, ProbeData
from .task import Columns, FitConfig, Task

FIT = FitConfig(steps=400, batch_size=64, learning_rates=(3e-3, 1e-2), seeds=(0, 1, 2), eval_batch=64)


def pose_task(*, fit: FitConfig = FIT) -> Task:
    """Relative pose of a clip, scored by end-point error.

    Args:
        fit: training by default.
    """

    def build(data: ProbeData, **options: Any) -> nn.Module:
        shape = data.feature_shape
        readout = PoseReadout(shape[-1], shape[1], **{"statistics": True, **options})
        readout.start_at(relative_pose(torch.as_tensor(data.labels["pose"])))
        return readout

    def loss(readout: nn.Module, values: torch.Tensor, labels: Labels, draw: torch.Generator) -> torch.Tensor:
        posing = cast(PoseReadout, readout)
        # As in classification: the folded attention casts what is large itself.
        with torch.autocast(values.device.type, enabled=False):
            found = posing(values, standardised=True)
        return pose_loss(found, posing.normalise(relative_pose(labels["pose"])))

    def predict(readout: nn.Module, values: torch.Tensor, labels: Labels) -> Columns:
        posing = cast(PoseReadout, readout)
        found = posing.decode(posing(values, standardised=True))
        return {"predictions": found.cpu().numpy(), "references": relative_pose(labels["pose"]).float().cpu().numpy()}

    return Task("camera_pose", "clip", ("pose",), "pose_error", "epe", False, build, loss, predict, fit)
