# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Settings of the comparison: dataclass, YAML and command line are one."""

import dataclasses
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ...training.config import option
from .systems import FLOORS

TASK_NAMES = (
    "object",
    "scene",
    "fine",
    "action_coarse",
    "action_many",
    "action_motion",
    "depth",
    "camera_pose",
    "point_tracks",
    "box_tracks",
)
# What a first look has time for: the readouts of tracks take as long as all others together.
DEMO_TASKS = ("object", "action_motion", "depth", "camera_pose")
ALL = "all"
# Optimiser steps of each task's readout, about equal shares of the demo's time for the costly ones.
DEMO_STEPS = {
    "object": 600,
    "scene": 600,
    "fine": 600,
    "action_coarse": 600,
    "action_many": 600,
    "action_motion": 800,
    "depth": 150,
    "camera_pose": 600,
    "point_tracks": 180,
    "box_tracks": 150,
}
READINGS = ("stack", "stride", "frames")

# What --preset sets; anything given beside it wins.
PRESETS: dict[str, dict[str, Any]] = {
    "demo": {},
    "full": {
        "output_dir": "runs/full",
        "train_size": 8064,
        "validation_size": 960,
        "test_size": 1920,
        "layers": [0.25, 0.375, 0.5, 0.625, 0.75, 0.875, 1.0],
        "timesteps": [0, 25, 50, 100, 200, 300, 400, 600, 800],
        "readings": ["stack", "stride", "frames"],
        "search_train_size": 8064,
        "search_steps": 1.0,
        "tasks": list(TASK_NAMES),
        "steps": {task: 4 * steps for task, steps in DEMO_STEPS.items()},
        "seeds": 5,
        "floor_seeds": 3,
    },
}


@dataclass
class CompareConfig:
    """Everything that a comparison needs; the defaults are the demo."""

    output_dir: str = option("runs/demo", "folder for rows, table, figure, report and caches")
    tasks: list[str] = field(
        default_factory=lambda: list(DEMO_TASKS),
        metadata={"help": "tasks, in the order of the table; all stands for the ten"},
    )
    floors: list[str] = field(default_factory=lambda: ["chance", *FLOORS], metadata={"help": "columns below the twins"})
    reference: bool = option(True, "include the end-to-end reference that ships with the package")
    i_walt: str = option("i-walt", "the image model: a shipped name or the folder of a saved pipeline")
    v_walt: str = option("v-walt", "the video model: likewise")
    resolution: int = option(64, "height and width of the clips, pixels")
    train_size: int = option(2016, "clips that readouts are trained on")
    validation_size: int = option(288, "clips that choices are made on")
    test_size: int = option(480, "clips that are read once, at the end")
    layers: list[float] = field(
        default_factory=lambda: [0.5, 0.75], metadata={"help": "relative depths of the blocks tried, in (0, 1]"}
    )
    timesteps: list[int] = field(
        default_factory=lambda: [50, 200], metadata={"help": "noise levels tried, in [0, 999]"}
    )
    readings: list[str] = field(
        default_factory=lambda: ["stack", "stride"],
        metadata={"help": "ways for I-WALT to read a video; the best for I-WALT is kept"},
    )
    learning_rates: list[float] = field(
        default_factory=lambda: [], metadata={"help": "readout learning rates tried; empty takes each task's own"}
    )
    search_train_size: int = option(512, "training clips of the readouts that only choose")
    search_steps: float = option(0.3, "length of their training, as a share of the final one")
    steps: dict[str, int] = field(
        default_factory=lambda: dict(DEMO_STEPS),
        metadata={"help": "optimiser steps of each task's readout; a task that is not named takes its own"},
    )
    seeds: int = option(3, "readout seeds of the twins")
    floor_seeds: int = option(1, "readout seeds of the floors")
    resamples: int = option(10_000, "bootstrap resamples")
    seed: int = option(0, "seed of world, noise, readouts and bootstrap")
    examples: int = option(4, "test clips shown in the report; 0 shows none")
    workers: int = option(0, "processes; 0 is one per core. Results do not depend on it")

    def __post_init__(self) -> None:
        if self.tasks == [ALL]:
            self.tasks = list(TASK_NAMES)

    def check(self) -> None:
        """Refuse what cannot run, before any work.

        Raises:
            ValueError: names the setting, what came and what is expected.
        """
        self._check_names()
        self._check_grid()
        self._check_numbers()
        check_output(self.output_dir)

    def deciding(self) -> dict[str, Any]:
        """The settings that decide the figures: no paths of outputs, no worker count, nothing about looks."""
        values = dataclasses.asdict(self)
        return {key: value for key, value in values.items() if key not in ("output_dir", "workers", "examples")}

    def _check_names(self) -> None:
        _check_choice("tasks", self.tasks, TASK_NAMES)
        _check_choice("floors", self.floors, ("chance", *FLOORS), may_be_empty=True)
        _check_choice("readings", self.readings, READINGS)

    def _check_grid(self) -> None:
        for name in ("layers", "timesteps"):
            if not getattr(self, name):
                raise ValueError(f"{name} must hold at least one value, got none")
        for layer in self.layers:
            if not 0.0 < layer <= 1.0:
                raise ValueError(f"layers must be relative depths in (0, 1], got {layer}")
        for timestep in self.timesteps:
            if not 0 <= timestep <= 999:
                raise ValueError(f"timesteps must lie in [0, 999], got {timestep}")
        for rate in self.learning_rates:
            if not 0 < rate < 1:
                raise ValueError(f"learning_rates must lie in (0, 1), got {rate}")

    def _check_numbers(self) -> None:
        least = {"train_size": 32, "validation_size": 16, "test_size": 16, "search_train_size": 32, "resolution": 16}
        least |= {"seeds": 1, "floor_seeds": 1, "resamples": 100, "seed": 0, "examples": 0, "workers": 0}
        for name, bound in least.items():
            if getattr(self, name) < bound:
                raise ValueError(f"{name} must be at least {bound}, got {getattr(self, name)}")
        if self.examples > 16:
            raise ValueError(f"examples must be at most 16, got {self.examples}")
        if not 0 < self.search_steps <= 1:
            raise ValueError(f"search_steps must lie in (0, 1], got {self.search_steps}")
        for task, steps in self.steps.items():
            if task not in TASK_NAMES or not isinstance(steps, int) or steps < 1:
                known = list(TASK_NAMES)
                raise ValueError(f"steps must give tasks of {known} a number of at least 1, got {task!r}: {steps!r}")


def _check_choice(name: str, values: list[str], known: tuple[str, ...], may_be_empty: bool = False) -> None:
    if not values and not may_be_empty:
        raise ValueError(f"{name} must hold at least one of {list(known)}, got none")
    for value in values:
        if value not in known:
            raise ValueError(f"{name} must be among {list(known)}, got {value!r}")
    if len(set(values)) != len(values):
        raise ValueError(f"{name} must not repeat, got {values}")


def check_output(folder: str | os.PathLike[str]) -> Path:
    """Make the output folder and prove that it takes files.

    Raises:
        ValueError: it cannot be made or written to.
    """
    path = Path(folder)
    probe = path / f".write-test-{os.getpid()}"
    try:
        path.mkdir(parents=True, exist_ok=True)
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise ValueError(
            f"output_dir must be a folder that can be written to, got {folder} ({error.strerror})"
        ) from error
    return path
