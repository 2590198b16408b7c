# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Several runs in one figure: validation loss against the work that went in."""

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from .log import read_log
from .plots import clean_axes, save_figure

COLOURS = ("#25406b", "#c8553d", "#4f8a5b", "#8a6fae", "#c99a2e", "#5c5c5c")


def loss_over_flops(run: str | os.PathLike, key: str = "v_loss") -> list[tuple[float, float]]:
    """(FLOPs spent, validation figure) at every validation of a run.

    FLOPs are those of an item (`summary.json`, else `run.json`) times the items of a step times the steps.

    Args:
        run: its folder.
        key: validation figure, without `eval/`.

    Raises:
        ValueError: no such figure, or a run that does not say what an item costs.
    """
    folder = Path(run)
    records = read_log(folder / "log.jsonl")
    points = {
        record["step"]: record[f"eval/{name}"] for record in records for name in _names(key) if f"eval/{name}" in record
    }
    counted = [record for record in records if record.get("items")]
    if not points or not counted:
        raise ValueError(f"run must have trained and validated {key}, got nothing of it in {folder}")
    # Every step has the same number of items.
    per_step = _flops_per_item(folder) * counted[-1]["items"] / counted[-1]["step"]
    return [(per_step * step, loss) for step, loss in sorted(points.items())]


def plot_runs(
    runs: Sequence[str | os.PathLike], output: str | os.PathLike, *, keys: Sequence[str] = ("v_loss", "v_loss_image")
) -> Path:
    """Draw validation losses of several runs over training FLOPs, as a PNG; one panel for each figure.

    `v_loss` is each model's own objective, `v_loss_image` that on single images, which makes twins comparable.

    Args:
        runs: run folders.
        output: PNG to write.
        keys: validation figures; runs without one are left out of its panel.

    Raises:
        ValueError: no runs, or none with any of the figures.
    """
    from matplotlib.figure import Figure

    if not runs:
        raise ValueError("runs must name at least one run, got none")
    figure = Figure(figsize=(4.2 * len(keys), 3.2), layout="constrained", dpi=150)
    axes = figure.subplots(1, len(keys), squeeze=False)[0]
    drawn = 0
    for axis, key in zip(axes, keys, strict=True):
        for place, run in enumerate(runs):
            if not _has(Path(run), key):
                continue
            points = loss_over_flops(run, key)
            colour = COLOURS[place % len(COLOURS)]
            axis.plot(*zip(*points, strict=True), marker="o", markersize=3, color=colour, label=Path(run).name)
            drawn += 1
        axis.set(xlabel="training FLOPs", ylabel=f"validation {key}")
        if axis.lines:
            axis.legend(frameon=False)
        clean_axes(axis)
    if not drawn:
        raise ValueError(f"runs must have validated one of {list(keys)}, got none")
    return save_figure(figure, Path(output))


def _has(folder: Path, key: str) -> bool:
    return any(f"eval/{name}" in record for record in read_log(folder / "log.jsonl") for name in _names(key))


def _names(key: str) -> tuple[str, ...]:
    """Names of a figure in the log, the last one wins: an image model's own loss is that on single images."""
    return ("v_loss", key) if key == "v_loss_image" else (key,)


def _flops_per_item(folder: Path) -> float:
    for name in ("summary.json", "run.json"):
        path = folder / name
        content: dict[str, Any] = json.loads(path.read_text()) if path.is_file() else {}
        if content.get("flops_per_item"):
            return float(content["flops_per_item"])
    raise ValueError(f"run must say flops_per_item in summary.json or run.json, got {folder} without")
