# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""What happens to colours on their way to the pixels: supersampled edges on request, then a soft lens."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from .config import ProbeWorldConfig
from .packing import Packed
from .passes import list_pass, put

# Three samples around the centre, which is known already: four levels at any edge's slope.
_SUBPIXELS = ((-0.1, -0.36), (0.36, 0.08), (-0.26, 0.28))


def _edges(colour: Tensor, side: int, threshold: float) -> Tensor:
    """Flat indices of pixels that differ from a neighbour by more than `threshold` in some channel."""
    image = colour.reshape(3, -1, side, side)
    flags = torch.zeros_like(image[0], dtype=torch.bool)
    across = ((image[..., 1:] - image[..., :-1]).abs() > threshold).any(0)
    down = ((image[..., 1:, :] - image[..., :-1, :]).abs() > threshold).any(0)
    flags[..., 1:] |= across
    flags[..., :-1] |= across
    flags[..., 1:, :] |= down
    flags[..., :-1, :] |= down
    return flags.reshape(-1).nonzero().squeeze(1)


def antialias(packed: Packed, colour: Tensor, config: ProbeWorldConfig, axis: Tensor, texels: Sequence[Tensor]) -> None:
    """Replace the colour of edge pixels by the mean of their centre's and three more rays, in place."""
    side = config.resolution
    flagged = _edges(colour, side, config.antialias)
    if len(flagged) == 0:
        return
    row = torch.div(flagged, side, rounding_mode="floor")
    frame = torch.div(row, side, rounding_mode="floor")
    offsets = axis.new_tensor(_SUBPIXELS) / (config.focal * side)
    x = (axis.index_select(0, flagged - row * side) + offsets[:, :1]).reshape(-1)
    y = (axis.index_select(0, row - frame * side) + offsets[:, 1:]).reshape(-1)
    fine = list_pass(packed, frame.int().repeat(3), x, y, texels).clamp_(0.0, 1.0).reshape(3, 3, -1)
    centre = colour.index_select(1, flagged).clamp_(0.0, 1.0)
    put(colour, flagged, ((centre + fine[:, 0]) + (fine[:, 1] + fine[:, 2])) * 0.25)


def soften(image: Tensor, weight: float) -> Tensor:
    """The lens: every pixel takes `weight` of each neighbour, along both axes; (3, N, H, W), edges repeated.

    Sums of two shifted planes, not a convolution, so that it rounds alike everywhere.
    """
    if not weight:
        return image
    for axis in (2, 3):
        side = image.shape[axis]
        before = torch.cat([image.narrow(axis, 0, 1), image.narrow(axis, 0, side - 1)], axis)
        after = torch.cat([image.narrow(axis, 1, side - 1), image.narrow(axis, side - 1, 1)], axis)
        image = image * (1.0 - 2.0 * weight) + (before + after) * weight
    return image
