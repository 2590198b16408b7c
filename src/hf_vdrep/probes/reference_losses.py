# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Training losses of the end-to-end reference."""

from collections.abc import Mapping
from typing import Any

import torch

from .box_losses import box_track_loss
from .end_to_end import EndToEndReference
from .losses import classification_loss, depth_loss, point_track_loss, pose_loss
from .outputs import PointTracks
from .point_refiner import PointRefiner
from .pose import relative_pose
from .reference_heads import CLIP_TASKS, IMAGE_TASKS

ROUND_DECAY = 0.7
WEIGHTS = {
    "action_coarse": 0.5,
    "action_many": 0.5,
    "depth": 3.0,
    "camera_pose": 0.5,
    "point_tracks": 1.0,
    "velocity": 1.0,
    "box_tracks": 2.0,
}
VELOCITY_SCALE = 64.0
# Pixels of a 256-pixel raster: the finest threshold of the metric. TAPIR's 4 leaves errors below a cell's half alone.
HUBER_DELTA = 1.0


def reference_loss(
    model: EndToEndReference,
    batch: Mapping[str, torch.Tensor],
    *,
    depth_frames: torch.Tensor | None = None,
    images: Mapping[str, torch.Tensor] | None = None,
) -> dict[str, torch.Tensor]:
    """Losses of a batch of samples.

    Args:
        model: the network.
        batch: `video` and the labels of the ten tasks under their names in the sample schema.
        depth_frames: int (F,), the frames whose depth is decoded; all by default.
        images: further frames under `image` with the labels of the image tasks: a frame costs a fraction of a clip.

    Returns:
        `loss` and its parts, weighted: a part for each task, and `velocity`.
    """
    frames = torch.arange(batch["video"].shape[1]) if depth_frames is None else depth_frames
    found = model(batch["video"], *model.queries(batch), depth_frames=frames)
    parts = {name: WEIGHTS.get(name, 1.0) * classification_loss(found[name], batch[name]) for name in CLIP_TASKS}
    told = [(found, batch)] if images is None else [(found, batch), (model.classify_images(images["image"]), images)]
    parts |= {name: _image_loss(name, told) for name in IMAGE_TASKS}
    pose = model.pose_head.normalise(relative_pose(batch["pose"]))
    present = batch["present"].bool()
    asked_for = present[:, :, :1] & (torch.arange(present.shape[2]) > 0)
    tracks, visible = batch["tracks"].float(), batch["visible"].bool()
    more = {
        "depth": depth_loss(found["log_depth"], batch["depth"][:, frames].float()),
        "camera_pose": pose_loss(found["camera_pose"], pose),
        "point_tracks": rounds_loss(found["point_tracks"], tracks, visible),
        "velocity": velocity_loss(model.point_head, found["maps"], tracks, visible),
        "box_tracks": box_track_loss(found["box_tracks"], batch["boxes"], present, mask=asked_for)["loss"],
    }
    parts |= {name: WEIGHTS[name] * value for name, value in more.items()}
    return {"loss": torch.stack(list(parts.values())).sum(), **parts}


def rounds_loss(rounds: list[PointTracks], tracks: torch.Tensor, visible: torch.Tensor) -> torch.Tensor:
    """Loss of every round of the point tracker, the last one counting most; points hidden in frame 0 are left out."""
    total = tracks.new_zeros(())
    for age, found in enumerate(reversed(rounds)):
        total = (
            total
            + ROUND_DECAY**age
            * point_track_loss(found, tracks, visible, mask=visible[:, :, :1], huber_delta=HUBER_DELTA)["loss"]
        )
    return total


def velocity_loss(
    tracker: PointRefiner, maps: Mapping[str, Any], tracks: torch.Tensor, visible: torch.Tensor
) -> torch.Tensor:
    """Mean L1 of the velocities read at the true places, in pixels of 64, where a point is seen in both frames."""
    places = torch.where(visible[..., None], tracks, 0.0).transpose(1, 2)
    found = tracker.velocities(maps["fine"][:, :-1], maps["moving"][:, :-1], places[:, :-1])
    both = (visible[:, :, 1:] & visible[:, :, :-1]).transpose(1, 2)
    error = (found - places.diff(dim=1)).abs().sum(-1) * VELOCITY_SCALE
    return (error * both).sum() / both.sum().clamp(min=1)


def _image_loss(name: str, told: list[tuple[Mapping[str, Any], Mapping[str, torch.Tensor]]]) -> torch.Tensor:
    """Mean cross-entropy over the clips' middle frames and the further ones.

    Of the fine-grained task, also over the clips that its long-tailed training set leaves out: the reference says what
    the pixels hold.
    """
    logits = torch.cat([found[name].float() for found, _ in told])
    return classification_loss(logits, torch.cat([batch[name] for _, batch in told]))
