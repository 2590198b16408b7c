# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""The end-to-end reference, scored on the very columns that the readouts are scored on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from ...features import autocast_name
from ...metrics.samples import per_sample
from ...probes import BoxTracks, EndToEndReference, PointTracks, load_reference
from .rows import ResultRow, config_hash, package_versions
from .setting import Setting
from .tasks import STUDY_TASKS
from .trials import STUDY, evaluated

_BATCH, _ROWS = 16, 96
_EPS = 1e-12


def shipped_folder() -> Path:
    """Where the reference's weights lie."""
    return Path(str(resources.files("hf_vdrep"))) / "assets" / "reference"


@dataclass(frozen=True)
class ReferenceJob:
    """The reference on rows [start, stop) of the test split: one pass answers all tasks."""

    setting: Setting
    tasks: tuple[str, ...]
    start: int
    stop: int

    def run(self) -> dict[str, dict[str, np.ndarray]]:
        """Task -> columns of its metric, a row for each clip that belongs to the task."""
        split = self.setting.split("test")
        videos = split.videos()
        names = {name for task in self.tasks for name in STUDY_TASKS[task].probe.labels}
        labels = split.labels(sorted(names | {"tracks", "boxes", "present"}))
        belongs = {task: np.zeros(self.stop, dtype=bool) for task in self.tasks}
        for task, members in belongs.items():
            members[split.rows(task, self.stop)] = True
        parts: dict[str, list[dict[str, np.ndarray]]] = {task: [] for task in self.tasks}
        for start in range(self.start, self.stop, _BATCH):
            rows = slice(start, min(start + _BATCH, self.stop))
            targets = {name: torch.from_numpy(np.ascontiguousarray(values[rows])) for name, values in labels.items()}
            found = answers(_reference(), torch.from_numpy(np.ascontiguousarray(videos[rows])), targets)
            for task, columns in parts.items():
                answered = columns_of(task, found, targets)
                columns.append({name: values[belongs[task][rows]] for name, values in answered.items()})
        return {
            task: {name: np.concatenate([part[name] for part in columns]) for name in columns[0]}
            for task, columns in parts.items()
        }


def reference_jobs(setting: Setting, tasks: Sequence[str]) -> list[ReferenceJob]:
    """Jobs that together cover the test split."""
    size = setting.config.test_size
    return [ReferenceJob(setting, tuple(tasks), at, min(at + _ROWS, size)) for at in range(0, size, _ROWS)]


@torch.no_grad()
def answers(
    reference: EndToEndReference, clips: torch.Tensor, labels: Mapping[str, torch.Tensor]
) -> dict[str, torch.Tensor]:
    """The reference's own answers for uint8 clips (B, T, H, W, 3), asked for the points and boxes of frame 0."""
    bf16 = autocast_name("auto", clips.device) == "bfloat16"
    with torch.autocast(clips.device.type, torch.bfloat16, enabled=bf16):
        return reference.predict(clips, *reference.queries(labels))


def columns_of(
    task: str, found: Mapping[str, torch.Tensor], labels: Mapping[str, torch.Tensor]
) -> dict[str, np.ndarray]:
    """Columns of a task's metric, made by the task itself with the reference's answers in the place of a readout's."""
    return STUDY_TASKS[task].probe.predict(AnsweredReadout(found, task), torch.empty(0), dict(labels))


def reference_key(setting: Setting, task: str) -> str:
    """Hash of everything that decides the reference's score on the test split."""
    return config_hash(
        {
            "task": task,
            "world": setting.split("test").data_key,
            "size": setting.config.test_size,
            "weights": reference_revision(),
            "versions": package_versions()["torch"],
        }
    )


def reference_row(setting: Setting, task: str, columns: Mapping[str, np.ndarray], seconds: float) -> ResultRow:
    """The ledger's row for the reference's columns on the whole test split."""
    probe, scores = STUDY_TASKS[task].probe, per_sample(STUDY_TASKS[task].probe.metric, columns)
    return ResultRow(
        study=STUDY,
        task=task,
        dataset=f"probeworld-{setting.split('test').data_key}",
        split="test",
        backbone="reference",
        revision=reference_revision(),
        layer=None,
        timestep=None,
        reading=None,
        readout=None,
        learning_rate=None,
        seed=None,
        metric=probe.primary,
        value=evaluated(probe, columns),
        n=int(np.isfinite(scores[probe.primary]).sum()),
        config_hash=reference_key(setting, task),
        wall_time=round(seconds, 3),
        per_sample={name: scores[name] for name in (probe.primary, *STUDY_TASKS[task].secondary)},
    )


class AnsweredReadout(nn.Module):
    """Speaks as a task's readout does, and says what the reference answered.

    Args:
        found: what `answers` gives for a batch.
        task: whose readout is stood in for.
    """

    def __init__(self, found: Mapping[str, torch.Tensor], task: str) -> None:
        super().__init__()
        self.found, self.task = found, task

    def forward(self, _: torch.Tensor, *asked: torch.Tensor, standardised: bool = True) -> Any:
        """Answers, with the further arguments of the task's readout."""
        found = self.found
        if self.task == "depth":
            return _at_pixels(found["depth"].float(), *asked).log()
        if self.task == "camera_pose":
            return found["pose"]
        if self.task == "box_tracks":
            return BoxTracks(found["boxes"].float(), None)
        if self.task == "point_tracks":
            # The product of the two probabilities is past one half exactly where the reference says visible.
            said = torch.where(found["visible"], 8.0, -8.0)
            return PointTracks(found["tracks"].float(), said, said)
        return found[self.task].float().clamp_min(_EPS).log()

    def decode(self, output: torch.Tensor) -> torch.Tensor:
        """Poses are answered as they are: there is nothing left to decode."""
        return output


def _at_pixels(maps: torch.Tensor, pixels: torch.Tensor, frames: torch.Tensor) -> torch.Tensor:
    """Maps (B, T, H, W) at pixels (Q, 2) in [0, 1] of some frames: (B, F, Q)."""
    height, width = maps.shape[2:]
    column = (pixels[:, 0] * width).long().clamp(0, width - 1)
    row = (pixels[:, 1] * height).long().clamp(0, height - 1)
    return maps[:, frames][:, :, row, column]


@lru_cache(maxsize=1)
def _reference() -> EndToEndReference:
    return load_reference(shipped_folder())


@lru_cache(maxsize=1)
def reference_revision() -> str:
    """Fingerprint of the shipped weights."""
    from ...backbones.fingerprint import fingerprint

    model = _reference()
    return fingerprint({"reference": model}, model.config)
