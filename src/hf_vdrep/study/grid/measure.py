# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Training and testing the readouts that one pass over the clips serves; the unit of work."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch

from ...features import autocast_name
from ...metrics.samples import per_sample
from ...probes import FitConfig, ProbeData, TestSplit, fit_readout
from ...probes.fit import Member
from ..compare.rows import config_hash, package_versions
from .cells import Cell, Source
from .feature_maps import Maps, extract_maps, forward_flops
from .rows import StudyRow, write_shard
from .systems import checkpoint_of, num_parameters, open_system
from .world import Clips

# Raised whenever the same settings would give other scores.
FORMAT = 1
PER_CLASS = "per_class_mean"
Scores = dict[str, np.ndarray]


@dataclass(frozen=True)
class GroupJob:
    """Cells of one source, measured and written one by one.

    Attributes:
        study: name of the analysis.
        clips: the world.
        source: that all cells share.
        cells: what is measured.
        folder: that shards are written to.
    """

    study: str
    clips: Clips
    source: Source
    cells: tuple[Cell, ...]
    folder: Path

    def run(self) -> int:
        """Write a shard per cell; returns how many."""
        torch.set_num_threads(1)
        maps = Extracted(self.clips, self.source, self.cells)
        for cell in self.cells:
            rows = measure(self.study, self.clips, cell, maps)
            write_shard(self.folder, rows, f"{self.study}-{cell_hash(self.clips, cell, cell.frame_orders[0])}")
        return len(self.cells)


class Extracted:
    """Features of every split that a group's cells need, made once.

    Args:
        clips: the world.
        source: of the features.
        cells: what will be measured.
    """

    def __init__(self, clips: Clips, source: Source, cells: Sequence[Cell]) -> None:
        self.clips, self.source = clips, source
        layers = sorted({cell.layer for cell in cells})
        orders = list(dict.fromkeys(order for cell in cells for order in cell.frame_orders))
        sizes = dict(clips.sizes)
        begin = time.perf_counter()
        self._maps: dict[tuple[str, str], dict[int, Maps]] = {
            ("train", "forward"): extract_maps(clips, source, layers, "train", max(cell.train_size for cell in cells)),
            ("validation", "forward"): extract_maps(clips, source, layers, "validation", sizes["validation"]),
        }
        for order in orders:
            self._maps["test", order] = extract_maps(clips, source, layers, "test", sizes["test"], order)
        self.seconds = (time.perf_counter() - begin) / len(cells)

    def data(self, cell: Cell, split: str, rows: int, order: str = "forward") -> ProbeData:
        """Features and labels of the task's clips among the first `rows` of a split."""
        maps, where, probe = self._maps[split, order][cell.layer], self.clips.split(split), cell.study_task.probe
        members = where.rows(cell.task, rows)
        labels = {name: values[:rows][members] for name, values in where.labels(probe.labels).items()}
        num_frames = where.videos().shape[1] if probe.reads == "clip" else 1
        return ProbeData(maps.values[torch.from_numpy(members)], labels, maps.frame_spans, num_frames, split)


def measure(study: str, clips: Clips, cell: Cell, maps: Extracted) -> list[StudyRow]:
    """Train a cell's readouts, choose the rate on validation, score that one on the test clips in every order."""
    begin, probe, sizes = time.perf_counter(), cell.study_task.probe, dict(clips.sizes)

    def score(columns: Mapping[str, np.ndarray]) -> float:
        return _mean(per_sample(probe.metric, columns)[probe.primary])

    found = fit_readout(
        probe,
        maps.data(cell, "train", cell.train_size),
        maps.data(cell, "validation", sizes["validation"]),
        score=score,
        config=fit_of(cell),
        options=cell.study_task.options,
    )
    (kept,) = found.chosen
    scored = {}
    for order in cell.frame_orders:
        (columns,) = TestSplit(maps.data(cell, "test", sizes["test"], order)).predict(probe, kept.readout)
        scored[order] = per_sample(probe.metric, columns)
    seconds = maps.seconds + time.perf_counter() - begin
    return [row for order in scored for row in _rows(study, clips, cell, kept, order, scored[order], seconds)]


def fit_of(cell: Cell) -> FitConfig:
    """The task's own training with the cell's rates, seed and length; the seed also orders the batches."""
    return dataclasses.replace(
        cell.study_task.probe.fit,
        learning_rates=cell.learning_rates,
        seeds=(cell.seed,),
        order_seed=cell.seed,
        steps=cell.steps,
    )


def cell_hash(clips: Clips, cell: Cell, order: str) -> str:
    """Hash of everything that decides a cell's score on test clips in an order."""
    versions, source = package_versions(), cell.source
    return config_hash(
        {
            "format": FORMAT,
            "task": cell.task,
            "world": clips.split("train").data_key,
            "splits": clips.sizes,
            "order": order,
            "backbone": [fingerprint_of(source), cell.layer, source.timestep, source.site, clips.seed],
            "arithmetic": autocast_name("auto", torch.device("cpu")),
            "fit": dataclasses.asdict(fit_of(cell)),
            "options": cell.study_task.options,
            "train_size": cell.train_size,
            "versions": {name: versions[name] for name in ("hf_vdrep", "torch")},
        }
    )


def fingerprint_of(source: Source) -> str:
    """Of a source's model; models are opened once for it."""
    return _fingerprint(source.backbone, source.reading, source.site)


@lru_cache(maxsize=512)
def _fingerprint(spec: str, reading: str | None, site: str) -> str:
    return open_system(spec, reading, site).fingerprint


def _rows(
    study: str, clips: Clips, cell: Cell, kept: Member, order: str, scores: Scores, seconds: float
) -> list[StudyRow]:
    """The primary metric's row and those of the secondary ones."""
    task, probe = cell.study_task, cell.study_task.probe
    more = (PER_CLASS,) if PER_CLASS in scores else ()
    common = StudyRow(
        study=study,
        kind="probe",
        task=cell.task,
        dataset=f"probeworld-{clips.split('test').data_key}",
        split="test",
        **describe(cell.source, cell.layer),
        metric=probe.primary,
        value=0.0,
        n=0,
        config_hash=cell_hash(clips, cell, order),
        higher_is_better=probe.higher_is_better,
        reading=cell.source.reading,
        frame_order=order,
        readout=type(kept.readout).__name__,
        steps=cell.steps,
        train_size=cell.train_size,
        seed=cell.seed,
        learning_rate=kept.learning_rate,
        validation=kept.score,
        wall_time=round(seconds, 3),
        flops=_flops(clips, cell.source, cell.layer) if cell.source.timestep is not None else None,
    )
    lower = ("abs_rel", "rmse", "epe", "rotation", "translation")
    return [
        dataclasses.replace(
            common,
            metric=name,
            primary=name == probe.primary,
            higher_is_better=name not in lower,
            value=_mean(scores[name]),
            n=int(np.isfinite(scores[name]).sum()),
            per_sample=scores[name],
        )
        for name in (probe.primary, *task.secondary, *more)
    ]


def describe(source: Source, layer: int | None) -> dict:
    """The columns that say which model was tapped where."""
    backbone = open_system(source.backbone, source.reading, source.site)
    has_blocks = layer is not None and backbone.num_layers > 1
    return {
        "backbone": source.backbone,
        **checkpoint_of(source.backbone),
        "revision": fingerprint_of(source),
        "parameters": num_parameters(backbone),
        "layer": layer if has_blocks else None,
        "num_layers": backbone.num_layers if has_blocks else None,
        "timestep": source.timestep,
        "site": source.site if has_blocks else None,
    }


def _flops(clips: Clips, source: Source, layer: int) -> int:
    # Work does not depend on the noise level, nor on how far the weights were trained.
    twin, level = checkpoint_of(source.backbone)["twin"], 0
    return _counted(clips, dataclasses.replace(source, backbone=twin, timestep=level), layer)


@lru_cache(maxsize=256)
def _counted(clips: Clips, source: Source, layer: int) -> int:
    return forward_flops(clips, source, layer)


def _mean(values: np.ndarray) -> float:
    kept = values[~np.isnan(values)]
    return float(kept.mean()) if kept.size else float("nan")
