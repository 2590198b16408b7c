# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Training one readout on one cell, and scoring it; the unit of work, and of the ledger."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from ...data import atomic_output
from ...features import autocast_name
from ...metrics.samples import per_sample
from ...probes import FitConfig, ProbeData, TestSplit, fit_readout
from .features import Source, open_rows
from .rows import ResultRow, config_hash, package_versions
from .setting import Setting
from .tasks import STUDY_TASKS, StudyTask

# Raised whenever the same settings would give other scores.
FORMAT = 3
STUDY = "compare"


@dataclass(frozen=True)
class Trial:
    """One readout on one cell.

    Attributes:
        setting: of the comparison.
        task, system, reading, layer, timestep: the cell.
        learning_rate, seed, steps: of the readout's training.
        train_rows: training clips.
    """

    setting: Setting
    task: str
    system: str
    reading: str | None
    layer: int
    timestep: int | None
    learning_rate: float
    seed: int
    steps: int
    train_rows: int

    @property
    def study_task(self) -> StudyTask:
        return STUDY_TASKS[self.task]

    @property
    def source(self) -> Source:
        return Source(self.system, self.reading, self.study_task.probe.reads)

    @property
    def fit(self) -> FitConfig:
        """The task's own training, with this trial's rate, seed and length; the seed also orders the batches."""
        return dataclasses.replace(
            self.study_task.probe.fit,
            learning_rates=(self.learning_rate,),
            seeds=(self.seed,),
            order_seed=self.seed,
            steps=self.steps,
        )

    def key(self, split: str) -> str:
        """Hash of everything that decides this trial's score on a split."""
        backbone = self.setting.backbone(self.system, self.reading)
        versions = package_versions()
        return config_hash(
            {
                "format": FORMAT,
                "task": self.task,
                "world": self.setting.split("train").data_key,
                "split": [split, self.setting.split(split).size, self.setting.config.validation_size],
                "backbone": [self.system, backbone.fingerprint, self.layer, self.timestep, self.setting.config.seed],
                "arithmetic": autocast_name("auto", backbone.device),
                "fit": dataclasses.asdict(self.fit),
                "options": self.study_task.options,
                "train_rows": self.train_rows,
                "versions": {name: versions[name] for name in ("hf_vdrep", "torch")},
            }
        )

    def readout_path(self) -> Path:
        """Where the trained readout is kept."""
        return self.setting.cache / "readouts" / f"{self.key('validation')}.safetensors"

    def data(self, split: str, rows: int) -> ProbeData:
        """Features and labels of the task's clips among the first `rows` of a split."""
        where, probe = self.setting.split(split), self.study_task.probe
        features = open_rows(self.setting, self.source, where, rows, self.layer, self.timestep)
        labels = {name: values[:rows] for name, values in where.labels(probe.labels).items()}
        num_frames = where.videos().shape[1] if probe.reads == "clip" else 1
        members = where.rows(self.task, rows)
        if len(members) == rows:
            return ProbeData(features, labels, features.frame_spans, num_frames, split)
        labels = {name: values[members] for name, values in labels.items()}
        return ProbeData(lambda wanted: features(members[wanted]), labels, features.frame_spans, num_frames, split)

    def row(self, split: str, scores: Mapping[str, np.ndarray], value: float, seconds: float) -> ResultRow:
        """The ledger's row for per-sample scores on a split."""
        probe = self.study_task.probe
        primary = scores[probe.primary]
        has_blocks = self.setting.backbone(self.system, self.reading).uses_timestep
        return ResultRow(
            study=STUDY,
            task=self.task,
            dataset=f"probeworld-{self.setting.split(split).data_key}",
            split=split,
            backbone=self.system,
            revision=self.setting.backbone(self.system, self.reading).fingerprint,
            layer=self.layer if has_blocks else None,
            timestep=self.timestep,
            reading=self.reading,
            readout=f"{probe.name}, {self.steps} steps on {self.train_rows} clips",
            learning_rate=self.learning_rate,
            seed=self.seed,
            metric=probe.primary,
            value=value,
            n=int(np.isfinite(primary).sum()),
            config_hash=self.key(split),
            wall_time=round(seconds, 3),
            flops=forward_flops(self.setting, self.source, self.layer, self.timestep) if has_blocks else None,
            per_sample={name: scores[name] for name in (probe.primary, *self.study_task.secondary)},
        )


def train(trials: tuple[Trial, ...], keep: bool) -> list[ResultRow]:
    """Train trials that differ in their learning rate alone, side by side, and score them on validation.

    Args:
        trials: of one cell, seed and length.
        keep: write the readouts, for the test.

    Returns:
        A row per trial, in their order.
    """
    begin, first = time.perf_counter(), trials[0]
    probe = first.study_task.probe
    validation = first.data("validation", first.setting.config.validation_size)
    scored: list[dict[str, np.ndarray]] = []

    def score(columns: dict[str, np.ndarray]) -> float:
        scored.append(per_sample(probe.metric, columns))
        return _mean(scored[-1][probe.primary])

    config = dataclasses.replace(first.fit, learning_rates=tuple(trial.learning_rate for trial in trials))
    found = fit_readout(
        probe,
        first.data("train", first.train_rows),
        validation,
        score=score,
        config=config,
        options=first.study_task.options,
    )
    if keep:
        for trial, member in zip(trials, found.members, strict=True):
            save_readout(member.readout, trial.readout_path())
    seconds = (time.perf_counter() - begin) / len(trials)
    return [
        trial.row("validation", scores, member.score, seconds)
        for trial, member, scores in zip(trials, found.members, scored, strict=True)
    ]


def test(trial: Trial) -> ResultRow:
    """Score a kept readout on the test split, through the task's `evaluate` module."""
    begin, probe = time.perf_counter(), trial.study_task.probe
    readout = load_readout(trial)
    (columns,) = TestSplit(trial.data("test", trial.setting.config.test_size)).predict(probe, readout)
    return trial.row("test", per_sample(probe.metric, columns), evaluated(probe, columns), time.perf_counter() - begin)


def evaluated(probe: Any, columns: Mapping[str, np.ndarray]) -> float:
    """The primary value, by the `evaluate` module."""
    from ...metrics import load

    return float(load(probe.metric).compute(**columns)[probe.primary])


def save_readout(readout: nn.Module, path: Path) -> None:
    """Write a readout's weights."""
    from safetensors.torch import save_file

    with atomic_output(path) as temporary:
        save_file({name: value.contiguous() for name, value in readout.state_dict().items()}, temporary)


def load_readout(trial: Trial, path: Path | None = None) -> nn.Module:
    """A kept readout, in evaluation mode; `path` where it lies elsewhere than the trial's settings say."""
    from safetensors.torch import load_file

    options = trial.study_task.options
    readout = trial.study_task.probe.make(trial.data("validation", trial.setting.config.validation_size), **options)
    readout.load_state_dict(load_file(path or trial.readout_path()))
    return readout.eval()


@lru_cache(maxsize=64)
def _flops(system: str, reading: str | None, shape: tuple[int, ...], layer: int, timestep: int, paths: tuple) -> int:
    from torch.utils.flop_counter import FlopCounterMode

    from .setting import _open

    backbone = _open(system, reading, *paths)
    with FlopCounterMode(display=False) as counter:
        inputs = backbone.prepare(torch.zeros(shape, dtype=torch.uint8))
        backbone.extract(inputs, sample_ids=["flops"], layers=[layer], timesteps=[timestep])
    return int(counter.get_total_flops())


def forward_flops(setting: Setting, source: Source, layer: int, timestep: int | None) -> int | None:
    """Multiplications and additions of tokenizer and backbone up to a block, for one sample."""
    if timestep is None:
        return None
    world = setting.world
    frames = world.num_frames if source.reads == "clip" else 1
    shape = (1, frames, world.resolution, world.resolution, 3)
    paths = (setting.config.i_walt, setting.config.v_walt)
    return _flops(source.system, source.reading, shape, layer, timestep, paths)


def _mean(values: np.ndarray) -> float:
    kept = values[~np.isnan(values)]
    return float(kept.mean()) if kept.size else float("nan")
