# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""One run folder, with or without `run.json`: a run of any age, or what was kept of one."""

import json
import os
import socket
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any

from ..checkpoint import CheckpointError, list_checkpoints, verify_checkpoint
from ..config import read_yaml
from ..log import read_log
from ..run_file import read_run_file

# A run whose heart has not beaten for so long is taken for dead, as is one whose process is gone.
PATIENCE_S = 120.0


@dataclass(frozen=True)
class RunFolder:
    """What a training left, or is leaving, in its folder.

    Attributes:
        path: the folder.
    """

    path: Path

    @property
    def name(self) -> str:
        """Of the folder."""
        return self.path.resolve().name

    @cached_property
    def about(self) -> dict[str, Any]:
        """`run.json`; empty where there is none."""
        return read_run_file(self.path)

    @cached_property
    def summary(self) -> dict[str, Any]:
        """`summary.json`; empty before the end."""
        try:
            content = json.loads((self.path / "summary.json").read_text())
        except (OSError, ValueError):
            return {}
        return content if isinstance(content, dict) else {}

    @cached_property
    def config(self) -> dict[str, Any]:
        """`config.yaml`; empty where there is none."""
        try:
            return read_yaml(self.path / "config.yaml")
        except ValueError:
            return {}

    @cached_property
    def log(self) -> list[dict[str, Any]]:
        """Every whole line of `log.jsonl`, without figures that are no numbers."""
        try:
            return [_figures(line) for line in read_log(self.path / "log.jsonl") if isinstance(line, dict)]
        except (OSError, ValueError):
            return []

    @property
    def training(self) -> list[dict[str, Any]]:
        """Lines of the log with a training loss."""
        return [line for line in self.log if "loss" in line]

    @property
    def validations(self) -> list[dict[str, Any]]:
        """Lines of the log with validation figures."""
        return [line for line in self.log if any(key.startswith("eval/") for key in line)]

    @cached_property
    def kind(self) -> str:
        """V-WALT, I-WALT, tokenizer, or what `run.json` calls it."""
        kind = self.about.get("kind") or ("walt" if "objective" in {**self.config, **self.summary} else "")
        if kind == "walt":
            objective = self.config.get("objective") or self.summary.get("objective", "video")
            return "I-WALT" if objective == "image" else "V-WALT"
        return {"autoencoder": "tokenizer"}.get(kind, kind) or ("tokenizer" if "latents_mean" in self.summary else "-")

    @cached_property
    def state(self) -> str:
        """running, interrupted, failed or done; killed where it says running and nothing runs; without `run.json`,
        done where there is a summary, else stopped."""
        state = self.about.get("state")
        if state is None:
            return "done" if self.summary else "stopped"
        return "killed" if state == "running" and not self._alive() else str(state)

    def _alive(self) -> bool:
        if self.about.get("host") == socket.gethostname() and isinstance(self.about.get("pid"), int):
            try:
                os.kill(self.about["pid"], 0)
            except (ProcessLookupError, OverflowError):
                return False
            except PermissionError:
                return True
            return True
        with suppress(KeyError, TypeError, ValueError):
            return time.time() - datetime.fromisoformat(self.about["heartbeat"]).timestamp() < PATIENCE_S
        return False

    @property
    def step(self) -> int:
        """Optimiser steps done."""
        logged = max((int(line.get("step", 0)) for line in self.log), default=0)
        return int(max(logged, _number(self.about.get("step")) or 0, _number(self.summary.get("steps")) or 0))

    @property
    def steps(self) -> int | None:
        """Optimiser steps in all; None where nothing says."""
        places = (self.about, self.config, self.summary)
        found = next((number for place in places if (number := _number(place.get("steps")))), None)
        return None if found is None else int(found)

    def last(self, key: str) -> float | None:
        """The latest value of a figure of the log; None where it has none."""
        return next((line[key] for line in reversed(self.log) if isinstance(line.get(key), (int, float))), None)

    @cached_property
    def validation(self) -> tuple[str, float] | None:
        """Name and latest value of the figure that the run is judged by: the first of its validation."""
        for line in reversed(self.validations):
            for key, value in line.items():
                if key.startswith("eval/") and "@" not in key:
                    return key.removeprefix("eval/"), float(value)
        return None

    @cached_property
    def items_per_second(self) -> float | None:
        """At the end of the log; over the whole run where lines do not say."""
        rate = self.last("items_per_second")
        if rate is not None:
            return rate
        line = self.training[-1] if self.training else {}
        return line["items"] / line["seconds"] if line.get("items") and line.get("seconds") else None

    @cached_property
    def flops_per_item(self) -> float | None:
        """As the run says; by the plan of its config where it does not; None where that cannot be made."""
        stated = _number(self.about.get("flops_per_item")) or _number(self.summary.get("flops_per_item"))
        if stated:
            return float(stated)
        if not self.config:
            return None
        from ..plan.jobs import DenoiserJob, job_from_config

        try:
            job = job_from_config(self.path / "config.yaml")
        except (ValueError, OSError):
            return None
        return job.work.model if isinstance(job, DenoiserJob) else job.flops

    @property
    def age(self) -> float:
        """Seconds since anything was written."""
        names = ("run.json", "log.jsonl", "summary.json", "config.yaml")
        times = [path.stat().st_mtime for name in names if (path := self.path / name).exists()]
        return time.time() - max(times, default=self.path.stat().st_mtime)

    def checkpoints(self, *, verify: bool = True) -> list[dict[str, Any]]:
        """Every checkpoint with its bytes and, if `verify`, what is wrong with it (None: nothing)."""
        rows = []
        for path in list_checkpoints(self.path):
            row: dict[str, Any] = {"name": path.name, "bytes": _bytes_in([path])}
            if verify:
                row["damage"] = _damage(path)
            rows.append(row)
        return rows

    def kept(self) -> dict[str, list[str]]:
        """Names of snapshots, samples and results."""
        results = ("pipeline", "vae", "lora", "probe", "loss.png", "levels.png")
        return {
            "snapshots": _sorted_by_step((self.path / "snapshots").glob("step-*.safetensors")),
            "samples": _sorted_by_step((self.path / "samples").glob("step-*")),
            "results": [name for name in results if (self.path / name).exists()],
        }


def _number(value: Any) -> float | None:
    """What a file of unknown age and origin gives as a number; None where it is none."""
    return value if isinstance(value, (int, float)) and value == value and abs(value) != float("inf") else None


def _figures(line: dict[str, Any]) -> dict[str, Any]:
    step = _number(line.get("step"))
    wrong = {key for key in ("step", "items", "seconds") if _number(line.get(key)) is None}
    wrong |= {key for key, value in line.items() if _curve(key) and not isinstance(value, (int, float))}
    kept = {key: value for key, value in line.items() if key not in wrong}
    # A curve needs to know where it is.
    return kept if step is not None else {key: value for key, value in kept.items() if not _curve(key)}


def _curve(key: str) -> bool:
    return key == "loss" or key.startswith("eval/")


def find_runs(places: Iterable[Path]) -> list[RunFolder]:
    """The runs at or below `places`, by name; of what lies inside a run, nothing.

    Raises:
        ValueError: a place that is no folder.
    """
    found: dict[Path, RunFolder] = {}
    for place in places:
        if not place.is_dir():
            raise ValueError(f"run must be a folder, got {place}")
        for path in _runs_below(place):
            found[path.resolve()] = RunFolder(path)
    return sorted(found.values(), key=lambda run: str(run.path))


def open_run(path: Path) -> RunFolder:
    """The run at `path` itself.

    Raises:
        ValueError: there is none.
    """
    if not _is_run(path):
        raise ValueError(f"run must be a folder with run.json or log.jsonl, got {path}")
    return RunFolder(path)


def _runs_below(place: Path, depth: int = 4) -> list[Path]:
    if _is_run(place):
        return [place]
    below = [path for path in sorted(place.iterdir()) if path.is_dir() and not path.name.startswith(".")]
    return [run for path in below for run in _runs_below(path, depth - 1)] if depth else []


def _is_run(path: Path) -> bool:
    return (path / "run.json").is_file() or (path / "log.jsonl").is_file()


def _damage(path: Path) -> str | None:
    try:
        verify_checkpoint(path)
    except CheckpointError as error:
        return str(error)
    return None


def _bytes_in(paths: Iterable[Path]) -> int:
    return sum(file.stat().st_size for path in paths for file in path.rglob("*") if file.is_file())


def _sorted_by_step(paths: Iterable[Path]) -> list[str]:
    def step(path: Path) -> tuple[int, str]:
        digits = "".join(letter for letter in path.stem if letter.isdigit())
        return int(digits or 0), path.name

    return [path.name for path in sorted(paths, key=step)]
