# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""The comparison as a picture: one panel per task, a dot with its 95 % interval per system."""

from __future__ import annotations

import io
import math
import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ...data import atomic_output
from .results import CompareResults, Gain, SystemResult, TaskResult
from .systems import SYSTEMS, TWINS, System
from .table import format_gain, format_interval, format_score, metric_label

# Okabe and Ito's vermillion and blue: told apart under every common colour vision, and in grey.
PAPER, INK, MUTED, RULE = "#ffffff", "#1b1f24", "#5f6873", "#e8ebee"
COLOURS = {"chance": "#8d96a1", "floor": "#737c87", "i-walt": "#c2410c", "v-walt": "#0b66b2", "reference": INK}
_TITLE = "What frozen features know: an image and a video diffusion model, probed"
_SUBTITLE = (
    "Dots are test scores, lines their 95 % intervals. Top right: relative gain of V-WALT over I-WALT and its interval"
)
_STYLE: Any = {
    "font.family": "DejaVu Sans",
    "font.size": 9.0,
    "text.color": INK,
    "axes.edgecolor": RULE,
    "xtick.color": MUTED,
    "svg.fonttype": "none",
}


def save_figure(results: CompareResults, path: str | os.PathLike[str]) -> None:
    """Write figure.png: all tasks, two panels per row, at 160 dots per inch."""
    columns = min(2, len(results.tasks))
    rows = math.ceil(len(results.tasks) / columns)
    with rc_context(_STYLE):
        height = 2.85 * rows + 0.95
        figure = Figure(figsize=(5.4 * columns + 0.2, height), facecolor=PAPER)
        axes = list(figure.subplots(rows, columns, squeeze=False).flat)
        for ax, task in zip(axes, results.tasks, strict=False):
            draw_panel(ax, task)
        for ax in axes[len(results.tasks) :]:
            ax.set_axis_off()
        left = 0.5 * 2 / (5.4 * columns + 0.2)
        figure.subplots_adjust(left, 0.38 / height, 0.985, 1 - 1.38 / height, wspace=0.27, hspace=0.52)
        figure.text(0.012, 1 - 0.16 / height, _TITLE, va="top", fontsize=12.5, weight="bold")
        figure.text(0.012, 1 - 0.44 / height, _SUBTITLE, va="top", fontsize=9, color=MUTED)
        with atomic_output(Path(path)) as temporary:
            figure.savefig(temporary, dpi=160, format="png", metadata={"Software": None})


def panel_svg(task: TaskResult) -> str:
    """One panel as an `<svg>` element for inlining: text stays text, colours are CSS variables of the page."""
    with rc_context({**_STYLE, "svg.hashsalt": task.task}):
        figure = Figure(figsize=(5.0, 2.6))
        figure.patch.set_visible(False)
        draw_panel(figure.add_axes((0.17, 0.09, 0.81, 0.74)), task)
        buffer = io.StringIO()
        figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None}, transparent=True)
    return _inline(buffer.getvalue(), _description(task))


def draw_panel(ax: Axes, task: TaskResult) -> None:
    """One task: systems from the floors up, better always to the right."""
    entries = [(system, found) for system in SYSTEMS if (found := task.system(system.key))]
    for place, (system, found) in enumerate(entries):
        _draw_system(ax, task, system, found, len(entries) - 1 - place)
    ax.set_ylim(-0.6, len(entries) - 0.4)
    _shade_gap(ax, task, {system.key: len(entries) - 1 - place for place, (system, _) in enumerate(entries)})
    _frame(ax, task, [found for _, found in entries])
    _label_rows(ax, [system for system, _ in entries])
    ax.text(0, 1.17, task.title, transform=ax.transAxes, fontsize=11, weight="bold", va="bottom")
    ax.text(0, 1.06, f"{metric_label(task)}   better →", transform=ax.transAxes, fontsize=8.5, color=MUTED, va="bottom")
    if task.gain:
        _label_gain(ax, task.gain)


def _draw_system(ax: Axes, task: TaskResult, system: System, found: SystemResult, y: int) -> None:
    colour, score = _colour(system), found.score
    strong = system.role == "twin"
    ax.plot([score.low, score.high], [y, y], color=colour, lw=2.2 if strong else 1.4, solid_capstyle="butt", zorder=3)
    caps = 5.0 if strong else 3.5
    ax.plot([score.low, score.high], [y, y], "|", color=colour, ms=caps, mew=1.4, zorder=3)
    marker = "D" if system.role == "reference" else "o"
    face = PAPER if system.role in ("chance", "reference") else colour
    size = {"twin": 6.6, "reference": 4.8}.get(system.role, 4.8)
    ax.plot(score.value, y, marker, ms=size, mfc=face, mec=colour, mew=1.3, zorder=4)
    best = max(score.low, score.high) if task.higher_is_better else min(score.low, score.high)
    ax.annotate(
        format_score(task, score.value),
        (best, y),
        (6, 0),
        textcoords="offset points",
        va="center",
        color=colour,
        fontsize=9 if strong else 8,
        weight="bold" if strong else "normal",
        zorder=4,
    )


def _shade_gap(ax: Axes, task: TaskResult, y: dict[str, int]) -> None:
    """A band from I-WALT to V-WALT over their two rows, in the colour of the winner."""
    image, video = task.system("i-walt"), task.system("v-walt")
    if not (task.gain and image and video):
        return
    low, high = sorted((image.score.value, video.score.value))
    colour = COLOURS[task.gain.winner] if task.gain.winner else MUTED
    rows = (min(y[key] for key in TWINS) - 0.42, 1.84)
    ax.broken_barh([(low, high - low)], rows, color=colour, alpha=0.12, lw=0, zorder=1)


def _frame(ax: Axes, task: TaskResult, found: Sequence[SystemResult]) -> None:
    low, high = min(f.score.low for f in found), max(f.score.high for f in found)
    if task.percent:
        low = 0.0 if low < 0.35 else low
    span = (high - low) or 1.0
    # Room for the printed values on the side where better is.
    bounds = (low - 0.04 * span, high + 0.14 * span)
    ax.set_xlim(*(bounds if task.higher_is_better else (high + 0.04 * span, low - 0.14 * span)))
    ax.set_yticks([])
    ax.tick_params(axis="x", length=0, labelsize=8)
    ax.grid(axis="x", color=RULE, lw=0.8)
    ax.set_axisbelow(True)
    if task.percent:
        ax.xaxis.set_major_formatter(lambda value, _: f"{100 * value:.0f}")
    for side in ("left", "right", "top"):
        ax.spines[side].set_visible(False)


def _label_rows(ax: Axes, systems: Sequence[System]) -> None:
    for place, system in enumerate(systems):
        strong = system.role == "twin"
        ax.annotate(
            system.label,
            (0, len(systems) - 1 - place),
            (-8, 0),
            xycoords=("axes fraction", "data"),
            textcoords="offset points",
            ha="right",
            va="center",
            fontsize=9,
            weight="bold" if strong else "normal",
            color=_colour(system) if strong else MUTED,
        )


def _label_gain(ax: Axes, gain: Gain) -> None:
    winner = gain.winner
    colour = COLOURS[winner] if winner else MUTED
    words = {"v-walt": "V-WALT better", "i-walt": "I-WALT better", None: "undecided"}[winner]
    ax.text(
        1,
        1.17,
        f"{format_gain(gain)}",
        transform=ax.transAxes,
        ha="right",
        va="bottom",
        fontsize=11,
        weight="bold",
        color=colour,
    )
    ax.text(
        1,
        1.06,
        f"{format_interval(gain)}  {words}",
        transform=ax.transAxes,
        ha="right",
        va="bottom",
        fontsize=8.5,
        color=colour,
    )


def _colour(system: System) -> str:
    return COLOURS[system.key if system.role == "twin" else system.role]


def _description(task: TaskResult) -> str:
    parts = [f"{s.label} {format_score(task, f.score.value)}" for s in SYSTEMS if (f := task.system(s.key))]
    return f"{task.title}, {metric_label(task)}: {', '.join(parts)}"


def _inline(svg: str, description: str) -> str:
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>|<style.*?</style>", "", svg, flags=re.DOTALL)
    svg = re.sub(r'(width|height)="[\d.]+pt" ?', "", svg, count=2)
    svg = svg.replace(' xmlns:xlink="http://www.w3.org/1999/xlink"', "").replace(
        ' xmlns="http://www.w3.org/2000/svg"', ""
    )
    svg = re.sub(r'<g id="[^"]*"', "<g", svg)  # ids of groups repeat from panel to panel
    svg = svg.replace("xlink:href", "href").replace("'DejaVu Sans'", "var(--font)")
    names = {PAPER: "paper", INK: "ink", MUTED: "muted", RULE: "rule"}
    names |= {COLOURS[key]: key for key in ("chance", "floor", "i-walt", "v-walt")}
    for colour, name in names.items():
        svg = svg.replace(colour, f"var(--{name})")
    return svg.replace("<svg ", f'<svg role="img" aria-label="{description}" ', 1)
