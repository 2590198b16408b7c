# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Box tracks through the recurrent readout."""

from typing import Any

import torch
from torch import nn

from .box_losses import box_track_loss
from .box_tracker import RecurrentBoxReadout
from .probe_data import Labels, ProbeData
from .task import Columns, FitConfig, Task
from .tiled_tracker import TiledBoxReadout

FIT = FitConfig(steps=300, batch_size=16, learning_rates=(3e-3,), eval_batch=16)


def box_task(*, kind: type[RecurrentBoxReadout | TiledBoxReadout] = RecurrentBoxReadout, fit: FitConfig = FIT) -> Task:
    """Boxes of the objects that are present in frame 0, scored by mean IoU over the other frames.

    Objects absent in frame 0 cannot be asked for: they carry no loss and no score, their query frame lies past the end.
    Frames where an object is absent carry neither.

    Args:
        kind: of readout; `TiledBoxReadout` is 4DS's form without a recurrence.
        fit: training by default.
    """

    def build(data: ProbeData, **options: Any) -> nn.Module:
        options = {"statistics": True, **options}
        return kind(data.feature_shape[-1], data.frame_spans, data.num_frames, **options)

    def loss(readout: nn.Module, values: torch.Tensor, labels: Labels, draw: torch.Generator) -> torch.Tensor:
        boxes, present = labels["boxes"].float(), labels["present"].bool()
        found = readout(values, asked(boxes, present), standardised=True)
        counts = present[:, :, :1] & (torch.arange(present.shape[2]) > 0)
        return box_track_loss(found, boxes, present, mask=counts)["loss"]

    def predict(readout: nn.Module, values: torch.Tensor, labels: Labels) -> Columns:
        boxes, present = labels["boxes"].float(), labels["present"].bool()
        found = readout(values, asked(boxes, present), standardised=True)
        start = torch.where(present[:, :, 0], 0, present.shape[2])
        return {
            "predictions": found.boxes.float().clamp(0, 1).numpy(),
            "references": boxes.numpy(),
            "present": present.numpy(),
            "query_frames": start.numpy(),
        }

    labels = ("boxes", "present")
    return Task("box_tracks", "clip", labels, "box_iou", "mean_iou", True, build, loss, predict, fit)


def asked(boxes: torch.Tensor, present: torch.Tensor) -> torch.Tensor:
    """Frame-0 boxes (B, K, 4); the whole frame stands in for objects that cannot be asked for."""
    whole = boxes.new_tensor([0.0, 0.0, 1.0, 1.0])
    return torch.where(present[:, :, :1], boxes[:, :, 0], whole)
