# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Loss curves from a run's log."""

import os
from pathlib import Path
from typing import Any

from .log import read_log


def plot_log(log: str | os.PathLike, output: str | os.PathLike, *, title: str) -> Path:
    """Draw a run's training loss and its validation figures over the samples seen, as a PNG.

    Args:
        log: `log.jsonl`.
        output: PNG to write.
        title: heading.
    """
    from matplotlib.figure import Figure

    records = read_log(log)
    train = [record for record in records if "loss" in record]
    checks = [record for record in records if any(key.startswith("eval/") for key in record)]
    keys = [key for key in (checks[-1] if checks else {}) if key.startswith("eval/") and "@" not in key]
    figure = Figure(figsize=(4.2 * (1 + bool(keys)), 3.2), layout="constrained", dpi=150)
    axes = figure.subplots(1, 1 + bool(keys), squeeze=False)[0]
    steps, losses = [r["step"] for r in train], [r["loss"] for r in train]
    axes[0].plot(steps, losses, color="#b8c4d6", linewidth=0.7, label="batch")
    axes[0].plot(steps, _smooth(losses), color="#25406b", linewidth=1.6, label="running mean")
    axes[0].set(xlabel="optimiser step", ylabel="training loss", yscale="log")
    axes[0].legend(frameon=False)
    for key in keys:
        points = [(r["step"], r[key]) for r in checks if key in r]
        axes[1].plot(*zip(*points, strict=True), marker="o", markersize=3, label=key.removeprefix("eval/"))
        axes[1].set(xlabel="optimiser step", ylabel="validation (averaged weights)")
        axes[1].legend(frameon=False)
    for axis in axes:
        clean_axes(axis)
    figure.suptitle(title)
    return save_figure(figure, Path(output))


def plot_levels(log: str | os.PathLike, output: str | os.PathLike, *, title: str) -> Path | None:
    """Draw the validation loss of every noise level over the steps, early levels light, as a PNG.

    Levels are the figures named `eval/<name>@<timestep>`.

    Args:
        log: `log.jsonl`.
        output: PNG to write.
        title: heading.

    Returns:
        The PNG, or None where the log has no levels.
    """
    import matplotlib
    from matplotlib.figure import Figure

    found: dict[int, list[tuple[int, float]]] = {}
    for record in read_log(log):
        for key, value in record.items():
            name, _, level = key.partition("@")
            if name.startswith("eval/") and level.isdigit():
                found.setdefault(int(level), []).append((record["step"], value))
    if not found:
        return None
    figure = Figure(figsize=(5.2, 3.4), layout="constrained", dpi=150)
    axis = figure.subplots()
    colours = matplotlib.colormaps["viridis_r"]
    for place, (timestep, points) in enumerate(sorted(found.items())):
        colour = colours(0.1 + 0.9 * place / max(len(found) - 1, 1))
        axis.plot(*zip(*points, strict=True), marker="o", markersize=2.5, color=colour, label=f"t = {timestep}")
    axis.set(xlabel="optimiser step", ylabel="validation loss", yscale="log", title=title)
    axis.legend(frameon=False, fontsize="small", ncols=2)
    clean_axes(axis)
    return save_figure(figure, Path(output))


def clean_axes(axis: Any) -> None:
    """Light grid, no frame above and to the right."""
    axis.spines[["top", "right"]].set_visible(False)
    axis.grid(color="#eeeeee", linewidth=0.6)


def _smooth(values: list[float], keep: float = 0.95) -> list[float]:
    smoothed, weight, total = [], 0.0, 0.0
    for value in values:
        total, weight = keep * total + (1 - keep) * value, keep * weight + (1 - keep)
        smoothed.append(total / weight)
    return smoothed


def save_figure(figure: Any, output: Path) -> Path:
    """Write a matplotlib figure as a PNG, under a temporary name first."""
    temporary = output.with_name(f".{output.name}.{os.getpid()}")
    figure.savefig(temporary, format="png")
    os.replace(temporary, output)
    return output
