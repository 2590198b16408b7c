# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Numbers in README and cards, written from committed results.

A document marks where a block goes; what stands between the marks is generated and never edited by hand:

    <!-- begin: demo-table -->
    <!-- end: demo-table -->

`csv`, `json` and `include` take a file of the results, as in `<!-- begin: csv study/main.csv -->`. Numbers within a
sentence: see `document_values`. Blocks named `study-…` are those of the study's report in `study/` of the results.
"""

import re
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from .document_values import csv_table, fill_values, included, json_table, read_json

_BLOCK = re.compile(
    r"(<!-- begin: (?P<name>(?!study-)[a-z-]+)(?: (?P<file>[\w./-]+))? -->\n)(?P<body>.*?)(<!-- end: (?P=name) -->)",
    re.DOTALL,
)
_LABELS = {
    "chance": "chance",
    "pixels": "pixels",
    "latents": "latents",
    "random": "random",
    "i-walt": "I-WALT",
    "v-walt": "V-WALT",
    "reference": "end to end",
}
_RUNS = {
    "tokenizer": "tokenizer",
    "tokenizer-decoder": "its decoder, trained on",
    "i-walt": "I-WALT",
    "v-walt": "V-WALT",
    "i-walt-seed1": "I-WALT, second seed",
    "v-walt-seed1": "V-WALT, second seed",
}


def fill(text: str, results: Path) -> str:
    """Write every marked block and number of a document anew.

    Args:
        text: the document.
        results: folder with `table.json` of the demo, `table-all.json` of all tasks, a `summary.json` per training.

    Raises:
        ValueError: a mark without a generator, or a result that is missing.
    """

    def block(match: re.Match[str]) -> str:
        return f"{match[1]}{_generated(match['name'], match['file'], results)}{match[5]}"

    return fill_values(_BLOCK.sub(block, _with_study(text, results)), results)


def _with_study(text: str, results: Path) -> str:
    if "<!-- begin: study-" not in text:
        return text
    from ..study.grid.report import document

    return document.fill(text, results / "study")


def _generated(name: str, file: str | None, results: Path) -> str:
    known = _FROM_FILES if file else _GENERATORS
    if name not in known:
        words = " of those that take a file" if file else ""
        raise ValueError(f"block must be one{words} of {sorted(known)}, got {name!r}")
    return _FROM_FILES[name](results / file) if file else _GENERATORS[name](results)


def _read(path: Path) -> dict[str, Any]:
    return read_json(path)


def comparison(file: str, results: Path) -> str:
    """A comparison: one row a task, one column a system, then the gain with its interval, and the published one."""
    tasks = _read(results / file)["tasks"]
    present = [key for key in _LABELS if any(key in _scores(task) for task in tasks)]
    head = ["task", "metric", *(_LABELS[key] for key in present), "gain of V-WALT", "95 % interval"]
    published = ["paper's gain"] if any(task.get("paper") for task in tasks) else []
    rows = [[*head, *published], ["---", "---", *["---:"] * (len(present) + 2 + len(published))]]
    rows += [[*_task_row(task, present), *(_published(task) for _ in published)] for task in tasks]
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


def _published(task: dict[str, Any]) -> str:
    return f"{task['paper']['gain']:+g} %" if task.get("paper") else "–"


def _scores(task: dict[str, Any]) -> dict[str, float]:
    return {entry["system"]: entry["score"]["value"] for entry in task["systems"]}


def _task_row(task: dict[str, Any], present: list[str]) -> list[str]:
    unit, arrow = " %" if task["percent"] else "", "↑" if task["higher_is_better"] else "↓"
    scores = _scores(task)
    cells = [task["title"], f"{task['metric']}{unit} {arrow}"]
    for key in present:
        text = _value(task, scores[key]) if key in scores else "–"
        cells.append(f"**{text}**" if task["winner"] == key else text)
    gain = task["gain"]
    if not gain:
        return [*cells, "–", "–"]
    return [*cells, f"{gain['value']:+.1f} %", f"[{gain['low']:+.1f}, {gain['high']:+.1f}]"]


def _value(task: dict[str, Any], value: float) -> str:
    return f"{100 * value:.1f}" if task["percent"] else f"{value:.3f}"


def choices(file: str, results: Path) -> str:
    """What validation chose for the twins: block, noise level, reading, learning rate."""
    rows = [["task", "twin", "block", "noise level", "reading", "learning rate"], ["---"] * 6]
    for task in _read(results / file)["tasks"]:
        for entry in task["systems"]:
            if entry["system"] in ("i-walt", "v-walt"):
                rows.append(_choice(task, entry))
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


def _choice(task: dict[str, Any], entry: dict[str, Any]) -> list[str]:
    block = f"{entry['layer'] + 1} of {entry['num_layers']}"
    found = [block, entry["timestep"], entry["reading"] or "–", entry["learning_rate"]]
    return [task["title"], _LABELS[entry["system"]], *map(str, found)]


def trainings(results: Path) -> str:
    """One row per shipped network: size, what it saw, how long it took, how good it is."""
    rows = [["network", "parameters", "steps", "clips seen", "CPU minutes", "held-out"], ["---", *["---:"] * 5]]
    for name, label in _RUNS.items():
        if name.endswith("seed1") and not (results / name).exists():
            continue
        found = _read(results / name / "summary.json")
        if "psnr" in found:
            quality = f"PSNR {found['psnr']:.2f} dB (clips), {found['psnr_image']:.2f} dB (images)"
        else:
            quality = f"v-loss {found['v_loss']:.4f}"
        minutes = f"{found['seconds'] / 60:.0f}"
        size = f"{found['parameters'] / 1e6:.2f} M" if "parameters" in found else "–"
        rows.append([label, size, f"{found['steps']:,}", f"{found['clips']:,}", minutes, quality])
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


_GENERATORS: dict[str, Callable[[Path], str]] = {
    "demo-table": partial(comparison, "table.json"),
    "demo-choices": partial(choices, "table.json"),
    "all-table": partial(comparison, "table-all.json"),
    "all-choices": partial(choices, "table-all.json"),
    "trainings": trainings,
}
_FROM_FILES: dict[str, Callable[[Path], str]] = {"csv": csv_table, "include": included, "json": json_table}
