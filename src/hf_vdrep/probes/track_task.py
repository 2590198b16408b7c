# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Point tracks through the recurrent readout."""

from typing import Any

import torch
from torch import nn

from .losses import point_track_loss
from .probe_data import Labels, ProbeData
from .task import Columns, FitConfig, Task
from .tiled_tracker import TiledPointReadout
from .tracker import RecurrentPointReadout

CERTAIN_WITHIN = 16.0
FIT = FitConfig(steps=300, batch_size=16, learning_rates=(3e-3,), eval_batch=16)


def track_task(
    *,
    train_tracks: int = 16,
    certain_within: float = CERTAIN_WITHIN,
    kind: type[RecurrentPointReadout | TiledPointReadout] = RecurrentPointReadout,
    fit: FitConfig = FIT,
) -> Task:
    """Tracks of points asked for in frame 0, scored by Average Jaccard.

    Points hidden in frame 0 cannot be asked for: they carry no loss, and their query frame is set past the end, so that
    none of their frames is evaluated.

    Args:
        train_tracks: tracks of each clip drawn at each step.
        certain_within: a prediction is to be called certain within so many px of 256; the loosest threshold of the
            metric by default, so that what counts at any threshold is said to be seen. TAPIR's 6 px suit frames of 256
            pixels; on coarser features next to nothing lies within them, and everything would be called hidden.
        kind: of readout; `TiledPointReadout` is 4DS's form without a recurrence.
        fit: training by default.
    """

    def build(data: ProbeData, **options: Any) -> nn.Module:
        shape, options = data.feature_shape, {"statistics": True, **options}
        return kind(shape[-1], data.frame_spans, data.num_frames, **options)

    def loss(readout: nn.Module, values: torch.Tensor, labels: Labels, draw: torch.Generator) -> torch.Tensor:
        tracks, visible = labels["tracks"].float(), labels["visible"].bool()
        # Tracks that can be asked for come first.
        rank = torch.rand(visible.shape[:2], generator=draw) + visible[:, :, 0].float()
        chosen = rank.topk(min(train_tracks, visible.shape[1]), dim=1).indices
        rows = torch.arange(len(tracks))[:, None]
        tracks, visible = tracks[rows, chosen], visible[rows, chosen]
        found = readout(values, asked(tracks, visible), standardised=True)
        parts = point_track_loss(found, tracks, visible, mask=visible[:, :, :1], certain_within=certain_within)
        return parts["loss"]

    def predict(readout: nn.Module, values: torch.Tensor, labels: Labels) -> Columns:
        tracks, visible = labels["tracks"].float(), labels["visible"].bool()
        found = readout(values, asked(tracks, visible), standardised=True)
        start = torch.where(visible[:, :, 0], 0, visible.shape[2])
        return {
            "predictions": found.positions.numpy(),
            "predicted_visible": found.said_visible().numpy(),
            "references": tracks.numpy(),
            "visible": visible.numpy(),
            "query_frames": start.numpy(),
        }

    labels = ("tracks", "visible")
    return Task("point_tracks", "clip", labels, "average_jaccard", "average_jaccard", True, build, loss, predict, fit)


def asked(tracks: torch.Tensor, visible: torch.Tensor) -> torch.Tensor:
    """Frame-0 points (B, N, 2); the frame's centre stands in for points that cannot be asked for, wherever they are."""
    return torch.where(visible[:, :, :1], tracks[:, :, 0], 0.5)
