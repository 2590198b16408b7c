# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Clips with their frames in another order, to tell motion from appearance."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
import torch

from .config import FRAME_ORDERS


def reorder(videos: torch.Tensor, order: str, sample_ids: Sequence[str]) -> torch.Tensor:
    """The same frames in another order.

    Args:
        videos: (B, T, ...).
        order: "forward"; "reversed"; "shuffled", by a permutation that depends on the sample alone and is never the
            identity; "frozen", the middle frame T times.
        sample_ids: B stable identifiers.

    Raises:
        ValueError: an unknown order.
    """
    if order not in FRAME_ORDERS:
        raise ValueError(f"frame_order must be one of {list(FRAME_ORDERS)}, got {order!r}")
    frames = videos.shape[1]
    if order == "forward" or frames == 1:
        return videos
    if order == "reversed":
        return videos.flip(1)
    if order == "frozen":
        return videos[:, [frames // 2] * frames]
    return torch.stack(
        [video[permutation(sample_id, frames)] for video, sample_id in zip(videos, sample_ids, strict=True)]
    )


def permutation(sample_id: str, frames: int) -> torch.Tensor:
    """A permutation of range(frames), frames > 1, other than the identity; the sample fixes it."""
    digest = hashlib.blake2b(f"frames of {sample_id}".encode(), digest_size=8).digest()
    rng = np.random.default_rng(int.from_bytes(digest, "little"))
    found = np.arange(frames)
    while (found == np.arange(frames)).all():
        found = rng.permutation(frames)
    return torch.from_numpy(found)
