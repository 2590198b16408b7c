# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Augmentation of labelled ProbeWorld clips: mirror, play backwards, change the light."""

import torch

from .reference_pool import Batch

# What a mirror does to a motion class: the pairs that name a side change places.
MIRRORED = torch.tensor([1, 0, 2, 3, 4, 5, 7, 6, 8, 9, 10, 11, 12, 13, 15, 14])
SHIFT = 4
# Labels with time in their second (per clip) or third (per track) dimension.
CLIP_SERIES, TRACK_SERIES = ("video", "depth", "pose"), ("tracks", "visible", "boxes", "present")


def augment(batch: Batch, draw: torch.Generator) -> Batch:
    """Each clip by its own toss, labels with it; frame 0 of the result is what its queries are about."""
    size = len(batch["video"])
    back, mirror = torch.rand(2, size, generator=draw) < 0.5
    gain = 0.8 + 0.4 * torch.rand(size, 1, 1, 1, 1, generator=draw)
    gain = gain + 0.1 * torch.randn(size, 1, 1, 1, 3, generator=draw)
    flipped = {**batch, **mirrored(batch)}
    batch = {name: _choose(mirror, flipped[name], value) for name, value in batch.items()}
    turned = {**batch, **reversed_in_time(batch)}
    batch = {name: _choose(back, turned[name], value) for name, value in batch.items()}
    return {**batch, "video": (batch["video"] * gain).clamp_(0, 255).to(torch.uint8)}


def augment_images(images: torch.Tensor, draw: torch.Generator) -> torch.Tensor:
    """uint8 (B, H, W, 3): mirror, shift by up to SHIFT pixels with the border repeated, change the light."""
    size, height, width = images.shape[:3]
    mirror = torch.rand(size, generator=draw) < 0.5
    images = _choose(mirror, images.flip(2), images)
    down, across = torch.randint(-SHIFT, SHIFT + 1, (2, size, 1), generator=draw)
    rows = (torch.arange(height) + down).clamp(0, height - 1)
    columns = (torch.arange(width) + across).clamp(0, width - 1)
    images = images[torch.arange(size)[:, None, None], rows[:, :, None], columns[:, None]]
    gain = 0.8 + 0.4 * torch.rand(size, 1, 1, 1, generator=draw) + 0.1 * torch.randn(size, 1, 1, 3, generator=draw)
    return (images * gain).clamp_(0, 255).to(torch.uint8)


def mirrored(batch: Batch) -> Batch:
    """Left and right exchanged: the labels that this changes."""
    tracks, boxes, pose = batch["tracks"], batch["boxes"], batch["pose"]
    # Conjugation with the mirror: x of the world and of the camera change sign.
    sign = torch.tensor([[1.0, -1, -1, -1], [-1, 1, 1, 1], [-1, 1, 1, 1]])
    return {
        "video": batch["video"].flip(3),
        "depth": batch["depth"].flip(3),
        "pose": pose * sign,
        "tracks": torch.stack([1 - tracks[..., 0], tracks[..., 1]], -1),
        "boxes": torch.stack([1 - boxes[..., 2], boxes[..., 1], 1 - boxes[..., 0], boxes[..., 3]], -1),
        "action_motion": MIRRORED[batch["action_motion"]],
    }


def reversed_in_time(batch: Batch) -> Batch:
    """Last frame first: the labels that this changes."""
    series = {name: batch[name].flip(1) for name in CLIP_SERIES} | {name: batch[name].flip(2) for name in TRACK_SERIES}
    return {**series, "action_motion": batch["action_motion"] ^ 1}


def _choose(toss: torch.Tensor, heads: torch.Tensor, tails: torch.Tensor) -> torch.Tensor:
    return tails if heads is tails else torch.where(toss.view(-1, *[1] * (tails.ndim - 1)), heads, tails)
