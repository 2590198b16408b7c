# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Scores of the end-to-end reference on labelled clips, by the functions of the metrics room."""

from typing import Any

import torch

from ..data.sample import CLASS_LABELS
from ..metrics.boxes import box_track_scores
from ..metrics.classification import top_k_correct
from ..metrics.depth import depth_errors
from ..metrics.pose import pose_errors
from ..metrics.tracking import tracking_scores
from ..probes.end_to_end import EndToEndReference
from ..probes.pose import relative_pose
from .reference_pool import Batch, ReferencePool


@torch.no_grad()
def evaluate(model: EndToEndReference, pool: ReferencePool, *, bf16: bool, batch_size: int = 16) -> dict[str, float]:
    """Mean scores over a pool's clips; the fine-grained task counts the clips that belong to it."""
    model.eval()
    per_clip: dict[str, list[torch.Tensor]] = {}
    for start in range(0, len(pool), batch_size):
        batch = pool.read(list(range(start, min(start + batch_size, len(pool)))))
        with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
            found = model.predict(batch["video"], *model.queries(batch))
        for name, values in score(found, batch).items():
            per_clip.setdefault(name, []).append(torch.as_tensor(values, dtype=torch.float64))
    model.train()
    return {name: round(float(torch.cat(values).nanmean()), 4) for name, values in per_clip.items()}


def score(found: Batch, batch: Batch) -> dict[str, Any]:
    """Per-clip scores; tracks and boxes that are hidden in frame 0 cannot be asked for and are left out."""
    visible, present = batch["visible"].numpy(), batch["present"].numpy()
    last = visible.shape[2]
    start = torch.where(batch["visible"][:, :, 0], 0, last).numpy()
    begin = torch.where(batch["present"][:, :, 0], 0, last).numpy()
    tracks = tracking_scores(found["tracks"].numpy(), found["visible"].numpy(), batch["tracks"].numpy(), visible, start)
    boxes = box_track_scores(found["boxes"].float().numpy(), batch["boxes"].numpy(), present, begin)
    errors = depth_errors(found["depth"].numpy(), batch["depth"].numpy())
    pose = pose_errors(found["pose"].float().numpy(), relative_pose(batch["pose"]).numpy())
    right = {name: torch.as_tensor(top_k_correct(found[name].numpy(), batch[name].numpy())) for name in CLASS_LABELS}
    return {
        **right,
        "fine": right["fine"][batch["fine_counts"]],
        **{name: errors[name] for name in ("abs_rel", "delta_1")},
        **{name: pose[name] for name in ("epe", "rotation", "translation")},
        **{name: tracks[name] for name in ("average_jaccard", "delta_avg", "occlusion_accuracy")},
        "mean_iou": boxes["mean_iou"],
    }
