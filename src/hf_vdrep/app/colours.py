# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""The features of two models in colours that mean the same as far as they can.

Each model keeps its own principal components, fitted over all frames of the clip together, so that a colour holds
still in time. Which component is red and which is green says nothing; the second model's three are therefore turned,
as a rigid body, to where they follow the first model's most closely (orthogonal Procrustes).
"""

import torch
import torch.nn.functional as F

from ..study.pca import PrincipalComponents, to_colours


def joint_colours(maps: tuple[torch.Tensor, torch.Tensor]) -> tuple[list[torch.Tensor], list[float]]:
    """Colours of two feature maps of the same clip.

    Args:
        maps: floating (S, h, w, C) each; steps, grids and channels may differ between the two.

    Returns:
        float32 (S, h, w, 3) in [0, 1] of each, and the share of each one's variance that the colours hold.
    """
    bases = [PrincipalComponents.fit(values) for values in maps]
    first, second = (_whiten(basis.transform(values)) for basis, values in zip(bases, maps, strict=True))
    second = second @ rotation_onto(_resample(second, first.shape[:3]), first)
    return [to_colours(first), to_colours(second)], [sum(basis.explained) for basis in bases]


def rotation_onto(scores: torch.Tensor, reference: torch.Tensor) -> torch.Tensor:
    """The orthogonal matrix (3, 3) that brings `scores` (..., 3), from the right, nearest to `reference`."""
    left, _, right = torch.linalg.svd(scores.reshape(-1, 3).T @ reference.reshape(-1, 3))
    return left @ right


def _whiten(scores: torch.Tensor) -> torch.Tensor:
    return scores / scores.reshape(-1, 3).std(0, correction=0).clamp_min(1e-12)


def _resample(scores: torch.Tensor, shape: torch.Size) -> torch.Tensor:
    """(S, h, w, 3) on another grid of steps, rows and columns."""
    if scores.shape[:3] == shape:
        return scores
    volume = scores.permute(3, 0, 1, 2)[None]
    return F.interpolate(volume, size=tuple(shape), mode="trilinear", align_corners=False)[0].permute(1, 2, 3, 0)
