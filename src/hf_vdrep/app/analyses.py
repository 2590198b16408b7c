# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""The study's analyses beside its main table, as the page shows them.

`analyses/` holds what `analyses_pack` takes from a committed study; the page draws from these alone.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from .study_results import Score

ANALYSES = Path(__file__).resolve().parent / "analyses"


@dataclass(frozen=True)
class Line:
    """One model's scores along an axis; None where nothing was measured."""

    system: str
    label: str
    scores: tuple[Score | None, ...]


@dataclass(frozen=True)
class Panel:
    """A task, or a measure of generation, along an axis.

    Attributes:
        entry: its part of the file.
    """

    entry: Mapping[str, Any]

    @property
    def name(self) -> str:
        return str(self.entry["name"])

    @property
    def title(self) -> str:
        title = str(self.entry["title"])
        return title[:1].upper() + title[1:]

    @property
    def metric(self) -> str:
        """With its unit and direction."""
        direction = f"{'higher' if self.entry['higher'] else 'lower'} is better"
        parts = [self.entry["metric"], "%" if self.entry["percent"] else "", direction]
        return ", ".join(part for part in parts if part)

    @property
    def places(self) -> list[str]:
        """Along the axis, in words."""
        return [str(place) for place in self.entry["places"]]

    @cached_property
    def lines(self) -> list[Line]:
        """By model."""
        return [
            Line(system, label, tuple(None if score is None else Score(*score) for score in scores))
            for system, label, scores in self.entry["lines"]
        ]

    @cached_property
    def gains(self) -> list[tuple[Score, str | None] | None]:
        """Relative gain of V-WALT over I-WALT at each place, per cent, and the twin whose lead its interval
        confirms."""
        return [None if gain is None else (Score(*gain[:3]), gain[3]) for gain in self.entry["gains"]]

    def shown(self, value: float) -> str:
        """A value in the unit of the table."""
        return f"{100 * value:.1f}" if self.entry["percent"] else f"{value:.3f}"


@dataclass(frozen=True)
class Analysis:
    """One analysis.

    Attributes:
        entry: its part of the file.
    """

    entry: Mapping[str, Any]

    @property
    def name(self) -> str:
        return str(self.entry["name"])

    @property
    def title(self) -> str:
        return str(self.entry["title"])

    @property
    def kind(self) -> str:
        """ "probe" along an axis, "models" side by side, "heat" over two axes, "cka", "quality" or "pictures"."""
        return str(self.entry["kind"])

    @property
    def axis(self) -> str:
        """What the places are, in words."""
        return str(self.entry["axis"])

    @property
    def is_ordered(self) -> bool:
        """Whether a line may be drawn from place to place."""
        return bool(self.entry["ordered"])

    @cached_property
    def panels(self) -> list[Panel]:
        """In the order of the file."""
        return [Panel(entry) for entry in self.entry["panels"]]

    def of_tasks(self, tasks: list[str]) -> list[Panel]:
        """The panels of chosen tasks; all of them where panels are no tasks."""
        return [panel for panel in self.panels if self.kind not in ("probe", "models", "heat") or panel.name in tasks]


def load_analyses(folder: Path = ANALYSES) -> dict[str, dict[str, Analysis]]:
    """Study -> name -> analysis.

    Raises:
        ValueError: a file that holds none.
    """
    found = {}
    for path in sorted(folder.glob("*.json")):
        try:
            entries = json.loads(path.read_text(encoding="utf-8"))["analyses"]
            found[path.stem] = {entry["name"]: Analysis(entry) for entry in entries}
        except (ValueError, KeyError, TypeError) as error:
            raise ValueError(f"{path.name} must hold the analyses of a study, got {error!r}") from error
    return found
