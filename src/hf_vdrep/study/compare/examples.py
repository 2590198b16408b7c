# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Test clips with the twins' answers, to look at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ...data import atomic_output
from ...probes.dense import sub_grid
from ...probes.pose import relative_pose
from ...probes.standardise import standardise
from .features import open_rows
from .rows import config_hash
from .setting import Setting
from .tasks import STUDY_TASKS
from .trials import Trial, load_readout


@dataclass(frozen=True, eq=False)
class ClipExample:
    """One test clip.

    Attributes:
        index: in the test split.
        video: uint8 (T, H, W, 3).
        truth: label -> value: classes as words, `depth` float (F, H, W) metres of some frames, `pose` (3, 4) of the
            last camera in the first, `tracks` (N, T, 2) in [0, 1], `visible` bool (N, T), `boxes` (K, T, 4) in [0, 1],
            `present` bool (K, T). Only those of the tasks that were run.
        answers: system key -> the same labels, as read out of its features.
    """

    index: int
    video: np.ndarray
    truth: Mapping[str, str | np.ndarray]
    answers: Mapping[str, Mapping[str, str | np.ndarray]]


SHOWN_FRAMES = 5
_KEPT = ("depth", "predictions", "predicted_visible")
_LABELS = {
    "depth.depth": "depth",
    "camera_pose.predictions": "pose",
    "point_tracks.predictions": "tracks",
    "point_tracks.predicted_visible": "visible",
    "box_tracks.predictions": "boxes",
}


def shown_frames(count: int) -> np.ndarray:
    """Frames of a clip that pictures show, first to last."""
    return np.linspace(0, count - 1, min(SHOWN_FRAMES, count)).round().astype(int)


def missing(setting: Setting, shown: Sequence[Trial]) -> list[Trial]:
    """Trials whose answers are not kept yet."""
    complete = _truth_path(setting).exists()
    return [trial for trial in shown if not (complete and _answer_path(trial).exists())]


@torch.no_grad()
def answer(trial: Trial) -> None:
    """Keep what a final readout says about the first test clips."""
    from safetensors.numpy import save_file

    setting, probe = trial.setting, trial.study_task.probe
    count, split = setting.config.examples, setting.split("test")
    features = open_rows(setting, trial.source, split, count, trial.layer, trial.timestep)
    readout = load_readout(trial)
    values = getattr(readout, "standardise", standardise)(features(np.arange(count)))
    labels = {n: torch.from_numpy(np.ascontiguousarray(v[:count])) for n, v in split.labels(probe.labels).items()}
    if trial.task == "depth":
        found = {"depth": _depth_maps(readout, values, labels["depth"])}
    else:
        found = probe.predict(readout, values, labels)
    kept = {name: np.ascontiguousarray(found[name]) for name in _KEPT if name in found}
    with atomic_output(_answer_path(trial)) as temporary:
        save_file(kept, temporary)


def save_truth(setting: Setting) -> None:
    """Keep the first test clips and their labels, so that the report outlives the caches."""
    from safetensors.numpy import save_file

    split, count = setting.split("test"), setting.config.examples
    labels = {name: values[:count] for name, values in split.labels(_label_names(setting)).items()}
    if "depth" in labels:
        labels["depth"] = labels["depth"][:, shown_frames(labels["depth"].shape[1])]
    if "pose" in labels:
        labels["pose"] = relative_pose(torch.from_numpy(np.array(labels["pose"]))).numpy()
    arrays = {"video": split.videos()[:count], **labels}
    with atomic_output(_truth_path(setting)) as temporary:
        save_file({name: np.ascontiguousarray(values) for name, values in arrays.items()}, temporary)


def _label_names(setting: Setting) -> list[str]:
    return [label for task in setting.config.tasks for label in STUDY_TASKS[task].probe.labels]


def _depth_maps(readout: Any, values: torch.Tensor, depth: torch.Tensor) -> np.ndarray:
    """Metres (B, F, H, W) of the shown frames, at every pixel."""
    frames = torch.from_numpy(shown_frames(depth.shape[1]))
    height, width = depth.shape[2:]
    _, pixels = sub_grid(height, width, 1)
    found = readout(values, pixels, frames, standardised=True).float().exp()
    return found.unflatten(-1, (height, width)).numpy()


def load(setting: Setting, shown: Sequence[Trial]) -> list[ClipExample]:
    """The examples of a finished comparison; none where a file of theirs is gone."""
    from safetensors.numpy import load_file

    if not shown or missing(setting, shown):
        return []
    truth = load_file(_truth_path(setting))
    answers: dict[str, dict[str, np.ndarray]] = {}
    for trial in shown:
        for name, values in load_file(_answer_path(trial)).items():
            answers.setdefault(trial.system, {})[f"{trial.task}.{name}"] = values
    return [
        ClipExample(
            index,
            truth["video"][index],
            _words({name: values[index] for name, values in truth.items() if name != "video"}),
            {
                system: _named({name: values[index] for name, values in found.items()})
                for system, found in answers.items()
            },
        )
        for index in range(len(truth["video"]))
    ]


def _words(labels: dict[str, np.ndarray]) -> dict[str, str | np.ndarray]:
    return {
        name: STUDY_TASKS[name].classes[int(v)] if name in STUDY_TASKS and v.ndim == 0 else v
        for name, v in labels.items()
    }


def _named(found: dict[str, np.ndarray]) -> dict[str, str | np.ndarray]:
    """Columns of the readouts under the names of the labels."""
    names: dict[str, str | np.ndarray] = {}
    for task, study_task in STUDY_TASKS.items():
        if study_task.classes and f"{task}.predictions" in found:
            names[task] = study_task.classes[int(found[f"{task}.predictions"].argmax())]
    return names | {label: found[column] for column, label in _LABELS.items() if column in found}


def _truth_path(setting: Setting) -> Path:
    split = setting.split("test")
    key = config_hash({"world": split.data_key, "labels": _label_names(setting), "count": setting.config.examples})
    return Path(setting.config.output_dir) / "examples" / f"truth-{key}.safetensors"


def _answer_path(trial: Trial) -> Path:
    folder = Path(trial.setting.config.output_dir) / "examples"
    return folder / f"{trial.key('test')}-{trial.setting.config.examples}.safetensors"
