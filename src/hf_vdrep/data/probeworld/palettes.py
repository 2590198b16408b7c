# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Colour palettes: one room, six object colours each. Chosen by eye, so that every clip is pleasant to look at."""

from __future__ import annotations

import dataclasses

import numpy as np


@dataclasses.dataclass(frozen=True)
class Palette:
    """Colours as '#rrggbb'; `objects` all stand out against `wall` and `floor`."""

    wall: str
    side: str
    floor: str
    objects: tuple[str, ...]


PALETTES: tuple[Palette, ...] = (
    Palette("#e6dccb", "#d8cbb6", "#b08d6a", ("#c8412f", "#1f6f78", "#25406b", "#d98e04", "#5b3a6e", "#2f7d46")),
    Palette("#bcd3da", "#a7c3cd", "#8a7a68", ("#e4572e", "#7b2d43", "#f2b134", "#17324d", "#2b8a5a", "#fbf3e4")),
    Palette("#d8c3c0", "#c9afae", "#7f6f77", ("#8c1c3a", "#1b5e6b", "#2e2f5b", "#f0a202", "#3c7a3f", "#fdf6ec")),
    Palette("#c4cfae", "#b2bf9a", "#9c7c58", ("#b3391f", "#2a3c7a", "#6d2f6f", "#f4d35e", "#0f6b5e", "#fff4df")),
    Palette("#3f4a63", "#364058", "#5d5b66", ("#ff7f50", "#ffd166", "#5bd1c4", "#f25f7a", "#e9e4d4", "#9ad14b")),
    Palette("#4f6d66", "#456058", "#6f5d4c", ("#ffb347", "#ff6f61", "#f6e7c8", "#8fd3e8", "#e86fb0", "#c6e05a")),
    Palette("#e9cf9f", "#dcbd88", "#8d6a54", ("#a4243b", "#23577f", "#2f6b3c", "#5a2a6b", "#e4602a", "#12343b")),
    Palette("#c9c5dc", "#b8b3cf", "#77708a", ("#d1495b", "#1d3f72", "#edae49", "#12664f", "#7a1f5c", "#fff7e8")),
    Palette("#6a4f5c", "#5d4450", "#83705f", ("#f4a259", "#5ec3b2", "#f7d9c4", "#8fb8ff", "#ff6b7d", "#cfe37c")),
    Palette("#d9d9d6", "#c7c8c6", "#7c868c", ("#d7263d", "#1b998b", "#2e294e", "#f46036", "#1f6fb2", "#e0a800")),
)


def rgb(code: str) -> np.ndarray:
    """'#rrggbb' as float64 (3,) in [0, 1]."""
    return np.array([int(code[i : i + 2], 16) for i in (1, 3, 5)], dtype=np.float64) / 255.0
