# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""The end-to-end reference, scored on the very columns that the readouts are scored on."""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from ...metrics.per_sample import per_sample
from ...probes import EndToEndReference, PointTracks, load_reference
from .rows import ResultRow, config_hash, package_versions
from .setting import Setting
from .tasks import STUDY_TASKS
from .trials import STUDY, evaluated

_BATCH = 16
_EPS = 1e-12


def shipped_folder() -> Path:
    """Where the reference's weights lie."""
    return Path(str(resources.files("hf_vdrep"))) / "assets" / "reference"


@dataclass(frozen=True)
class ReferenceTrial:
    """The reference on one task."""

    setting: Setting
    task: str

    def key(self) -> str:
        """Hash of everything that decides its score on the test split."""
        return config_hash(
            {
                "task": self.task,
                "world": self.setting.split("test").data_key,
                "size": self.setting.config.test_size,
                "weights": reference_revision(),
                "versions": package_versions()["torch"],
            }
        )


def test_reference(trial: ReferenceTrial) -> ResultRow:
    """Score the reference on the test split."""
    begin, split, study_task = time.perf_counter(), trial.setting.split("test"), STUDY_TASKS[trial.task]
    probe, videos, labels = study_task.probe, split.videos(), split.labels(study_task.probe.labels)
    readout = ReferenceReadout(_reference(), trial.task)
    parts: list[dict[str, np.ndarray]] = []
    for start in range(0, split.size, _BATCH):
        rows = slice(start, start + _BATCH)
        clips = torch.from_numpy(np.ascontiguousarray(videos[rows]))
        targets = {name: torch.from_numpy(np.ascontiguousarray(values[rows])) for name, values in labels.items()}
        with torch.no_grad():
            parts.append(probe.predict(readout, clips, targets))
    columns = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    scores = per_sample(probe.metric, columns)
    return ResultRow(
        study=STUDY,
        task=trial.task,
        dataset=f"probeworld-{split.data_key}",
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
        config_hash=trial.key(),
        wall_time=round(time.perf_counter() - begin, 3),
        per_sample={name: scores[name] for name in (probe.primary, *study_task.secondary)},
    )


class ReferenceReadout(nn.Module):
    """The reference in the place of a readout: clips in the place of features, the same answers.

    Args:
        reference: the network.
        task: which of its heads answers.
    """

    def __init__(self, reference: EndToEndReference, task: str) -> None:
        super().__init__()
        self.reference, self.task = reference, task

    def forward(self, clips: torch.Tensor, *asked: torch.Tensor, standardised: bool = True) -> Any:
        """Answers for uint8 clips (B, T, H, W, 3), with the further arguments of the task's readout."""
        if self.task == "object":
            return self.reference.predict_objects(clips[:, clips.shape[1] // 2]).clamp_min(_EPS).log()
        if self.task == "action_motion":
            return self.reference.predict(clips, _no_points(clips))["action_motion"].clamp_min(_EPS).log()
        if self.task == "depth":
            return self._depth(clips, *asked)
        found = self.reference.predict(clips, asked[0])
        # Twice the logit on both: their product is past one half exactly where the reference says visible.
        said = torch.where(found["visible"], 8.0, -8.0)
        return PointTracks(found["tracks"], said, said)

    def _depth(self, clips: torch.Tensor, pixels: torch.Tensor, frames: torch.Tensor) -> torch.Tensor:
        depth = self.reference.predict(clips, _no_points(clips))["depth"][:, frames]
        height, width = depth.shape[2:]
        column = (pixels[:, 0] * width).long().clamp(0, width - 1)
        row = (pixels[:, 1] * height).long().clamp(0, height - 1)
        return depth[:, :, row, column].log()


def _no_points(clips: torch.Tensor) -> torch.Tensor:
    return torch.full((len(clips), 1, 2), 0.5)


@lru_cache(maxsize=1)
def _reference() -> EndToEndReference:
    return load_reference(shipped_folder())


@lru_cache(maxsize=1)
def reference_revision() -> str:
    """Fingerprint of the shipped weights."""
    from ...backbones.fingerprint import fingerprint

    model = _reference()
    return fingerprint({"reference": model}, model.config)
