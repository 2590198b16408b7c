# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Losses of the readouts. All are computed in float32, whatever the precision of the forward pass."""

import torch
import torch.nn.functional as F

from .outputs import PointTracks

RASTER = 256.0
HUBER_DELTA = 4.0
POSITION_WEIGHT = 0.05
CERTAIN_WITHIN = 6.0
MIN_DEPTH, MAX_DEPTH = 1e-3, 10.0


def classification_loss(logits: torch.Tensor, labels: torch.Tensor, *, label_smoothing: float = 0.0) -> torch.Tensor:
    """Mean cross-entropy of logits (B, K) against class indices (B,)."""
    return F.cross_entropy(logits.float(), labels, label_smoothing=label_smoothing)


def depth_loss(log_depth: torch.Tensor, depth: torch.Tensor) -> torch.Tensor:
    """Mean |log p - log d| over the valid pixels, 0.001 < d < 10.

    The source protocol does not name its loss (papers.md 8.2). L1 in log space is the one whose minimum follows the
    metric: for small errors |log p - log d| is |p - d| / d, that is AbsRel; L2 in metres would spend itself on the far
    wall.

    Args:
        log_depth: (B, ...) natural log of metres.
        depth: same shape, metres; 0 or out of range is left out.

    Returns:
        Scalar; 0 where no pixel is valid.
    """
    valid = (depth > MIN_DEPTH) & (depth < MAX_DEPTH)
    error = (log_depth.float() - torch.where(valid, depth, 1.0).float().log()).abs()
    return (error * valid).sum() / valid.sum().clamp(min=1)


def pose_loss(found: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """Mean squared error of the 12 numbers of a pose (papers.md 8.4), both (B, 12) in the readout's units.

    A target that is not finite is left out; 0 where none is.
    """
    valid = target.isfinite().all(-1, keepdim=True)
    error = found.float() - torch.where(valid, target, 0.0).float()
    return (error.square() * valid).sum() / (valid.sum() * target.shape[-1]).clamp(min=1)


def point_track_loss(
    predicted: PointTracks,
    tracks: torch.Tensor,
    visible: torch.Tensor,
    *,
    mask: torch.Tensor | None = None,
    certain_within: float = CERTAIN_WITHIN,
    huber_delta: float = HUBER_DELTA,
) -> dict[str, torch.Tensor]:
    """TAPIR's point loss (arXiv 2306.08637, section 3; papers.md 8.3) with logits for *visible* and *certain*.

    Positions: Huber (TAPIR: delta 4 px) on the distance in a 256x256 raster, visible points only, weight 0.05.
    Visibility: sigmoid cross-entropy against `visible`. Certainty: the same, visible points only, against "the
    prediction is within `certain_within`", the prediction taken without gradient. TAPIR's own logits mean occluded and
    uncertain: both targets are the complements of its.

    Args:
        predicted: positions (B, N, T, 2) in [0, 1] and logits (B, N, T).
        tracks: (B, N, T, 2) in [0, 1].
        visible: bool (B, N, T).
        mask: bool (B, N, T), entries that count; all by default.
        certain_within: px of the 256x256 raster (TAPIR: 6).
        huber_delta: px of the 256x256 raster from which the loss grows linearly, at TAPIR's slope whatever the delta.

    Returns:
        `loss` (their sum), `position`, `visibility`, `certainty`, each a scalar mean over the entries that count.
    """
    mask = torch.ones_like(visible) if mask is None else mask.expand_as(visible)
    count = mask.sum().clamp(min=1)
    seen = (visible & mask).float()
    error = (predicted.positions.float() - tracks.float()) * RASTER
    squared = torch.where(seen[..., None] > 0, error, 0.0).square().sum(-1)
    distance = (squared + 1e-12).sqrt()
    huber = torch.where(distance < huber_delta, 0.5 * squared / huber_delta, distance - 0.5 * huber_delta) * HUBER_DELTA
    close = (squared.detach() <= certain_within**2).float()
    visibility = F.binary_cross_entropy_with_logits(predicted.visible.float(), visible.float(), reduction="none")
    certainty = F.binary_cross_entropy_with_logits(predicted.certain.float(), close, reduction="none")
    parts = {
        "position": POSITION_WEIGHT * (huber * seen).sum() / count,
        "visibility": (visibility * mask).sum() / count,
        "certainty": (certainty * seen).sum() / count,
    }
    return {"loss": parts["position"] + parts["visibility"] + parts["certainty"], **parts}
