# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Committed results of a model in the two forms that the Hub shows: model-index, and `.eval_results/*.yaml`."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from huggingface_hub import EvalResult, EvalResultEntry

TABLES = ("table-all.json", "table.json")
RESULTS_NAME = ".eval_results/probeworld.yaml"
DATASET_NAME = "ProbeWorld"
_HUB_TASKS = {
    **dict.fromkeys(("object", "scene", "fine"), "image-classification"),
    **dict.fromkeys(("action_coarse", "action_many", "action_motion"), "video-classification"),
    "depth": "depth-estimation",
}
_HUB_METRICS = {"top-1": "accuracy", "AbsRel": "abs_rel", "EPE m": "epe", "AJ": "average_jaccard", "mIoU": "mean_iou"}


@dataclass(frozen=True)
class TaskScore:
    """A probe's test score on frozen features.

    Attributes:
        task, title, metric, percent, higher_is_better: of the task; a value is a share where `percent` says so.
        value, low, high: score and its 95 % interval, in the metric's own unit.
        clips: test clips.
        layer, num_layers: block index and count, None where there are none.
        timestep: noise level.
        reading: how a clip reached a model of images.
        seeds: readouts behind the score.
    """

    task: str
    title: str
    metric: str
    percent: bool
    higher_is_better: bool
    value: float
    low: float
    high: float
    clips: int
    layer: int | None = None
    num_layers: int | None = None
    timestep: int | None = None
    reading: str | None = None
    seeds: int = 1

    @property
    def shown(self) -> str:
        """ "43.4 [39.1, 47.9]", per cent where the task says so."""
        scale, digits = (100, 1) if self.percent else (1, 3)
        return f"{scale * self.value:.{digits}f} [{scale * self.low:.{digits}f}, {scale * self.high:.{digits}f}]"

    @property
    def unit(self) -> str:
        """ "top-1 % ↑"."""
        return f"{self.metric}{' %' if self.percent else ''} {'↑' if self.higher_is_better else '↓'}"

    @property
    def cell(self) -> str:
        """Where it was read, chosen on validation: "block 4 of 8, noise level 50"."""
        if self.layer is None:
            return "–"
        words = [f"block {self.layer + 1}" + (f" of {self.num_layers}" if self.num_layers else "")]
        words += [f"noise level {self.timestep}"] if self.timestep is not None else []
        words += [f"read by {self.reading}"] if self.reading else []
        return ", ".join(words)

    @property
    def setting(self) -> str:
        """The cell and the protocol, in a line."""
        cell = "" if self.layer is None else f"{self.cell}, "
        readouts = f"{self.seeds} readout{'s' if self.seeds > 1 else ''}"
        return f"frozen features, {cell}{readouts}, {self.clips} clips"


def table_of(results: Path) -> Path:
    """The widest comparison in a folder of results; it need not exist."""
    return next((results / name for name in TABLES if (results / name).is_file()), results / TABLES[-1])


def scores(results: Path | None, system: str) -> list[TaskScore]:
    """A system's scores of the widest comparison in a folder of results; empty where there is none.

    Raises:
        ValueError: a table that cannot be read.
    """
    if results is None or not (path := table_of(results)).is_file():
        return []
    try:
        tasks = json.loads(path.read_text(encoding="utf-8"))["tasks"]
        return [_score(task, entry) for task in tasks for entry in task["systems"] if entry["system"] == system]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ValueError(f"results must hold a readable {path.name}, got {path} ({error!r})") from error


def _score(task: dict[str, Any], entry: dict[str, Any]) -> TaskScore:
    about = {name: task[name] for name in ("task", "title", "metric", "percent", "higher_is_better", "clips")}
    cell = {name: entry[name] for name in ("layer", "num_layers", "timestep", "reading")}
    return TaskScore(**about, **entry["score"], **cell, seeds=len(entry["seeds"]) or 1)


def model_index(found: list[TaskScore], dataset_id: str) -> list[EvalResult]:
    """For a card's metadata; tasks are told apart by the data set's config."""
    from huggingface_hub import EvalResult

    return [
        EvalResult(
            task_type=_HUB_TASKS.get(score.task, "other"),
            task_name=score.title,
            dataset_type=dataset_id,
            dataset_name=DATASET_NAME,
            dataset_config=score.task,
            dataset_split="test",
            metric_type=_HUB_METRICS.get(score.metric, score.metric),
            metric_name=score.metric,
            metric_value=round(score.value, 6),
            metric_args={"low": round(score.low, 6), "high": round(score.high, 6), "confidence": 0.95},
        )
        for score in found
    ]


def eval_entries(found: list[TaskScore], dataset_id: str) -> list[EvalResultEntry]:
    """For `.eval_results/`; the interval and the protocol stand in the notes."""
    from huggingface_hub import EvalResultEntry

    return [
        EvalResultEntry(
            dataset_id=dataset_id,
            task_id=score.task,
            value=round(score.value, 6),
            notes=f"{score.metric}, 95 % interval [{score.low:.4f}, {score.high:.4f}]; {score.setting}",
        )
        for score in found
    ]


def results_file(found: list[TaskScore], dataset_id: str) -> bytes:
    """Content of `.eval_results/probeworld.yaml`."""
    import yaml
    from huggingface_hub import eval_result_entries_to_yaml

    entries = eval_result_entries_to_yaml(eval_entries(found, dataset_id))
    return yaml.safe_dump(entries, sort_keys=False, allow_unicode=True, width=120).encode()
