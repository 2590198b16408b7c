# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Procedural surface patterns: a function of a point in pattern coordinates, in [0, 1], built from smooth waves."""

from __future__ import annotations

import torch
from torch import Tensor

from .vocabulary import PATTERN_NAMES

_INDEX = {name: index for index, name in enumerate(PATTERN_NAMES)}


def wave(u: Tensor) -> Tensor:
    """A smooth wave of period 1 between 0 (half-integers) and 1 (integers); no trigonometry, so it rounds alike."""
    t = (2.0 * (u - u.floor()) - 1.0).abs()
    return t * t * (3.0 - 2.0 * t)


def mix(pattern: Tensor, u: Tensor, v: Tensor, w: Tensor) -> Tensor:
    """How far each point leans to the second colour.

    Args:
        pattern: index into `PATTERN_NAMES` (any dtype), per point; solids and photographs give 0.
        u, v, w: pattern coordinates.
    """
    a, b, c = wave(u), wave(v), wave(w)
    out = torch.zeros_like(u)
    out = torch.where(pattern == _INDEX["stripes"], ((a - 0.5) * 4.0 + 0.5).clamp(0.0, 1.0), out)
    square = [((s - 0.5) * 4.0).clamp(-1.0, 1.0) for s in (a, b, c)]
    out = torch.where(pattern == _INDEX["checker"], 0.5 + 0.5 * square[0] * square[1] * square[2], out)
    dots = (((a + b + c) - 1.95) * 4.0 + 0.5).clamp(0.0, 1.0)
    out = torch.where(pattern == _INDEX["dots"], dots, out)
    cloud = wave(u + 0.9 * b) + wave(v + 0.8 * c) + wave(w + 0.7 * a)
    out = torch.where(pattern == _INDEX["noise"], ((cloud - 1.5) * 1.3 + 0.5).clamp(0.0, 1.0), out)
    return torch.where(pattern == _INDEX["gradient"], a, out)
