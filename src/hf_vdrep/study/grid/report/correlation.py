# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""How probe scores follow generation quality along the checkpoints."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from . import labels
from .points import Point, Summary
from .table import Table

_LEAST = 4  # checkpoints, below which a rank correlation says nothing


@dataclass(frozen=True)
class Correlation:
    """Rank correlation of a task's score with a measure of quality, over the checkpoints of one twin.

    Positive: the better the generator, the better the features, whatever the directions of the two metrics.

    Attributes:
        value: Spearman's rho; `low`, `high`: its 95 % interval, by a bootstrap over the checkpoints and, within each,
            over the intervals of score and quality.
        checkpoints: how many.
    """

    task: str
    twin: str
    measure: str
    value: float
    low: float
    high: float
    checkpoints: int


def correlations(
    quality: Summary, probes: Summary, *, measures: Sequence[str] = (), resamples: int = 2000, seed: int = 0
) -> list[Correlation]:
    """One for each task, twin and measure with enough checkpoints.

    Args:
        quality: analysis of the kind "quality" over checkpoints.
        probes: analysis of probe scores over the same checkpoints.
        measures: metrics of `quality`; all of them where empty.
        resamples, seed: of the bootstrap.
    """
    measures = list(measures) or list(dict.fromkeys(p.metric for p in quality.points))
    found = []
    for task in probes.tasks:
        for twin in probes.twins:
            scores = _along(probes.select(task=task, twin=twin))
            for measure in measures:
                goods = _along(quality.select(primary=False, twin=twin, metric=measure))
                shared = sorted(set(scores) & set(goods))
                if len(shared) >= _LEAST:
                    pairs = [(scores[place], goods[place]) for place in shared]
                    value, low, high = rank_correlation(pairs, resamples=resamples, seed=seed)
                    found.append(Correlation(task, twin, measure, value, low, high, len(shared)))
    return found


def rank_correlation(
    pairs: Sequence[tuple[Point, Point]], *, resamples: int = 2000, seed: int = 0
) -> tuple[float, float, float]:
    """Spearman's rho of (score, quality) pairs with its interval, each turned so that more is better."""
    rng = np.random.default_rng(seed)
    turned = [[(1 if p.higher_is_better else -1) * p.value for p in column] for column in zip(*pairs, strict=True)]
    first, second = (np.array(column) for column in turned)
    spreads = [np.array([_spread(point) for point in column]) for column in zip(*pairs, strict=True)]
    drawn = []
    for _ in range(resamples):
        rows = rng.integers(0, len(pairs), len(pairs))
        if len(set(rows.tolist())) < 3:
            continue
        noisy = [
            values[rows] + spread[rows] * rng.standard_normal(len(rows))
            for values, spread in zip((first, second), spreads, strict=True)
        ]
        drawn.append(spearman(*noisy))
    kept = np.array([value for value in drawn if np.isfinite(value)])
    low, high = np.percentile(kept, [2.5, 97.5]) if len(kept) else (float("nan"), float("nan"))
    return spearman(first, second), float(low), float(high)


def spearman(first: np.ndarray, second: np.ndarray) -> float:
    """Pearson's correlation of the ranks, ties sharing their mean rank; NaN where one side is constant."""
    ranks = [_ranks(np.asarray(values)) for values in (first, second)]
    centred = [values - values.mean() for values in ranks]
    scale = np.sqrt((centred[0] ** 2).sum() * (centred[1] ** 2).sum())
    return float(centred[0] @ centred[1] / scale) if scale > 0 else float("nan")


def table_of(found: Sequence[Correlation]) -> Table:
    """One row per task and twin, a column per measure."""
    measures = list(dict.fromkeys(c.measure for c in found))
    rows: dict[tuple[str, str], dict[str, Correlation]] = {}
    for c in found:
        rows.setdefault((c.task, c.twin), {})[c.measure] = c
    head = ("task", "twin", *(labels.metric_words(measure) for measure in measures))
    body = [
        (labels.task_title(task), labels.system_label(twin), *(_words(cells.get(m)) for m in measures))
        for (task, twin), cells in rows.items()
    ]
    return Table(head, tuple(body), words=2)


def sentences(found: Sequence[Correlation]) -> list[str]:
    """For every measure, how often the score rises with quality beyond doubt, falls, or neither."""
    lines = []
    for measure in dict.fromkeys(c.measure for c in found):
        known = [c for c in found if c.measure == measure and np.isfinite([c.value, c.low, c.high]).all()]
        if measure.endswith(("v_loss", "frechet_distance")) and known:
            up, down = sum(c.low > 0 for c in known), sum(c.high < 0 for c in known)
            counts = sorted({c.checkpoints for c in known})
            held = len(known) - up - down
            lines.append(
                f"Over {' or '.join(map(str, counts))} checkpoints of one training, the rank correlation of probe score"
                f" and quality by {labels.metric_words(measure)} is above 0 in {up} of {len(known)} curves of a task"
                f" and twin, below 0 in {down}; in {held} its interval holds 0."
            )
    return lines


def _words(found: Correlation | None) -> str:
    if found is None or not np.isfinite([found.value, found.low, found.high]).all():
        return "–"
    return f"{found.value:+.2f} [{found.low:+.2f}, {found.high:+.2f}]".replace("-", "−")


def _along(points: Sequence[Point]) -> Mapping[Any, Point]:
    return {p.settings["fraction"]: p for p in points if p.settings["fraction"] is not None}


def _spread(point: Point) -> float:
    width = (point.high - point.low) / 3.92
    return width if np.isfinite(width) else 0.0


def _ranks(values: np.ndarray) -> np.ndarray:
    below = (values[:, None] > values[None]).sum(1)
    ties = (values[:, None] == values[None]).sum(1)
    return below + (ties - 1) / 2
