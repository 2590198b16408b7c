# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""The study's results as the page shows them.

`results/` holds copies of committed results in the format of `hf-vdrep compare` (`table.json`); the page draws from
these alone.
"""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).resolve().parent / "results"
NAMES = {
    "chance": "chance",
    "pixels": "pixels",
    "latents": "tokenizer alone",
    "random": "random weights",
    "i-walt": "I-WALT",
    "v-walt": "V-WALT",
    "reference": "trained end to end",
}
"""System -> its name for readers."""


@dataclass(frozen=True)
class Score:
    """A value and its 95 % interval, in the metric's own unit."""

    value: float
    low: float
    high: float

    @classmethod
    def of(cls, entry: Mapping[str, Any]) -> "Score":
        """From an entry with `value`, `low` and `high`; a missing bound is the value."""
        value = float(entry["value"])
        low, high = (value if entry.get(name) is None else float(entry[name]) for name in ("low", "high"))
        return cls(value, low, high)


@dataclass(frozen=True)
class TaskResults:
    """One task of the table; `entry` is its part of the file."""

    entry: Mapping[str, Any]

    @property
    def name(self) -> str:
        return str(self.entry["task"])

    @property
    def title(self) -> str:
        title = str(self.entry["title"])
        return title[:1].upper() + title[1:]

    @property
    def metric(self) -> str:
        """With its unit and direction."""
        unit = ", %" if self.percent else ""
        return f"{self.entry['metric']}{unit}, {'higher' if self.entry['higher_is_better'] else 'lower'} is better"

    @property
    def percent(self) -> bool:
        return bool(self.entry["percent"])

    @property
    def scores(self) -> dict[str, Score]:
        """By system, in the order of the file."""
        return {row["system"]: Score.of(row["score"]) for row in self.entry["systems"]}

    def row(self, system: str) -> Mapping[str, Any]:
        """All that the file holds about a system."""
        return next(row for row in self.entry["systems"] if row["system"] == system)

    @property
    def gain(self) -> Score | None:
        """Relative gain of V-WALT over I-WALT, per cent; positive is V-WALT's."""
        entry = self.entry.get("gain")
        return Score.of(entry) if entry and math.isfinite(entry["value"]) else None

    @property
    def winner(self) -> str | None:
        """The twin whose lead the interval confirms; None where it does not."""
        return self.entry.get("winner")

    def shown(self, value: float) -> str:
        """A value in the unit of the table."""
        return f"{100 * value:.1f}" if self.percent else f"{value:.3f}"


@dataclass(frozen=True)
class StudyResults:
    """One study.

    Attributes:
        name: of its file, without the ending.
        data: its content.
    """

    name: str
    data: Mapping[str, Any]

    @cached_property
    def tasks(self) -> dict[str, TaskResults]:
        """By name, in the order of the file."""
        return {entry["task"]: TaskResults(entry) for entry in self.data["tasks"]}

    @property
    def settings(self) -> str:
        """How the numbers came about, in a sentence."""
        config = self.data["config"]
        return (
            f"{config['train_size']} training, {config['validation_size']} validation and {config['test_size']} test "
            f"clips of {config['resolution']} × {config['resolution']} pixels; the block, the noise level and the "
            f"reading are chosen on validation clips, out of blocks at {_listed(config['layers'])} of the depth and "
            f"noise {_listed(config['timesteps'])}; intervals are 95 %, from {config['resamples']} bootstrap resamples."
        )


def load_results(folder: Path = RESULTS) -> dict[str, StudyResults]:
    """The studies of a folder, by name.

    Raises:
        ValueError: a file that is no study.
    """
    found = {}
    for path in sorted(folder.glob("*.json")):
        try:
            data = json.loads(path.read_text(encoding="utf-8"))
            found[path.stem] = StudyResults(path.stem, {"tasks": data["tasks"], "config": data["config"]})
        except (ValueError, KeyError, TypeError) as error:
            raise ValueError(f"{path.name} must hold the results of a comparison, got {error!r}") from error
    return found


def _listed(values: Sequence[float]) -> str:
    words = [f"{value:g}" for value in values]
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)
