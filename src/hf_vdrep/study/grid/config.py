# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Settings of one analysis: dataclass and YAML are one."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ...training.config import option
from ..compare.config import ALL, TASK_NAMES

KINDS = ("probe", "cka", "quality", "compare", "pictures")
SITES = ("block", "middle", "attention", "mlp")
FRAME_ORDERS = ("forward", "shuffled", "reversed", "frozen")
READINGS = ("stack", "stride", "frames")
CHOSEN = "chosen"


@dataclass
class StudyConfig:
    """One analysis; every list is an axis of the grid."""

    name: str = option("", "short name, and name of the study in the rows")
    title: str = option("", "for readers")
    kind: str = option("probe", "what is measured", choices=list(KINDS))
    question: str = option("", "what the analysis asks, in plain words")
    paper: str = option("", "what the paper found, in plain words; empty where it did not look")
    axis: str = option("timestep", "column of the rows that the figure runs along")
    backbones: list[str] = field(
        default_factory=lambda: ["i-walt", "v-walt"], metadata={"help": "names, folders or Hub ids; see docs/study.md"}
    )
    tasks: list[str] = field(default_factory=lambda: ["object"], metadata={"help": "tasks; all stands for the ten"})
    layers: list[float] = field(default_factory=lambda: [0.75], metadata={"help": "relative depths in (0, 1]"})
    timesteps: list[int] = field(default_factory=lambda: [50], metadata={"help": "noise levels in [0, 999]"})
    sites: list[str] = field(
        default_factory=lambda: ["block"], metadata={"help": "where in a block: block, middle, attention, mlp"}
    )
    readings: list[str] = field(
        default_factory=lambda: [CHOSEN],
        metadata={
            "help": "how I-WALT reads a clip: stack, stride, frames; chosen is what validation kept in main, else stack"
        },
    )
    frame_orders: list[str] = field(
        default_factory=lambda: ["forward"], metadata={"help": "of the test clips: forward, shuffled, reversed, frozen"}
    )
    checkpoints: bool = option(
        False, "every kept checkpoint of the shipped twins' first training in place of their final weights"
    )
    training_seeds: list[int] = field(
        default_factory=lambda: [],
        metadata={
            "help": "trainings of the shipped twins, each by its last weights, in place of the weights that ship"
        },
    )
    train_sizes: list[int] = field(default_factory=lambda: [1024], metadata={"help": "training clips of the readouts"})
    seeds: list[int] = field(default_factory=lambda: [0], metadata={"help": "of the readouts"})
    learning_rates: list[float] = field(
        default_factory=lambda: [],
        metadata={"help": "tried side by side, chosen on validation; empty takes each task's own"},
    )
    steps: dict[str, int] = field(
        default_factory=dict, metadata={"help": "optimiser steps by task; others: half of compare's"}
    )
    splits: dict[str, int] = field(
        default_factory=lambda: {"train": 2016, "validation": 288, "test": 480},
        metadata={"help": "clips that are rendered"},
    )
    resolution: int = option(64, "side of the clips, pixels")
    seed: int = option(0, "of world and noise")
    options: dict[str, Any] = field(default_factory=dict, metadata={"help": "of the kind; see docs/study.md"})
    minutes: float = option(0.0, "measured wall time on two cores, for --dry-run")

    def __post_init__(self) -> None:
        if self.tasks == [ALL]:
            self.tasks = list(TASK_NAMES)

    def check(self) -> None:
        """Refuse what cannot run, before any work.

        Raises:
            ValueError: names the setting, what came and what is expected.
        """
        if not self.name or not self.name.replace("-", "").replace("_", "").isalnum():
            raise ValueError(f"name must be letters, digits and dashes, got {self.name!r}")
        _check_among("tasks", self.tasks, TASK_NAMES)
        _check_among("sites", self.sites, SITES)
        _check_among("readings", self.readings, (*READINGS, CHOSEN))
        _check_among("frame_orders", self.frame_orders, FRAME_ORDERS)
        _check_among("steps", list(self.steps), TASK_NAMES, may_be_empty=True)
        if self.training_seeds and self.checkpoints:
            raise ValueError(
                "training_seeds must be empty where checkpoints is true: the one takes whole trainings only"
            )
        self._check_numbers()

    def _check_numbers(self) -> None:
        for layer in self.layers:
            if not 0.0 < layer <= 1.0:
                raise ValueError(f"layers must be relative depths in (0, 1], got {layer}")
        for timestep in self.timesteps:
            if not 0 <= timestep <= 999:
                raise ValueError(f"timesteps must lie in [0, 999], got {timestep}")
        for split in ("train", "validation", "test"):
            if self.splits.get(split, 0) < 16:
                raise ValueError(f"splits must give {split} at least 16 clips, got {self.splits.get(split)}")
        for size in self.train_sizes:
            if not 16 <= size <= self.splits["train"]:
                raise ValueError(f"train_sizes must lie in [16, {self.splits['train']}], got {size}")


def _check_among(name: str, values: list[Any], known: tuple[str, ...], may_be_empty: bool = False) -> None:
    if not values and not may_be_empty:
        raise ValueError(f"{name} must hold at least one of {list(known)}, got none")
    for value in values:
        if value not in known:
            raise ValueError(f"{name} must be among {list(known)}, got {value!r}")
