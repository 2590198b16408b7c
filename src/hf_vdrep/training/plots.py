# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Loss curves from a run's log."""

import os
from pathlib import Path

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
        axis.spines[["top", "right"]].set_visible(False)
        axis.grid(color="#eeeeee", linewidth=0.6)
    figure.suptitle(title)
    return _save(figure, Path(output))


def _smooth(values: list[float], keep: float = 0.95) -> list[float]:
    smoothed, weight, total = [], 0.0, 0.0
    for value in values:
        total, weight = keep * total + (1 - keep) * value, keep * weight + (1 - keep)
        smoothed.append(total / weight)
    return smoothed


def _save(figure: object, output: Path) -> Path:
    temporary = output.with_name(f".{output.name}.{os.getpid()}")
    figure.savefig(temporary, format="png")  # type: ignore[attr-defined]
    os.replace(temporary, output)
    return output
