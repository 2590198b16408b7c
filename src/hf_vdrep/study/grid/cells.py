# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""From a config to the cells of its grid."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from ..compare.config import DEMO_STEPS
from ..compare.tasks import STUDY_TASKS, StudyTask
from .config import CHOSEN, StudyConfig
from .systems import checkpoint_specs, finished_training, open_system, reads_images

Reads = Literal["clip", "image"]
# A readout of the grid only has to rank settings; compare trains those that are reported as such.
_SHARE = 0.5


@dataclass(frozen=True)
class Source:
    """What one pass over the clips serves: a model at one noise level, shown clips or single frames.

    Attributes:
        backbone: spec.
        reading: how a clip reaches it, None for its own way.
        site: place in the block.
        timestep: noise level, None where the model takes none.
        reads: "clip" or "image".
    """

    backbone: str
    reading: str | None
    site: str
    timestep: int | None
    reads: Reads


@dataclass(frozen=True)
class Cell:
    """One readout to train, and the frame orders to test it on.

    Attributes:
        source: of the features; `layer`: block index.
        task: of the ten.
        train_size, seed, steps, learning_rates: of the readout's training.
        frame_orders: of the test clips.
    """

    source: Source
    layer: int
    task: str
    train_size: int
    seed: int
    steps: int
    learning_rates: tuple[float, ...]
    frame_orders: tuple[str, ...]

    @property
    def study_task(self) -> StudyTask:
        return STUDY_TASKS[self.task]


@dataclass(frozen=True)
class Skipped:
    """A model that could not be opened, and why."""

    backbone: str
    reason: str


def expand(config: StudyConfig, chosen: Mapping[str, str] | None = None) -> tuple[list[Cell], list[Skipped]]:
    """All cells of a probe grid, each once, and the models that had to be left out.

    Args:
        config: the analysis.
        chosen: task -> reading of I-WALT that validation kept in the main comparison.
    """
    cells: dict[Cell, None] = {}
    skipped = missing_trainings(config)
    if skipped:
        return [], skipped  # trainings are compared with each other: without one of them there is nothing to say
    for spec in specs_of(config):
        try:
            found = _cells_of(config, spec, chosen or {})
        except (OSError, ValueError, ImportError) as error:
            skipped.append(Skipped(spec, " ".join(str(error).split())[:300]))
            continue
        cells |= dict.fromkeys(found)
    return list(cells), skipped


def specs_of(config: StudyConfig) -> list[str]:
    """Models of a grid; with `checkpoints` or `training_seeds`, those of each shipped twin in its place.

    Raises:
        ValueError: a training whose last weights are not there.
    """
    if config.training_seeds:
        return [finished_training(name, seed) for name in config.backbones for seed in config.training_seeds]
    if not config.checkpoints:
        return list(config.backbones)
    return [spec for name in config.backbones for spec in (checkpoint_specs(name) or [name])]


def missing_trainings(config: StudyConfig) -> list[Skipped]:
    """Trainings that a config compares and whose weights are not there."""
    found = []
    for name in config.backbones:
        for seed in config.training_seeds:
            try:
                finished_training(name, seed)
            except ValueError as error:
                found.append(Skipped(f"{name}, training {seed}", str(error)))
    return found


def _cells_of(config: StudyConfig, spec: str, chosen: Mapping[str, str]) -> list[Cell]:
    backbone = open_system(spec)
    layers = list(dict.fromkeys(backbone.resolve_layers(config.layers)))
    levels: list[int | None] = list(config.timesteps) if backbone.uses_timestep else [None]
    backbone.check_timesteps(levels)
    walt = backbone.uses_timestep and hasattr(backbone, "transformer")
    sites = config.sites if walt else ["block"]
    return [
        Cell(
            Source(spec, reading, site, timestep, STUDY_TASKS[task].probe.reads),
            layer,
            task,
            size,
            seed,
            steps_of(config, task),
            tuple(config.learning_rates) or STUDY_TASKS[task].probe.fit.learning_rates,
            _orders(config, task),
        )
        for timestep in levels
        for site in sites
        for layer in layers
        for task in config.tasks
        for reading in _readings(config, spec, task, chosen)
        for size in config.train_sizes
        for seed in config.seeds
    ]


def steps_of(config: StudyConfig, task: str) -> int:
    """Optimiser steps of a task's readouts."""
    return config.steps.get(task, max(1, round(_SHARE * DEMO_STEPS[task])))


def _orders(config: StudyConfig, task: str) -> tuple[str, ...]:
    return tuple(config.frame_orders) if STUDY_TASKS[task].probe.reads == "clip" else ("forward",)


def _readings(config: StudyConfig, spec: str, task: str, chosen: Mapping[str, str]) -> list[str | None]:
    if STUDY_TASKS[task].probe.reads == "image" or not reads_images(spec):
        return [None]
    return [chosen.get(task, "stack") if name == CHOSEN else name for name in dict.fromkeys(config.readings)]


def grouped(cells: list[Cell]) -> dict[Source, list[Cell]]:
    """Cells by the pass that serves them, in the order in which they were asked for."""
    groups: dict[Source, list[Cell]] = {}
    for cell in cells:
        groups.setdefault(cell.source, []).append(cell)
    return groups


def cost(cells: list[Cell]) -> float:
    """Rough relative cost, to start the longest first."""
    return sum(cell.study_task.cost * cell.steps * len(cell.learning_rates) for cell in cells)


def record(config: StudyConfig) -> dict[str, Any]:
    """What decides a cell beside the cell itself."""
    return {"splits": config.splits, "resolution": config.resolution, "seed": config.seed}
