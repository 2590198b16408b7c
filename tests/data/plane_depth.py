# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Depth between the pixels of a depth map, where the surface is a plane."""

import numpy as np


def plane_depth(sample: dict, t: int, place: np.ndarray) -> float | None:
    """Depth at a sub-pixel place by interpolating inverse depth, exact on a plane; None where it is no plane."""
    side = sample["depth"].shape[-1]
    at = place * side - 0.5
    column, row = np.floor(at).astype(int)
    if not (1 <= column < side - 2 and 1 <= row < side - 2):
        return None
    window = slice(row - 1, row + 3), slice(column - 1, column + 3)
    inverse = 1.0 / sample["depth"][t].double().numpy()[window]
    if len(np.unique(sample["instance"][t].numpy()[window])) > 1:
        return None
    if max(np.abs(np.diff(inverse, 2, axis=axis)).max() for axis in (0, 1)) > 1e-5:
        return None
    fx, fy = at - [column, row]
    top = inverse[1, 1] * (1 - fx) + inverse[1, 2] * fx
    bottom = inverse[2, 1] * (1 - fx) + inverse[2, 2] * fx
    return 1.0 / (top * (1 - fy) + bottom * fy)
