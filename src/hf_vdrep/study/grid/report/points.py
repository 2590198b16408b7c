# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""From rows to points with intervals, and to gains between the twins: what tables, figures and words are made of."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ....metrics.bootstrap import RESAMPLES, PairedComparison, paired_bootstrap
from ...compare.aggregate import GAIN_OF_ERRORS, GAIN_OF_SCORES
from ...compare.systems import TWINS
from ...paper_gains import paper_gain
from ..rows import StudyRow
from .per_sample import stacked
from .spread import Spread, spreads

# What two rows must share to be one point; the readouts' seeds are drawn from within it.
SETTINGS = ("layer", "timestep", "site", "reading", "frame_order", "train_size", "fraction", "training_seed")
_IDENTITY = ("study", "kind", "task", "twin", "metric", *SETTINGS)


@dataclass(frozen=True)
class Point:
    """A score with its 95 % interval over test clips and seeds.

    Attributes:
        study, task, twin, metric: what was measured; `twin` is a spec where it is none of the twins.
        settings: column -> value of everything that may vary within a study.
        value, low, high: in the metric's own unit; NaN bounds where there is nothing to resample.
        n: clips that count; `seeds`: readouts behind the value.
        higher_is_better, primary: of the metric.
        validation: the score that choices among readings are made by.
        other: what else the rows say.
    """

    study: str
    task: str
    twin: str
    metric: str
    settings: Mapping[str, Any]
    value: float
    low: float
    high: float
    n: int
    seeds: int
    higher_is_better: bool
    primary: bool
    num_layers: int | None = None
    parameters: int | None = None
    validation: float | None = None
    other: Mapping[str, Any] = field(default_factory=dict)

    @property
    def identity(self) -> tuple:
        """What no other point of its study shares."""
        return self.task, self.twin, self.metric, *self.settings.values()

    def at(self, axis: str) -> Any:
        """The point's place along an axis."""
        if axis == "backbone":
            return self.twin
        if axis == "parameters":
            return self.parameters
        return self.settings.get(axis)


@dataclass(frozen=True)
class StudyGain:
    """Gain of V-WALT over I-WALT at one setting, in per cent, positive where V-WALT is better.

    Attributes:
        form: the formula.
        paper: the published gain of the task's benchmark, None where there is none.
    """

    study: str
    task: str
    metric: str
    settings: Mapping[str, Any]
    form: str
    value: float
    low: float
    high: float
    paper: float | None

    @property
    def winner(self) -> str | None:
        """ "v-walt" or "i-walt" where the interval excludes 0, else None."""
        if self.low > 0:
            return "v-walt"
        return "i-walt" if self.high < 0 else None

    def at(self, axis: str) -> Any:
        """The gain's place along an axis."""
        return self.settings.get(axis)


@dataclass(frozen=True)
class Summary:
    """Everything that is shown of one analysis.

    Attributes:
        points, gains: as they are shown; `spreads`: only where there are several trainings.
        samples: per-sample values (seeds, samples) of points, for `paired`; `resamples`: of its bootstrap.
    """

    study: str
    points: tuple[Point, ...]
    gains: tuple[StudyGain, ...]
    spreads: tuple[Spread, ...] = ()
    samples: Mapping[tuple, np.ndarray] = field(default_factory=dict, repr=False, compare=False)
    resamples: int = 2000

    def paired(self, first: Point, second: Point) -> PairedComparison | None:
        """`second` against `first` on the same test clips; None where the rows keep no values, or of other clips."""
        one, other = (self.samples.get(point.identity) for point in (first, second))
        if one is None or other is None or one.shape[1] != other.shape[1]:
            return None
        return paired_bootstrap(one, other, resamples=self.resamples)

    @property
    def tasks(self) -> list[str]:
        """Tasks in the order of the table."""
        from ...compare.tasks import STUDY_TASKS

        found = {point.task for point in self.points}
        return [task for task in STUDY_TASKS if task in found] + sorted(found - set(STUDY_TASKS))

    @property
    def twins(self) -> list[str]:
        """Models, the twins last."""
        found = list(dict.fromkeys(point.twin for point in self.points))
        return [name for name in found if name not in TWINS] + [name for name in TWINS if name in found]

    def select(self, *, primary: bool = True, **wanted: Any) -> list[Point]:
        """Points of the primary metrics (or of all) with these values of `task`, `twin`, `metric` or a setting."""
        return [
            point
            for point in self.points
            if (point.primary or not primary)
            and all(
                (getattr(point, key) if key in ("task", "twin", "metric") else point.at(key)) == value
                for key, value in wanted.items()
            )
        ]

    def to_json(self) -> dict[str, Any]:
        """Plain mapping."""
        return {
            "study": self.study,
            "points": [_plain(point) for point in self.points],
            "gains": [{**_plain(gain), "winner": gain.winner} for gain in self.gains],
            **({"spreads": [dataclasses.asdict(spread) for spread in self.spreads]} if self.spreads else {}),
        }


def summarise(rows: Iterable[StudyRow], *, resamples: int | None = None, seed: int = 0) -> dict[str, Summary]:
    """Points and gains of every study, in the order of the rows.

    Args:
        rows: of any studies.
        resamples, seed: of the bootstrap; None is 2,000, and for a comparison as many as its own table takes, so that
            both say the same.

    Raises:
        ValueError: two rows of one readout, as when weights or settings changed between runs into one folder.
    """
    groups: dict[tuple, list[StudyRow]] = {}
    for row in rows:
        groups.setdefault(tuple(getattr(row, name) for name in _IDENTITY), []).append(row)
    studies: dict[str, list[list[StudyRow]]] = {}
    for group in groups.values():
        studies.setdefault(group[0].study, []).append(group)
    return {name: _summary(name, found, resamples, seed) for name, found in studies.items()}


def _summary(name: str, groups: Sequence[list[StudyRow]], resamples: int | None, seed: int) -> Summary:
    for group in groups:
        _check_alone(group)
    resamples = resamples or (RESAMPLES if groups[0][0].kind == "compare" else 2000)
    points = tuple(_point(group, resamples, seed) for group in groups)
    samples = {point.identity: stacked(group) for point, group in zip(points, groups, strict=True) if point.primary}
    gains = tuple(_gains(groups, resamples, seed))
    found = {identity: values for identity, values in samples.items() if values is not None}
    return Summary(name, points, gains, tuple(spreads(groups, resamples=resamples, seed=seed)), found, resamples)


def _check_alone(rows: Sequence[StudyRow]) -> None:
    """Seeds are averaged; the same seed twice is another measurement, and an average of both means nothing."""
    seen: dict[int | None, StudyRow] = {}
    for row in rows:
        other = seen.setdefault(row.seed, row)
        if other is not row:
            told = "; ".join(f"weights {one.revision[:12]}, {one.steps} steps" for one in (other, row))
            raise ValueError(
                f"rows must hold one measurement of each readout, got two of {row.twin} on {row.task} in the study"
                f" {row.study!r}, seed {row.seed} ({told}): measure changed weights or settings into a folder of their"
                " own"
            )


def _point(rows: list[StudyRow], resamples: int, seed: int) -> Point:
    first, other = rows[0], json.loads(rows[0].other)
    low, high = _interval(rows, other, resamples, seed)
    return Point(
        study=first.study,
        task=first.task,
        twin=first.twin,
        metric=first.metric,
        settings={name: getattr(first, name) for name in SETTINGS},
        value=float(np.mean([row.value for row in rows])),
        low=low,
        high=high,
        n=max(row.n for row in rows),
        seeds=len(rows),
        higher_is_better=first.higher_is_better,
        primary=first.primary,
        num_layers=first.num_layers,
        parameters=first.parameters,
        validation=_validation(rows),
        other=other,
    )


def _interval(rows: list[StudyRow], other: Mapping[str, Any], resamples: int, seed: int) -> tuple[float, float]:
    if "low" in other and "high" in other:
        return float(other["low"]), float(other["high"])
    values = stacked(rows)
    if values is None:
        return float("nan"), float("nan")
    if "pseudo_values" in other:
        # The mean of a jackknife's pseudo-values; its spread around the value is that of t with groups - 1.
        groups = values.shape[1]
        half = _T95.get(groups, 1.96) * float(values[0].std(ddof=1)) / np.sqrt(groups)
        return rows[0].value - half, rows[0].value + half
    found = paired_bootstrap(values, values, resamples=resamples, seed=seed).baseline
    return found.low, found.high


_T95 = {8: 2.365, 16: 2.131}  # two-sided 95 % quantiles of Student's t, by number of groups


def _gains(groups: Sequence[list[StudyRow]], resamples: int, seed: int) -> Iterable[StudyGain]:
    """Where both twins were measured at one setting; readings differ, for I-WALT alone has several."""
    sides: dict[tuple, dict[str, list[StudyRow]]] = {}
    for group in groups:
        first = group[0]
        if first.primary and first.twin in TWINS and first.kind in ("probe", "compare"):
            # Where each twin was given its own block and noise level by validation, they meet at none of them.
            apart = ("reading", "layer", "timestep") if first.kind == "compare" else ("reading",)
            place = tuple(getattr(first, name) for name in SETTINGS if name not in apart)
            pair = sides.setdefault((first.task, first.metric, *place), {})
            if first.twin not in pair or _better(group, pair[first.twin]):
                pair[first.twin] = group
    for pair in sides.values():
        if set(pair) == set(TWINS):
            found = _gain(pair["i-walt"], pair["v-walt"], resamples, seed)
            if found is not None:
                yield found


def _better(group: list[StudyRow], than: list[StudyRow]) -> bool:
    """Of two readings, by validation: the test clips choose nothing."""
    new, old = _validation(group), _validation(than)
    if new is None or old is None:
        return False
    return new > old if group[0].higher_is_better else new < old


def _validation(rows: list[StudyRow]) -> float | None:
    known = [row.validation for row in rows if row.validation is not None]
    return float(np.mean(known)) if known else None


def _gain(image: list[StudyRow], video: list[StudyRow], resamples: int, seed: int) -> StudyGain | None:
    baseline, candidate, first = stacked(image), stacked(video), video[0]
    if baseline is None or candidate is None or baseline.shape[1] != candidate.shape[1]:
        return None
    if {row.dataset for row in image} != {row.dataset for row in video}:
        return None  # clips of another world: nothing to pair
    found = paired_bootstrap(baseline, candidate, resamples=resamples, seed=seed)
    interval = found.gain if first.higher_is_better else found.error_reduction
    bounds = (interval.estimate, interval.low, interval.high)
    if not np.isfinite(bounds).all():
        return None
    # The paper measured trained models on clips as they are.
    as_published = first.frame_order in (None, "forward") and first.fraction in (None, 1.0)
    published = paper_gain(first.task) if as_published else None
    return StudyGain(
        study=first.study,
        task=first.task,
        metric=first.metric,
        settings={name: getattr(first, name) for name in SETTINGS},
        form=GAIN_OF_SCORES if first.higher_is_better else GAIN_OF_ERRORS,
        value=bounds[0],
        low=bounds[1],
        high=bounds[2],
        paper=published.gain if published else None,
    )


def _plain(entry: Point | StudyGain) -> dict[str, Any]:
    """JSON has no NaN; settings that do not apply are left out."""
    found = dataclasses.asdict(entry)
    found["settings"] = {name: value for name, value in found["settings"].items() if value is not None}
    return {key: None if isinstance(value, float) and not np.isfinite(value) else value for key, value in found.items()}
