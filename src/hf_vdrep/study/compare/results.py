# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""What a comparison finds, as plain data: one entry per task, JSON in and out."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

from ..paper_gains import paper_gain


@dataclass(frozen=True)
class Score:
    """A test score and its 95 % interval, in the metric's own unit (shares in [0, 1] for scores)."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class SystemResult:
    """One column of the table: a system's score on the test split, and what was chosen for it on validation.

    Attributes:
        system: key, see `systems.SYSTEMS`.
        score: primary metric over test clips and readout seeds.
        seeds: readout seeds behind the score; empty where nothing is trained.
        layer: block index, None where the system has no blocks.
        num_layers: blocks of the backbone, None likewise.
        timestep: noise level, None where none is added.
        reading: how a video reached the backbone, None where there is one way only.
        learning_rate: of the readout, None where nothing is trained.
        validation: the primary metric on validation at the chosen cell, None where nothing was chosen.
        secondary: other metrics on the test split, means over clips and seeds.
    """

    system: str
    score: Score
    seeds: tuple[int, ...] = ()
    layer: int | None = None
    num_layers: int | None = None
    timestep: int | None = None
    reading: str | None = None
    learning_rate: float | None = None
    validation: float | None = None
    secondary: dict[str, float] = dataclasses.field(default_factory=dict)


@dataclass(frozen=True)
class Gain:
    """Relative gain of V-WALT over I-WALT in per cent, with its paired 95 % interval; positive is better.

    Attributes:
        form: the formula, with V and I the two scores.
    """

    form: str
    value: float
    low: float
    high: float

    @property
    def winner(self) -> str | None:
        """ "v-walt" or "i-walt" where the interval excludes 0, else None."""
        if self.low > 0:
            return "v-walt"
        return "i-walt" if self.high < 0 else None


@dataclass(frozen=True)
class TaskResult:
    """One row of the table.

    Attributes:
        task, title, metric: keys and name of the task and its primary metric.
        higher_is_better: direction of the metric.
        percent: whether the metric is a share, shown as a percentage.
        clips: test clips that count.
        systems: in table order.
        gain: the form that the table shows; None unless both twins took part and I-WALT's score is not 0.
        other_gain: for error metrics, the form that it does not show.
        sweep: validation scores of every cell tried, one mapping per cell.
    """

    task: str
    title: str
    metric: str
    higher_is_better: bool
    percent: bool
    clips: int
    systems: tuple[SystemResult, ...]
    gain: Gain | None = None
    other_gain: Gain | None = None
    sweep: tuple[dict[str, Any], ...] = ()

    def system(self, key: str) -> SystemResult | None:
        """The column of that key, None if it took no part."""
        return next((entry for entry in self.systems if entry.system == key), None)


@dataclass(frozen=True)
class CompareResults:
    """Everything that the table, the figure and the report are drawn from.

    Attributes:
        tasks: in the order asked for.
        config: the settings that decide the figures (no paths, no worker count).
        config_hash: of `config` and the backbones' fingerprints.
        revisions: system key -> fingerprint of its weights.
        versions: package -> version.
    """

    tasks: tuple[TaskResult, ...]
    config: dict[str, Any]
    config_hash: str
    revisions: dict[str, str]
    versions: dict[str, str]

    def to_json(self) -> dict[str, Any]:
        """Plain mapping; equal runs give equal mappings, so no times and no paths stand in it."""
        found = dataclasses.asdict(self)
        for task, entry in zip(self.tasks, found["tasks"], strict=True):
            entry["winner"] = task.gain.winner if task.gain else None
            published = paper_gain(task.task)
            entry["paper"] = dataclasses.asdict(published) if published else None
        return found

    def counts(self) -> dict[str, int]:
        """How many tasks each twin wins, and how many are undecided."""
        winners = [task.gain.winner for task in self.tasks if task.gain]
        return {
            "v-walt": winners.count("v-walt"),
            "i-walt": winners.count("i-walt"),
            "undecided": winners.count(None),
        }
