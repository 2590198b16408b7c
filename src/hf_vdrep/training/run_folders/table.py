# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Runs as rows and as text."""

from collections.abc import Sequence
from typing import Any

from .folder import RunFolder

COLUMNS = ("name", "kind", "state", "step", "loss", "validation", "items/s", "MFU", "age")


def row(run: RunFolder) -> dict[str, Any]:
    """What `runs ls` says of one run, as plain values."""
    validation = run.validation
    return {
        "name": run.name,
        "path": str(run.path),
        "kind": run.kind,
        "state": run.state,
        "step": run.step,
        "steps": run.steps,
        "loss": run.last("loss"),
        "validation": None if validation is None else {validation[0]: validation[1]},
        "items_per_second": run.items_per_second,
        "mfu": run.last("mfu"),
        "age": round(run.age, 1),
    }


def table(rows: Sequence[dict[str, Any]]) -> str:
    """The rows aligned."""
    lines = [list(COLUMNS), *(_cells(item) for item in rows)]
    widths = [max(len(line[place]) for line in lines) for place in range(len(COLUMNS))]
    words = (0, 1, 2, 5)
    return "\n".join(
        "  ".join(
            cell.ljust(size) if place in words else cell.rjust(size)
            for place, (cell, size) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    )


def _cells(item: dict[str, Any]) -> list[str]:
    total = "" if item["steps"] is None else f"/{item['steps']:,}"
    validation = ", ".join(f"{name} {value:.4g}" for name, value in (item["validation"] or {}).items())
    speed, mfu = item["items_per_second"], item["mfu"]
    return [
        item["name"],
        item["kind"],
        item["state"],
        f"{item['step']:,}{total}",
        "-" if item["loss"] is None else f"{item['loss']:.4f}",
        validation or "-",
        "-" if speed is None else f"{speed:.1f}",
        "-" if mfu is None else f"{mfu:.0%}",
        ago(item["age"]),
    ]


def ago(seconds: float) -> str:
    """A time span in its largest unit."""
    for size, unit in ((86_400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds / size:.0f} {unit}"
    return f"{max(seconds, 0):.0f} s"


def details(run: RunFolder, *, verify: bool = True) -> dict[str, Any]:
    """What `runs show` says: the row, `run.json`, every last figure, checkpoints, what is kept, the config."""
    figures: dict[str, Any] = {}
    for line in run.log:
        figures.update({key: value for key, value in line.items() if isinstance(value, (int, float))})
    about = {key: value for key, value in run.about.items() if key not in ("state", "step", "steps")}
    work = run.flops_per_item
    return {
        **row(run),
        "flops_per_item": work,
        "flops": None if work is None else work * float(figures.get("items", run.summary.get("clips", 0))),
        "run": about,
        "figures": figures,
        "skipped": [line for line in run.log if "skipped" in line],
        "checkpoints": run.checkpoints(verify=verify),
        **run.kept(),
        "config": run.config,
    }


def text(shown: dict[str, Any]) -> str:
    """`details` for people."""
    head = f"{shown['name']}: {shown['kind']}, {shown['state']}, step {shown['step']:,}"
    head += "" if shown["steps"] is None else f" of {shown['steps']:,}"
    parts = [head, str(shown["path"])]
    if shown["run"].get("error"):
        parts.append(f"error: {shown['run']['error']}")
    about = {
        key: value for key, value in shown["run"].items() if key not in ("error", "versions") and value is not None
    }
    parts += _block("run", about) + _block("figures", shown["figures"])
    if shown["flops"]:
        parts.append(f"  {'FLOPs spent':<24} {shown['flops']:.4g}")
    lines = [_checkpoint(item) for item in shown["checkpoints"]]
    parts += ["checkpoints", *(lines or ["  none"])]
    for name in ("snapshots", "samples", "results"):
        if shown[name]:
            parts += [name, f"  {', '.join(shown[name])}"]
    return "\n".join([*parts, *_block("config", shown["config"])])


def _checkpoint(item: dict[str, Any]) -> str:
    state = "not verified" if "damage" not in item else item["damage"] or "verified"
    return f"  {item['name']:<18} {item['bytes'] / 1e6:10.1f} MB  {state}"


def _block(name: str, values: dict[str, Any]) -> list[str]:
    if not values:
        return []
    return [name, *(f"  {key:<24} {_short(value)}" for key, value in values.items())]


def _short(value: Any) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)
