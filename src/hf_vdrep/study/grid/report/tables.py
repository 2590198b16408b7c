# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""The table of an analysis."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..config import StudyConfig
from . import labels, trainings
from .points import Point, StudyGain, Summary
from .table import Table


def table_of(config: StudyConfig, summary: Summary) -> Table:
    """The table of an analysis."""
    if config.kind == "cka":
        return _matrix(summary)
    if config.kind in ("quality", "pictures"):
        return _list(summary)
    if config.axis == "training_seed":
        return trainings.table_of(summary)
    return _grid(config, summary)


def _grid(config: StudyConfig, summary: Summary) -> Table:
    """Task x place along the axis; a column per model, then the gain and the paper's."""
    axes = _axes(config)
    gained = bool(summary.gains)
    head = ["task", "metric", *(labels.axis_label(axis) for axis in axes)]
    head += [labels.system_label(twin) for twin in summary.twins]
    head += ["gain of V-WALT", "paper"] if gained else []
    body: list[tuple[str, ...]] = []
    bold: set[tuple[int, int]] = set()
    for task in summary.tasks:
        for place in _places(summary, task, axes):
            row, winner = _row(summary, task, axes, place, gained)
            if winner:
                bold.add((len(body), 2 + len(axes) + summary.twins.index(winner)))
            body.append(tuple(row))
    return Table(tuple(head), tuple(body), frozenset(bold), 2 + len(axes))


def _axes(config: StudyConfig) -> list[str]:
    if config.axis == "heat":
        return ["layer", "timestep"]
    if config.kind == "compare" or config.axis in ("backbone", "parameters"):
        return []
    return [config.axis]


def _places(summary: Summary, task: str, axes: Sequence[str]) -> list[tuple]:
    """Places at which anything was measured, in rising order where they are numbers."""
    found = dict.fromkeys(tuple(point.at(axis) for axis in axes) for point in summary.select(task=task))
    known = [place for place in found if None not in place] or list(found)
    return sorted(known) if all(isinstance(x, (int, float)) for place in known for x in place) else known


def _row(summary: Summary, task: str, axes: Sequence[str], place: tuple, gained: bool) -> tuple[list[str], str | None]:
    where = dict(zip(axes, place, strict=True))
    points = {twin: _one(summary, task, twin, where) for twin in summary.twins}
    some = next(point for point in points.values() if point is not None)
    cells = [labels.task_title(task), labels.metric_label(some.metric, some.higher_is_better)]
    layers = next((p.num_layers for p in points.values() if p is not None and p.num_layers), None)
    cells += [labels.place_words(axis, value, layers) for axis, value in where.items()]
    cells += [labels.with_interval(point) if point is not None else "–" for point in points.values()]
    gain = next((g for g in summary.gains if g.task == task and all(g.at(k) == v for k, v in where.items())), None)
    if gained:
        cells += [labels.gain_words(gain) if gain else "–", _paper(gain)]
    return cells, gain.winner if gain else None


def _one(summary: Summary, task: str, twin: str, where: dict[str, Any]) -> Point | None:
    """The point of a model at a place; one without the axis (a floor without noise levels) stands at all places."""
    found = summary.select(task=task, twin=twin)
    fits = [p for p in found if all(p.at(axis) in (value, None) for axis, value in where.items())]
    if not fits:
        return None
    sign = 1 if fits[0].higher_is_better else -1
    return max(fits, key=lambda point: sign * (point.validation or 0.0))  # the test clips choose nothing


def _paper(gain: StudyGain | None) -> str:
    return f"{gain.paper:+g} %" if gain and gain.paper is not None else "–"


def _list(summary: Summary) -> Table:
    """One row a point."""
    body = [
        (
            labels.task_title(point.task),
            labels.system_label(point.twin),
            labels.place_words("fraction", point.settings["fraction"]),
            labels.metric_label(point.metric, point.higher_is_better),
            labels.with_interval(point),
        )
        for point in sorted(summary.points, key=lambda p: (p.task, p.metric, p.twin, p.settings["fraction"] or 0))
    ]
    return Table(("of", "model", "share of the training", "measure", "value"), tuple(body), words=4)


def _matrix(summary: Summary) -> Table:
    """Pairs of places that say most: the same block of both twins, and each twin against the floors."""
    body = []
    for point in summary.points:
        first, second = point.other["first"], point.other["second"]
        if first != second:
            body.append((first, second, labels.with_interval(point)))
    return Table(("first", "second", "CKA, debiased"), tuple(body), words=2)
