# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Which readouts are trained, and which of them the validation split keeps."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence

from .config import CompareConfig
from .features import ExtractJob, extract_jobs
from .rows import ResultRow
from .setting import Setting
from .systems import SYSTEMS, TWINS
from .tasks import STUDY_TASKS
from .trials import Trial


def systems_of(config: CompareConfig) -> list[str]:
    """Systems with a readout, in table order."""
    return [system.key for system in SYSTEMS if system.key in (*config.floors, *TWINS)]


def search_trials(setting: Setting, task: str, system: str) -> list[Trial]:
    """All cells of a system on a task at the first learning rate, short and on fewer clips; the seed is the first."""
    config, probe = setting.config, STUDY_TASKS[task].probe
    steps = max(1, round(final_steps(setting, task) * config.search_steps))
    rows = min(config.search_train_size, config.train_size)
    rate = learning_rates(setting, task)[0]
    return [
        Trial(setting, task, system, reading, layer, timestep, rate, config.seed, steps, rows)
        for reading in setting.readings(system, probe.reads)
        for layer, timestep in setting.cells(system)
    ]


def rate_trials(chosen: Trial) -> list[Trial]:
    """All learning rates at a chosen cell."""
    rates = learning_rates(chosen.setting, chosen.task)
    return [dataclasses.replace(chosen, learning_rate=rate) for rate in rates]


def learning_rates(setting: Setting, task: str) -> tuple[float, ...]:
    """Rates that are tried; the first serves the search for the cell."""
    return tuple(setting.config.learning_rates) or STUDY_TASKS[task].probe.fit.learning_rates


def final_steps(setting: Setting, task: str) -> int:
    """Optimiser steps of a final readout."""
    return setting.config.steps.get(task, STUDY_TASKS[task].probe.fit.steps)


def choose(trials: Sequence[Trial], rows: Mapping[str, ResultRow]) -> Trial:
    """The trial with the best validation score; the first of equals. A lone trial needs no score.

    Raises:
        ValueError: no trial has a score that is a number.
    """
    if len(trials) == 1:
        return trials[0]
    probe = trials[0].study_task.probe
    sign = 1 if probe.higher_is_better else -1
    scored = [(sign * rows[trial.key("validation")].value, trial) for trial in trials]
    scored = [(value, trial) for value, trial in scored if value == value]
    if not scored:
        raise ValueError(
            f"every readout of {trials[0].system} on {trials[0].task} failed: no validation score is a number"
        )
    return max(scored, key=lambda pair: pair[0])[1]


def final_trials(chosen: Trial) -> list[Trial]:
    """The chosen cell at full length on all training clips, once per readout seed."""
    config = chosen.setting.config
    count = config.seeds if chosen.system in TWINS else config.floor_seeds
    steps, rows = final_steps(chosen.setting, chosen.task), config.train_size
    return [
        dataclasses.replace(chosen, seed=config.seed + place, steps=steps, train_rows=rows) for place in range(count)
    ]


def features_for(trials: Iterable[Trial], split: str, rows: int | None = None) -> list[ExtractJob]:
    """Extractions that trials need on a split, grouped so that one pass serves all blocks and noise levels.

    Args:
        trials: what will be trained or tested.
        split: of which clips.
        rows: how many; all training clips of each trial where None.
    """
    wanted: dict[tuple, set[tuple[int, int | None]]] = {}
    sources = {}
    for trial in trials:
        count = trial.train_rows if rows is None else rows
        key = (trial.system, trial.reading, trial.source.reads, count)
        sources[key] = trial
        wanted.setdefault(key, set()).add((trial.layer, trial.timestep))
    jobs = []
    for key, cells in wanted.items():
        trial = sources[key]
        for timesteps in _together(cells):
            layers = sorted({layer for layer, timestep in cells if timestep in timesteps})
            jobs += extract_jobs(trial.setting, trial.source, trial.setting.split(split), key[-1], layers, timesteps)
    return jobs


def _together(cells: set[tuple[int, int | None]]) -> list[list[int | None]]:
    """Noise levels grouped by the blocks they are wanted at, so that no cell is made that nobody reads."""
    groups: dict[tuple[int, ...], list[int | None]] = {}
    for timestep in sorted({timestep for _, timestep in cells}, key=lambda level: -1 if level is None else level):
        layers = tuple(sorted(layer for layer, level in cells if level == timestep))
        groups.setdefault(layers, []).append(timestep)
    return list(groups.values())


def in_stages(jobs: Sequence[ExtractJob]) -> list[list[ExtractJob]]:
    """The clips' latents first, since they feed other models; then the rest, the costly before the cheap."""
    first = [job for job in jobs if job.source.system == "latents" and job.source.reads == "clip"]
    rest = [job for job in jobs if job not in first]
    rest.sort(
        key=lambda job: (job.source.reads == "clip", job.timesteps[0] is not None, len(job.timesteps)), reverse=True
    )
    return [stage for stage in (first, rest) if stage]
