# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""The published gains, from one data file with its source, to stand beside ours."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib import resources

import yaml


@dataclass(frozen=True)
class PaperGain:
    """A published relative gain of V-WALT over I-WALT.

    Attributes:
        task: of the ten, whose real benchmark it was measured on.
        benchmark: its name.
        gain: per cent, positive where V-WALT is better.
        is_error: the metric is an error, and the paper's normalisation is not known.
    """

    task: str
    benchmark: str
    gain: float
    is_error: bool

    @property
    def words(self) -> str:
        """As tables print it: "+42 %"."""
        return f"{self.gain:+g} %"


def paper_gain(task: str) -> PaperGain | None:
    """The published gain of a task's benchmark, None where there is none."""
    return _read()[1].get(task)


def paper_source() -> str:
    """Where the gains were published."""
    return _read()[0]


@cache
def _read() -> tuple[str, dict[str, PaperGain]]:
    text = (resources.files(__package__) / "paper_gains.yaml").read_text(encoding="utf-8")
    found = yaml.safe_load(text)
    gains = {
        task: PaperGain(task, entry["benchmark"], float(entry["gain"]), bool(entry.get("error", False)))
        for task, entry in found["gains"].items()
    }
    return found["source"], gains
