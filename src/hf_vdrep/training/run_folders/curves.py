# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Curves of one or several runs: training loss, validation by noise level, validation against FLOPs."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ..plots import clean_axes, save_figure
from .folder import RunFolder

_COLOURS = ("#25406b", "#c8553d", "#4f8a5b", "#8a6fae", "#c99a2e", "#5c5c5c")
_STYLES = ("-", "--", ":", "-.")


def loss_curve(run: RunFolder, keep: float = 0.95) -> list[tuple[int, float]]:
    """(step, running mean of the training loss)."""
    points, weight, total = [], 0.0, 0.0
    for line in run.training:
        total, weight = keep * total + (1 - keep) * line["loss"], keep * weight + (1 - keep)
        points.append((int(line["step"]), total / weight))
    return points


def levels_curve(run: RunFolder) -> list[tuple[int, float]]:
    """(timestep, validation loss there) of the last validation; empty where it has no noise levels."""
    for line in reversed(run.validations):
        found = {int(key.partition("@")[2]): float(value) for key, value in line.items() if _is_level(key)}
        if found:
            return sorted(found.items())
    return []


def validation_curve(run: RunFolder, key: str) -> list[tuple[float, float]]:
    """(FLOPs spent, validation figure); empty where the run does not say what an item costs."""
    counted = [line for line in run.log if line.get("items") and line.get("step")]
    work = run.flops_per_item
    if not counted or work is None:
        return []
    # Every step has the same number of items.
    per_step = work * counted[-1]["items"] / counted[-1]["step"]
    key = "v_loss" if key == "v_loss_image" and run.kind == "I-WALT" else key
    return [(per_step * line["step"], line[f"eval/{key}"]) for line in run.validations if f"eval/{key}" in line]


def validations_of(runs: Sequence[RunFolder]) -> list[str]:
    """The figures that the runs are judged by; for twins the loss on single images, which both have."""
    keys = list(dict.fromkeys(run.validation[0] for run in runs if run.validation is not None))
    if {"I-WALT", "V-WALT"} <= {run.kind for run in runs}:
        return ["v_loss_image" if key == "v_loss" else key for key in keys]
    return keys


def plot_folders(runs: Sequence[RunFolder], output: str | os.PathLike) -> Path:
    """Draw the runs into one PNG: training loss over steps, validation by noise level, validation over FLOPs.

    A panel for which no run has anything is left out.

    Args:
        runs: at least one.
        output: PNG to write.

    Raises:
        ValueError: nothing was logged.
    """
    from matplotlib.figure import Figure

    panels: list[tuple[list[Any], dict[str, str]]] = [
        ([loss_curve(run) for run in runs], _axis("optimiser step", "training loss (running mean)", "linear")),
        ([levels_curve(run) for run in runs], _axis("timestep", "validation loss at the end, own objective", "linear")),
    ]
    for key in validations_of(runs):
        figure_of = "v_loss on single images" if key == "v_loss_image" else key
        panels.append(
            ([validation_curve(run, key) for run in runs], _axis("training FLOPs", f"validation {figure_of}", "log"))
        )
    panels = [(curves, axis) for curves, axis in panels if any(curves)]
    if not panels:
        raise ValueError(f"runs must have logged a loss or a validation, got nothing in {[run.name for run in runs]}")
    figure = Figure(figsize=(4.4 * len(panels), 3.4), layout="constrained", dpi=150)
    for axes, (curves, axis) in zip(figure.subplots(1, len(panels), squeeze=False)[0], panels, strict=True):
        _draw(axes, runs, curves, axis)
    return save_figure(figure, Path(output))


def _axis(x: str, y: str, scale: str) -> dict[str, str]:
    return {"xlabel": x, "ylabel": y, "xscale": scale}


def _draw(axes: Any, runs: Sequence[RunFolder], curves: Sequence[list], axis: dict[str, str]) -> None:
    for place, (run, points) in enumerate(zip(runs, curves, strict=True)):
        if not points:
            continue
        style = _STYLES[place // len(_COLOURS) % len(_STYLES)]
        marker = "o" if len(points) < 30 else None
        colour = _COLOURS[place % len(_COLOURS)]
        axes.plot(*zip(*points, strict=True), style, color=colour, marker=marker, markersize=3, label=run.name)
    axes.set(**axis)
    axes.legend(frameon=False, fontsize="small")
    clean_axes(axes)


def _is_level(key: str) -> bool:
    return key.startswith("eval/") and key.partition("@")[2].isdigit()
