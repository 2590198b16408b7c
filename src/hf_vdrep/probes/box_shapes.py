# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Boxes as corners and as centre and size, and how well two agree."""

import torch


def centred(boxes: torch.Tensor) -> torch.Tensor:
    """x1, y1, x2, y2 (..., 4) -> centre x, y, width, height."""
    low, high = boxes[..., :2], boxes[..., 2:]
    return torch.cat([(low + high) / 2, high - low], -1)


def corners(boxes: torch.Tensor) -> torch.Tensor:
    """Centre x, y, width, height (..., 4) -> x1, y1, x2, y2; a negative size counts as its magnitude."""
    half = boxes[..., 2:].abs() / 2
    return torch.cat([boxes[..., :2] - half, boxes[..., :2] + half], -1)


def generalised_iou(found: torch.Tensor, truth: torch.Tensor) -> torch.Tensor:
    """Generalised intersection over union (arXiv 1902.09630), in [-1, 1].

    IoU - (hull - union) / hull. A box without area shares none: its IoU is 0, and where hull and union are both nothing
    (two equal points) the value is 0; gradients stay finite.

    Args:
        found, truth: (..., 4) x1, y1, x2, y2 with x1 <= x2 and y1 <= y2.
    """
    overlap = _area(torch.maximum(found[..., :2], truth[..., :2]), torch.minimum(found[..., 2:], truth[..., 2:]))
    hull = _area(torch.minimum(found[..., :2], truth[..., :2]), torch.maximum(found[..., 2:], truth[..., 2:]))
    union = _area(found[..., :2], found[..., 2:]) + _area(truth[..., :2], truth[..., 2:]) - overlap
    return _ratio(overlap, union) - _ratio(hull - union, hull)


def _area(low: torch.Tensor, high: torch.Tensor) -> torch.Tensor:
    return (high - low).clamp(min=0).prod(-1)


def _ratio(part: torch.Tensor, whole: torch.Tensor) -> torch.Tensor:
    # A denominator of 1 where there is nothing to divide by: no NaN in the value, none in the gradient.
    some = whole > 1e-9
    return torch.where(some, part / torch.where(some, whole, 1.0), 0.0)
