# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Names and numbers as readers see them."""

from __future__ import annotations

import math
from typing import Any

from ...compare.systems import SYSTEMS
from ...compare.tasks import STUDY_TASKS
from .points import Point, StudyGain

_SYSTEMS = {system.key: system.label for system in SYSTEMS}
_AXES = {
    "timestep": "noise level",
    "layer": "block",
    "fraction": "share of the training",
    "site": "place",
    "frame_order": "frames",
    "train_size": "training clips",
    "training_seed": "training",
    "parameters": "parameters",
    "backbone": "model",
}
_METRICS = {
    "top_1": "top-1",
    "top_5": "top-5",
    "per_class_mean": "mean per class",
    "abs_rel": "AbsRel",
    "delta_1": "δ1",
    "epe": "EPE m",
    "average_jaccard": "AJ",
    "delta_avg": "δ avg",
    "mean_iou": "mIoU",
    "v_loss": "denoising loss",
}
_SHARES = ("top_1", "top_5", "per_class_mean", "average_jaccard", "delta_avg", "mean_iou", "delta_1")


def task_title(task: str) -> str:
    """Of the ten, else as it is."""
    return STUDY_TASKS[task].title if task in STUDY_TASKS else task


def system_label(twin: str) -> str:
    """I-WALT for "i-walt", the floors' labels; specs as they are."""
    return _SYSTEMS.get(twin, twin)


def axis_label(axis: str) -> str:
    """Heading of an axis."""
    return _AXES.get(axis, axis.replace("_", " "))


def metric_label(metric: str, higher_is_better: bool) -> str:
    """Metric, unit and direction, as "top-1 % ↑"."""
    unit = " %" if metric in _SHARES else ""
    return f"{metric_words(metric)}{unit} {'↑' if higher_is_better else '↓'}"


def metric_words(metric: str) -> str:
    """Name of a metric, as "AbsRel" or "image Fréchet distance"."""
    return _METRICS.get(metric, metric.replace("_", " ").replace("frechet", "Fréchet"))


def shown(metric: str, value: float) -> str:
    """A value without its unit."""
    if not math.isfinite(value):
        return "–"
    return f"{100 * value:.1f}" if metric in _SHARES else f"{value:.3f}"


def shown_change(metric: str, value: float) -> str:
    """A difference of two values, with its sign and without its unit."""
    text = f"{100 * value:+.1f}" if metric in _SHARES else f"{value:+.3f}"
    return text.replace("-", "−")


def scale(metric: str) -> float:
    """What values are multiplied with in figures."""
    return 100.0 if metric in _SHARES else 1.0


def with_interval(point: Point) -> str:
    """ "31.4 [26.1, 36.9]"."""
    text = shown(point.metric, point.value)
    if not (math.isfinite(point.low) and math.isfinite(point.high)):
        return text
    return f"{text} [{shown(point.metric, point.low)}, {shown(point.metric, point.high)}]"


def signed(value: float) -> str:
    """One decimal, a sign, and the minus of print."""
    return f"{value:+.1f}".replace("-", "−")


def gain_words(gain: StudyGain) -> str:
    """ "+24.9 % [−8.2, +65.4]"."""
    return f"{signed(gain.value)} % [{signed(gain.low)}, {signed(gain.high)}]"


def place_words(axis: str, value: Any, num_layers: int | None = None) -> str:
    """A place along an axis."""
    if value is None:
        return "–"
    if axis == "layer":
        return f"{value + 1} of {num_layers}" if num_layers else str(value + 1)
    if axis == "fraction":
        return f"{100 * value:.0f} %"
    if axis == "parameters":
        return f"{value / 1e6:.2f} M"
    if axis == "backbone":
        return system_label(value)
    return f"{value:,}" if isinstance(value, int) and axis == "train_size" else str(value)
