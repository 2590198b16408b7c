# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""How far scores move between trainings of one model, beside how far the clips alone let them move."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from ....metrics.bootstrap import paired_bootstrap
from ..rows import StudyRow
from .per_sample import stacked

# Whatever else a point's identity holds must be the same in both trainings.
_SAME = ("task", "twin", "metric", "layer", "timestep", "site", "reading", "frame_order", "train_size", "fraction")


@dataclass(frozen=True)
class Spread:
    """Score of a later training minus that of the first, on the same clips.

    Attributes:
        task, twin, metric: what was measured.
        first, later: seeds of the trainings.
        difference, low, high: in the metric's own unit, with the paired 95 % interval over clips and readout seeds.
        half_width: of the interval that one training's score has by itself, mean of the two.
    """

    task: str
    twin: str
    metric: str
    first: int
    later: int
    difference: float
    low: float
    high: float
    half_width: float

    @property
    def exceeds(self) -> bool:
        """Whether the trainings lie further apart than the interval of one of them reaches."""
        return abs(self.difference) > self.half_width

    @property
    def decided(self) -> bool:
        """Whether the clips set the trainings apart: the interval of their difference excludes 0."""
        return self.low > 0 or self.high < 0


def spreads(groups: Iterable[Sequence[StudyRow]], *, resamples: int = 2000, seed: int = 0) -> Iterator[Spread]:
    """One for each training after the first, of primary metrics measured at the same setting.

    Args:
        groups: rows of one point each, as many as there are seeds of its readout.
        resamples, seed: of the bootstrap.
    """
    places: dict[tuple, list[Sequence[StudyRow]]] = {}
    for group in groups:
        if group[0].primary and group[0].training_seed is not None:
            places.setdefault(tuple(getattr(group[0], name) for name in _SAME), []).append(group)
    for found in places.values():
        first, *others = sorted(found, key=lambda group: group[0].training_seed or 0)
        for other in others:
            spread = _spread(first, other, resamples, seed)
            if spread is not None:
                yield spread


def _spread(first: Sequence[StudyRow], later: Sequence[StudyRow], resamples: int, seed: int) -> Spread | None:
    baseline, candidate, row = stacked(first), stacked(later), first[0]
    if baseline is None or candidate is None or baseline.shape[1] != candidate.shape[1]:
        return None
    found = paired_bootstrap(baseline, candidate, resamples=resamples, seed=seed)
    sides = (found.baseline, found.candidate)
    return Spread(
        task=row.task,
        twin=row.twin,
        metric=row.metric,
        first=row.training_seed or 0,
        later=later[0].training_seed or 0,
        difference=found.difference.estimate,
        low=found.difference.low,
        high=found.difference.high,
        half_width=sum((side.high - side.low) / 2 for side in sides) / 2,
    )
