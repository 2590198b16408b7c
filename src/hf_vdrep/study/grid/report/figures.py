# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Figures of an analysis, drawn from its points alone."""

from __future__ import annotations

import io
import math
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ....data import atomic_output
from ...compare.figure import COLOURS, INK, MUTED, PAPER, RULE
from ...paper_gains import paper_gain
from ..config import StudyConfig
from . import labels
from .points import Point, Summary

_STYLE: Any = {
    "font.family": "DejaVu Sans",
    "font.size": 9.0,
    "text.color": INK,
    "axes.edgecolor": RULE,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "svg.fonttype": "none",
}
_OTHERS = ("#737c87", "#00805a", "#a0529c", "#8a6d00", "#3b7ea1", "#5b5b5b")
_CATEGORIES = ("site", "frame_order", "backbone", "training_seed")
_COLUMNS = 3
_PANEL = (3.7, 2.5)


def draw(config: StudyConfig, summary: Summary) -> Figure | None:
    """The figure of an analysis; None where it has none.

    Args:
        config: says along which axis.
        summary: of the analysis.
    """
    with rc_context({**_STYLE, "svg.hashsalt": config.name}):
        if config.kind == "cka":
            return _matrix(summary)
        if config.kind == "quality":
            return _scatter(config, summary)
        if config.kind == "compare":
            return _gains(summary)
        if config.kind == "pictures" or not summary.tasks:
            return None
        if config.axis == "heat":
            return _heat(summary)
        panel = _categories if config.axis in _CATEGORIES else _curve
        return _panels(summary, lambda ax, task: panel(ax, summary, task, config.axis))


def save(figure: Figure, path: Path) -> None:
    """Write a PNG at 150 dots per inch."""
    with rc_context(_STYLE), atomic_output(path) as temporary:
        figure.savefig(temporary, dpi=150, format="png", facecolor=PAPER, metadata={"Software": None})


def to_svg(figure: Figure, name: str, description: str) -> str:
    """An `<svg>` element for inlining; ids carry the name, so that several stand in one page."""
    buffer = io.StringIO()
    with rc_context({**_STYLE, "svg.hashsalt": name}):
        figure.savefig(buffer, format="svg", facecolor=PAPER, metadata={"Date": None, "Creator": None})
    svg = buffer.getvalue()
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg[svg.index("<svg") :], flags=re.DOTALL)
    svg = re.sub(r'(width|height)="[\d.]+pt" ?', "", svg, count=2)
    svg = re.sub(r'(id="|url\(#|href="#)', rf"\g<1>{name}-", svg)
    return svg.replace("<svg ", f'<svg role="img" aria-label="{description}" ', 1)


def _panels(summary: Summary, panel: Callable[[Axes, str], None]) -> Figure:
    """A panel per task, a legend above."""
    tasks = summary.tasks
    columns = min(_COLUMNS, len(tasks))
    rows = math.ceil(len(tasks) / columns)
    figure = Figure(figsize=(_PANEL[0] * columns, _PANEL[1] * rows + 0.5), facecolor=PAPER, layout="constrained")
    axes = list(figure.subplots(rows, columns, squeeze=False).flat)
    for ax, task in zip(axes, tasks, strict=False):
        panel(ax, task)
        _finish(ax, summary, task)
    for ax in axes[len(tasks) :]:
        ax.set_axis_off()
    handles, names = _unique(axes[: len(tasks)])
    if handles:
        figure.legend(handles, names, loc="outside upper left", ncols=6, frameon=False, fontsize=9)
    return figure


def _finish(ax: Axes, summary: Summary, task: str) -> None:
    point = summary.select(task=task)[0]
    ax.set_title(labels.task_title(task), loc="left", fontsize=10, weight="bold")
    ax.set_ylabel(labels.metric_label(point.metric, point.higher_is_better), fontsize=8, color=MUTED)
    ax.grid(axis="y", color=RULE, lw=0.8)
    ax.set_axisbelow(True)
    ax.tick_params(length=0, labelsize=8)
    for side in ("top", "right", "left"):
        ax.spines[side].set_visible(False)


def _unique(axes: Sequence[Axes]) -> tuple[list[Any], list[str]]:
    found: dict[str, Any] = {}
    for ax in axes:
        for handle, name in zip(*ax.get_legend_handles_labels(), strict=True):
            found.setdefault(name, handle)
    return list(found.values()), list(found)


def _curve(ax: Axes, summary: Summary, task: str, axis: str) -> None:
    """A line with its band for each model; models without the axis are level lines."""
    places = sorted({p.at(axis) for p in summary.select(task=task) if p.at(axis) is not None})
    spot = {place: number for number, place in enumerate(places)}
    for number, twin in enumerate(summary.twins):
        points = sorted(
            (p for p in summary.select(task=task, twin=twin) if p.at(axis) is not None), key=lambda p: p.at(axis)
        )
        factor = labels.scale(points[0].metric) if points else 1.0
        colour = _colour(twin, number)
        if axis == "parameters" or len(points) == 1:
            _dots(ax, [spot[p.at(axis)] for p in points], points, colour, labels.system_label(twin))
            continue
        xs = [spot[p.at(axis)] for p in points]
        ax.plot(xs, [factor * p.value for p in points], "o-", color=colour, ms=4, label=labels.system_label(twin))
        ax.fill_between(
            xs, [factor * p.low for p in points], [factor * p.high for p in points], color=colour, alpha=0.15
        )
    depth = next((p.num_layers for p in summary.select(task=task) if p.num_layers), None)
    words = [labels.place_words(axis, place, None if axis == "layer" else depth) for place in places]
    ax.set_xticks(range(len(places)), words)
    ax.set_xlabel(labels.axis_label(axis), fontsize=8, color=MUTED)


def _categories(ax: Axes, summary: Summary, task: str, axis: str) -> None:
    """Dots with intervals; places that are words, in the order of the rows."""
    places = list(dict.fromkeys(p.at(axis) for p in summary.select(task=task) if p.at(axis) is not None))
    if axis == "training_seed":
        places.sort()
    elif axis != "backbone":
        places.sort(key=lambda place: _RANK.index(place) if place in _RANK else 99)
    for number, twin in enumerate(summary.twins):
        points = [p for p in summary.select(task=task, twin=twin) if p.at(axis) in places]
        shift = 0.0 if axis == "backbone" else 0.16 * (number - (len(summary.twins) - 1) / 2)
        name = None if axis == "backbone" else labels.system_label(twin)
        _dots(ax, [places.index(p.at(axis)) + shift for p in points], points, _colour(twin, number), name)
    words = [labels.place_words(axis, place) for place in places]
    if axis == "training_seed":
        words = [f"training {word}" for word in words]
    ax.set_xticks(
        range(len(places)),
        words,
        rotation=40 if axis == "backbone" else 0,
        ha="right" if axis == "backbone" else "center",
    )
    ax.set_xlim(-0.6, len(places) - 0.4)


_RANK = ("forward", "shuffled", "reversed", "frozen", "block", "middle", "attention", "mlp")


def _dots(ax: Axes, xs: Sequence[float], points: Sequence[Point], colour: str, name: str | None) -> None:
    if not points:
        return
    factor = labels.scale(points[0].metric)
    values = np.array([p.value for p in points])
    bars = np.array([[p.value - p.low for p in points], [p.high - p.value for p in points]])
    bars = np.nan_to_num(np.maximum(bars, 0.0))
    ax.errorbar(xs, factor * values, factor * bars, fmt="o", color=colour, ms=5, lw=1.5, capsize=2, label=name)


def _heat(summary: Summary) -> Figure:
    """Block x noise level, a panel per task and twin, one scale per task; the best cell is outlined."""
    tasks, twins = summary.tasks, summary.twins
    figure = Figure(figsize=(3.4 * len(twins), 2.7 * len(tasks)), facecolor=PAPER, layout="constrained")
    axes = figure.subplots(len(tasks), len(twins), squeeze=False)
    for row, task in zip(axes, tasks, strict=True):
        points = summary.select(task=task)
        factor, bounds = labels.scale(points[0].metric), (min(p.value for p in points), max(p.value for p in points))
        for ax, twin in zip(row, twins, strict=True):
            _heat_panel(ax, [p for p in points if p.twin == twin], factor, bounds)
            ax.set_title(
                f"{labels.task_title(task)}, {labels.system_label(twin)}", loc="left", fontsize=10, weight="bold"
            )
    return figure


def _heat_panel(ax: Axes, points: Sequence[Point], factor: float, bounds: tuple[float, float]) -> None:
    layers, levels = (sorted({p.settings[name] for p in points}) for name in ("layer", "timestep"))
    grid = np.full((len(layers), len(levels)), np.nan)
    for p in points:
        grid[layers.index(p.settings["layer"]), levels.index(p.settings["timestep"])] = factor * p.value
    better = points[0].higher_is_better
    ax.imshow(
        grid,
        cmap="Blues" if better else "Blues_r",
        origin="lower",
        aspect="auto",
        vmin=factor * bounds[0],
        vmax=factor * bounds[1],
    )
    best = np.unravel_index(np.nanargmax(grid) if better else np.nanargmin(grid), grid.shape)
    middle = factor * sum(bounds) / 2
    for row, column in np.ndindex(grid.shape):
        dark = (grid[row, column] > middle) == better
        text = f"{grid[row, column]:.1f}" if factor > 1 else f"{grid[row, column]:.3f}"
        weight = "bold" if (row, column) == tuple(int(x) for x in best) else "normal"
        ax.text(column, row, text, ha="center", va="center", fontsize=8, color=PAPER if dark else INK, weight=weight)
    ax.set_xticks(range(len(levels)), [str(level) for level in levels])
    ax.set_yticks(range(len(layers)), [str(layer + 1) for layer in layers])
    ax.set_xlabel("noise level", fontsize=8, color=MUTED)
    ax.set_ylabel("block", fontsize=8, color=MUTED)
    ax.tick_params(length=0, labelsize=8)


def _matrix(summary: Summary) -> Figure:
    """CKA of every pair of places."""
    names = list(dict.fromkeys(name for p in summary.points for name in (p.other["first"], p.other["second"])))
    grid = np.full((len(names), len(names)), np.nan)
    for p in summary.points:
        row, column = names.index(p.other["first"]), names.index(p.other["second"])
        grid[row, column] = grid[column, row] = p.value
    side = 0.26 * len(names) + 2.2
    figure = Figure(figsize=(side + 0.6, side), facecolor=PAPER, layout="constrained")
    ax = figure.add_subplot()
    picture = ax.imshow(grid, cmap="viridis", vmin=0, vmax=1)
    ax.set_xticks(range(len(names)), names, rotation=90, fontsize=7)
    ax.set_yticks(range(len(names)), names, fontsize=7)
    ax.tick_params(length=0)
    figure.colorbar(picture, ax=ax, shrink=0.6, label="linear CKA, debiased")
    return figure


def _scatter(config: StudyConfig, summary: Summary) -> Figure | None:
    """Quality along the training: a panel per measure, a line per twin."""
    metrics = [m for m in dict.fromkeys(p.metric for p in summary.points) if "precision" not in m and "recall" not in m]
    columns = min(_COLUMNS, len(metrics))
    rows = math.ceil(len(metrics) / columns)
    figure = Figure(figsize=(_PANEL[0] * columns, _PANEL[1] * rows + 0.5), facecolor=PAPER, layout="constrained")
    axes = list(figure.subplots(rows, columns, squeeze=False).flat)
    for ax, metric in zip(axes, metrics, strict=False):
        for number, twin in enumerate(summary.twins):
            points = summary.select(primary=False, metric=metric, twin=twin)
            points = sorted(points, key=lambda p: p.settings["fraction"] or 1.0)
            xs = [100 * (p.settings["fraction"] or 1.0) for p in points]
            _dots(ax, xs, points, _colour(twin, number), labels.system_label(twin))
            ax.plot(xs, [p.value for p in points], color=_colour(twin, number), lw=1)
        ax.set_title(labels.metric_label(metric, metric.endswith(("precision", "recall"))), loc="left", fontsize=10)
        ax.set_xlabel("share of the training, %", fontsize=8, color=MUTED)
        ax.grid(axis="y", color=RULE, lw=0.8)
        ax.tick_params(length=0, labelsize=8)
    for ax in axes[len(metrics) :]:
        ax.set_axis_off()
    handles, names = _unique(axes[: len(metrics)])
    figure.legend(handles, names, loc="outside upper left", ncols=6, frameon=False, fontsize=9)
    return figure


def _gains(summary: Summary) -> Figure | None:
    """Our gains with intervals, the paper's beside them."""
    gains = list(summary.gains)
    if not gains:
        return None
    figure = Figure(figsize=(7.6, 0.42 * len(gains) + 1.3), facecolor=PAPER, layout="constrained")
    ax = figure.add_subplot()
    for number, gain in enumerate(reversed(gains)):
        colour = COLOURS[gain.winner] if gain.winner else MUTED
        ax.plot([gain.low, gain.high], [number, number], color=colour, lw=2)
        ax.plot(gain.value, number, "o", color=colour, ms=6, label="here" if number == len(gains) - 1 else None)
        published = paper_gain(gain.task)
        if published:
            name = "paper" if number == len(gains) - 1 else None
            ax.plot(published.gain, number, "D", mfc="none", mec=INK, ms=5, label=name)
    ax.axvline(0, color=INK, lw=0.8)
    ax.set_yticks(range(len(gains)), [labels.task_title(gain.task) for gain in reversed(gains)])
    ax.set_xlabel("gain of V-WALT over I-WALT, %, with 95 % interval", color=MUTED)
    ax.set_xscale("symlog", linthresh=20)
    ax.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
    ax.grid(axis="x", color=RULE, lw=0.8)
    ax.tick_params(length=0)
    ax.legend(loc="lower right", frameon=False, fontsize=8)
    for side in ("top", "right", "left"):
        ax.spines[side].set_visible(False)
    return figure


def _colour(twin: str, number: int) -> str:
    if twin in ("i-walt", "v-walt", "chance"):
        return COLOURS[twin]
    return _OTHERS[number % len(_OTHERS)]
