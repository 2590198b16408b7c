# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Do networks that know the world find it in generated clips? Their readings of generated clips beside real ones."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from .embedding import embed
from .readings import AgreementReadings, Readings, ReferenceReadings
from .sets import ClipSet

RESAMPLES = 2000


def consistency(
    generated: ClipSet,
    real: ClipSet,
    kind: str = "video",
    *,
    twins: Sequence[str] = ("i-walt", "v-walt"),
    cache_dir: str | Path | None = None,
    progress: Callable[[int], object] | None = None,
    seed: int = 0,
) -> dict[str, Any]:
    """Readings of both sets and their difference, with 95 % bootstrap intervals.

    Args:
        generated: images, or clips of 17 frames of 64 x 64 pixels, what the reference was trained on.
        real: likewise.
        kind: "image" or "video".
        twins: whose trained readouts are held against the reference; videos only.
        cache_dir: keeps readings; None keeps nothing.
        progress: called with the number of clips done.
        seed: of the bootstrap.

    Returns:
        Measure -> {"generated", "real", "difference"}, each {"value", "low", "high"}. Measures are the columns of
        `ReferenceReadings` and, as `TWIN.TASK.agree` and `TWIN.TASK.gap`, of `AgreementReadings`, and for each task of
        classes `TASK.diversity`: the mutual information of clip and class over the logarithm of the number of classes,
        1 where every clip is surely of one class and all classes are equally frequent, 0 where all clips look alike.
    """
    networks: list[tuple[str, Readings]] = [("", ReferenceReadings(kind))]
    if kind == "video":
        networks += [(f"{twin}.", AgreementReadings(twin)) for twin in twins]
    rng = np.random.default_rng(seed)
    found: dict[str, Any] = {}
    for prefix, network in networks:
        sides = [
            network.named(torch.from_numpy(embed(side, network, cache_dir=cache_dir, progress=progress)))
            for side in (generated, real)
        ]
        for name in network.columns:
            if ".p" not in name:
                columns = [side[name].double().numpy() for side in sides]
                found[prefix + name] = _compared(columns, _mean, rng)
        for task in getattr(network, "tasks", ()) if not prefix else ():
            columns = [
                np.stack([side[n].double().numpy() for n in side if n.startswith(f"{task}.p")], 1) for side in sides
            ]
            found[f"{task}.diversity"] = _compared(columns, diversity, rng)
    return found


def _probabilities(columns: dict[str, torch.Tensor], task: str) -> np.ndarray:
    return np.stack([column.double().numpy() for name, column in columns.items() if name.startswith(f"{task}.p")], 1)


def diversity(probabilities: np.ndarray) -> float:
    """Mutual information of sample and class, of (N, K) probabilities, over log K: in [0, 1]."""
    clipped = probabilities.clip(1e-12)
    marginal = clipped.mean(0)
    information = -(marginal * np.log(marginal)).sum() + (clipped * np.log(clipped)).sum(1).mean()
    return float(max(0.0, information) / math.log(probabilities.shape[1]))


def _mean(values: np.ndarray) -> float:
    kept = values[~np.isnan(values)]
    return float(kept.mean()) if len(kept) else math.nan


def _compared(
    columns: list[np.ndarray], statistic: Callable[[np.ndarray], float], rng: np.random.Generator
) -> dict[str, dict[str, float]]:
    """The statistic of both sides and their difference; each side is resampled by itself."""
    drawn = [
        np.array([statistic(side[rng.integers(len(side), size=len(side))]) for _ in range(RESAMPLES)])
        for side in columns
    ]
    values = [statistic(side) for side in columns]
    rows = [(values[0], drawn[0]), (values[1], drawn[1]), (values[0] - values[1], drawn[0] - drawn[1])]
    return {
        name: {"value": value, "low": float(low), "high": float(high)}
        for name, (value, spread) in zip(("generated", "real", "difference"), rows, strict=True)
        for low, high in [np.nanquantile(spread, [0.025, 0.975])]
    }
