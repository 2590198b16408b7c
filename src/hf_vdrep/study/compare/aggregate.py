# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""From rows to the table: means, intervals, gains."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from ...metrics.bootstrap import Interval, paired_bootstrap
from .plan import systems_of
from .results import CompareResults, Gain, Score, SystemResult, TaskResult
from .rows import ResultRow, config_hash, package_versions
from .setting import Setting
from .systems import TWINS
from .tasks import STUDY_TASKS
from .trials import Trial

GAIN_OF_SCORES = "100·(V/I − 1)"
GAIN_OF_ERRORS = "100·(1 − V/I)"
OTHER_GAIN_OF_ERRORS = "100·(I/V − 1)"


def summarise(
    setting: Setting,
    tested: Mapping[tuple[str, str], Sequence[ResultRow]],
    chosen: Mapping[tuple[str, str], Trial],
    validated: Mapping[tuple[str, str], float],
    sweeps: Mapping[str, Sequence[ResultRow]],
) -> CompareResults:
    """Build the results.

    Args:
        setting: of the comparison.
        tested: (task, system) -> rows on the test split, one per readout seed.
        chosen: (task, system) -> the cell that validation kept; absent for the reference.
        validated: (task, system) -> validation score of the final readouts.
        sweeps: task -> rows of the search.
    """
    config = setting.config
    tasks = []
    for name in config.tasks:
        systems = [
            _system(setting, rows, chosen.get((name, system)), validated.get((name, system)))
            for (task, system), rows in tested.items()
            if task == name
        ]
        tasks.append(_task(setting, name, systems, tested, sweeps.get(name, ())))
    revisions = {system: setting.backbone(system).fingerprint for system in systems_of(config)}
    if config.reference:
        revisions["reference"] = tested[config.tasks[0], "reference"][0].revision
    settings = config.deciding()
    world = setting.split("train").data_key
    return CompareResults(
        tasks=tuple(tasks),
        config=settings,
        config_hash=config_hash({**settings, "revisions": revisions, "world": world}),
        revisions={key: value[:12] for key, value in revisions.items()},
        versions=package_versions(),
    )


def _task(
    setting: Setting,
    name: str,
    systems: list[SystemResult],
    tested: Mapping[tuple[str, str], Sequence[ResultRow]],
    sweep: Sequence[ResultRow],
) -> TaskResult:
    study_task = STUDY_TASKS[name]
    higher = study_task.probe.higher_is_better
    gains: tuple[Gain | None, Gain | None] = (None, None)
    if all((name, twin) in tested for twin in TWINS):
        image, video = (_values(tested[name, twin]) for twin in TWINS)
        gains = relative_gains(image, video, higher, setting)
    return TaskResult(
        task=name,
        title=study_task.title,
        metric=study_task.metric,
        higher_is_better=higher,
        percent=study_task.percent,
        clips=max(row.n for (task, _), rows in tested.items() if task == name for row in rows),
        systems=tuple(systems),
        gain=gains[0],
        other_gain=gains[1],
        sweep=tuple(
            {
                "system": row.backbone,
                "reading": row.reading,
                "layer": row.layer,
                "timestep": row.timestep,
                "learning_rate": row.learning_rate,
                "value": row.value,
            }
            for row in sweep
        ),
    )


def relative_gains(
    image: np.ndarray, video: np.ndarray, higher_is_better: bool, setting: Setting
) -> tuple[Gain | None, Gain | None]:
    """The gain that the table shows and, for errors, the other form.

    Args:
        image: per-sample values (seeds, N) of I-WALT.
        video: likewise of V-WALT, on the same samples.
        higher_is_better: direction of the metric.
        setting: gives resamples and seed.
    """
    found = paired_bootstrap(image, video, resamples=setting.config.resamples, seed=setting.config.seed)
    if higher_is_better:
        return _gain(GAIN_OF_SCORES, found.gain), None
    return _gain(GAIN_OF_ERRORS, found.error_reduction), _gain(OTHER_GAIN_OF_ERRORS, found.error_gain)


def _gain(form: str, interval: Interval) -> Gain | None:
    """None where I-WALT's score is 0, in the data or in a resample: no ratio to it means anything."""
    bounds = (float(interval.estimate), float(interval.low), float(interval.high))
    return Gain(form, *bounds) if np.isfinite(bounds).all() else None


def _system(
    setting: Setting, rows: Sequence[ResultRow], chosen: Trial | None, validation: float | None
) -> SystemResult:
    row = rows[0]
    backbone = setting.backbone(row.backbone, row.reading) if chosen else None
    return SystemResult(
        system=row.backbone,
        score=_score(rows, setting),
        seeds=tuple(r.seed for r in rows if r.seed is not None),
        layer=row.layer,
        num_layers=backbone.num_layers if backbone and row.layer is not None else None,
        timestep=row.timestep,
        reading=row.reading,
        learning_rate=row.learning_rate,
        validation=validation,
        secondary={
            name: float(np.nanmean([np.nanmean(r.per_sample[name]) for r in rows]))
            for name in sorted(row.per_sample)
            if name != row.metric
        },
    )


def _score(rows: Sequence[ResultRow], setting: Setting) -> Score:
    values = _values(rows)
    found = paired_bootstrap(values, values, resamples=setting.config.resamples, seed=setting.config.seed).baseline
    return Score(found.estimate, found.low, found.high)


def _values(rows: Sequence[ResultRow]) -> np.ndarray:
    return np.stack([row.per_sample[row.metric] for row in rows])
