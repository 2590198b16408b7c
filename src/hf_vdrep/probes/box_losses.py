# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Loss of box tracks."""

import torch
import torch.nn.functional as F

from .box_shapes import generalised_iou
from .outputs import BoxTracks

GIOU_WEIGHT = 0.5
BETA = 0.02  # quadratic within about one pixel of 64


def box_track_loss(
    predicted: BoxTracks, boxes: torch.Tensor, present: torch.Tensor, *, mask: torch.Tensor | None = None
) -> dict[str, torch.Tensor]:
    """Smooth-L1 x 1 + (1 - GIoU) x 0.5 (papers.md 8.3), where the object is present; presence by cross-entropy.

    Args:
        predicted: boxes (B, K, T, 4) and presence logits (B, K, T) or None.
        boxes: (B, K, T, 4) x1, y1, x2, y2 in [0, 1]; any value where the object is absent. A box without area teaches
            its corners, and its GIoU pulls the prediction's hull towards it.
        present: bool (B, K, T).
        mask: bool (B, K, T), entries that count; all by default.

    Returns:
        `loss` (their sum), `corners`, `giou` and `presence`, each a scalar mean over the entries that count, 0 where
        none does.
    """
    mask = torch.ones_like(present) if mask is None else mask.expand_as(present)
    counts = present & mask
    truth = torch.where(counts[..., None], boxes.float(), 0.0)
    found = torch.where(counts[..., None], predicted.boxes.float(), 0.0)
    apart = F.smooth_l1_loss(found, truth, beta=BETA, reduction="none").sum(-1)
    overlap = 1 - generalised_iou(found, truth)
    seen = counts.sum().clamp(min=1)
    parts = {"corners": (apart * counts).sum() / seen, "giou": GIOU_WEIGHT * (overlap * counts).sum() / seen}
    if predicted.present is not None:
        logits = predicted.present.float()
        surprise = F.binary_cross_entropy_with_logits(logits, present.float(), reduction="none")
        parts["presence"] = (surprise * mask).sum() / mask.sum().clamp(min=1)
    return {"loss": torch.stack(list(parts.values())).sum(), **parts}
