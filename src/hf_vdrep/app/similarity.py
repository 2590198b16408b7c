# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Features packed small enough to travel, so that the page itself can compare any point with any other."""

from dataclasses import dataclass

import torch

_BYTES = 200_000


@dataclass(frozen=True)
class PackedFeatures:
    """Unit vectors of a clip as bytes; the dot product of two of them is their cosine similarity, to about 0.01.

    Attributes:
        values: int8 (N, K), N places in the order step, row, column.
        scales: float32 (N,); vector n is `values[n] * scales[n]`.
        grid: steps, rows and columns.
        kept: share of the variance in the K directions that were kept, in [0, 1].
    """

    values: torch.Tensor
    scales: torch.Tensor
    grid: tuple[int, int, int]
    kept: float

    def cosine(self, index: int) -> torch.Tensor:
        """Similarity of place `index` with every place: float32 (N,)."""
        vectors = self.values.float() * self.scales[:, None]
        return vectors @ vectors[index]


def pack(values: torch.Tensor, limit: int = _BYTES) -> PackedFeatures:
    """Features of a clip as unit vectors about their mean.

    The mean over the clip is taken off: it is the same everywhere, and would make all places alike.

    Args:
        values: floating (S, h, w, C).
        limit: bytes; where C directions do not fit, those of most variance are kept.
    """
    steps, height, width, channels = values.shape
    flat = values.reshape(-1, channels).double()
    flat = flat - flat.mean(0)
    kept = 1.0
    most = max(8, limit // len(flat))
    if channels > most:
        variances, axes = torch.linalg.eigh(flat.T @ flat)
        kept = float(variances[-most:].sum() / variances.sum().clamp_min(1e-30))
        flat = flat @ axes[:, -most:]
    unit = flat / flat.norm(dim=1, keepdim=True).clamp_min(1e-12)
    scales = unit.abs().amax(1).clamp_min(1e-12) / 127
    whole = (unit / scales[:, None]).round().to(torch.int8)
    return PackedFeatures(whole, scales.float(), (steps, height, width), kept)
