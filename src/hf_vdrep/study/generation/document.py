# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Generation quality for a model card, written from the files that `hf-vdrep quality --json` made."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

TABLE_NAME = "table.md"
_LABELS = {"i-walt": "I-WALT", "v-walt": "V-WALT"}
_MEASURES = {
    "frechet_distance": "Fréchet distance ↓",
    "kernel_distance": "kernel distance ↓",
    "precision": "precision ↑",
    "recall": "recall ↑",
}
_READINGS = {
    "object.confidence": "sure of the object",
    "object.diversity": "variety of objects",
    "action_motion.confidence": "sure of the motion",
    "action_motion.diversity": "variety of motions",
    "depth_jitter": "jitter of depth",
    "track_jitter": "jitter of tracks",
    "colour_drift": "drift of colours along tracks",
    "i-walt.object.agree": "I-WALT's readout names the reference's object",
    "v-walt.object.agree": "V-WALT's readout names the reference's object",
    "v-walt.action_motion.agree": "V-WALT's readout names the reference's motion",
    "v-walt.depth.gap": "gap of V-WALT's readout to the reference's depth",
}


def quality_table(folder: Path) -> str:
    """Markdown: how the figures were made, a row per model, kind and network, and what trained networks see in clips.

    Args:
        folder: holds the JSON files, of any names.

    Raises:
        ValueError: no such files, or measurements of different numbers of samples or steps, which cannot be compared.
    """
    found = [_read(file) for file in sorted(folder.glob("*.json"))]
    consistent = [one for one in found if "consistency" in one]
    distances = [row for one in found if "consistency" not in one for row in one["distances"]]
    if not distances:
        raise ValueError(f"folder must hold files of `hf-vdrep quality --json`, got none in {folder}")
    text = f"{_made(distances)}\n\n{_rows(distances)}"
    for one in consistent:
        text += f"\n{_seen(one)}"
    return text


def _made(rows: Sequence[Mapping[str, Any]]) -> str:
    keys = ("num", "num_real", "steps", "seed", "real")
    settings = {tuple(row[key] for key in keys) for row in rows}
    if len(settings) != 1:
        raise ValueError(f"measurements must share {', '.join(keys)} to stand in one table, got {sorted(settings)}")
    num, num_real, steps, seed, _ = settings.pop()
    return (
        f"{num} samples of each model, {steps} denoising steps, seed {seed}, against {num_real} test clips of"
        " ProbeWorld (or one frame of each); 95 % jackknife intervals. `probeworld` is the trunk of the shipped"
        " end-to-end reference, `pixels` are colours of a coarse grid, without learning. In brackets behind each figure"
        " stands the floor: the same of real clips against other real clips, which a perfect generator would get. Few"
        " samples raise a Fréchet distance: figures stand beside the floor and each other, not beside those of papers."
    )


def _rows(rows: Sequence[Mapping[str, Any]]) -> str:
    lines = [["model", "of", "features of", *_MEASURES.values()], ["---"] * 3 + ["---:"] * len(_MEASURES)]
    for row in sorted(rows, key=lambda one: (one["network"] != "probeworld", one["kind"], one["model"])):
        lead = [_LABELS.get(row["model"], row["model"]), f"{row['kind']}s", row["network"]]
        lines.append([*lead, *(f"{_cell(row[key])} ({_value(row['floor'][key]['value'])})" for key in _MEASURES)])
    return _markdown(lines)


def _seen(one: Mapping[str, Any]) -> str:
    """What the end-to-end reference and the shipped readouts see, generated beside real."""
    about, found = one["distances"][0], one["consistency"]
    lines = [["seen in clips", "generated", "real", "difference"], ["---", "---:", "---:", "---:"]]
    for key, words in _READINGS.items():
        if key in found:
            lines.append([words, *(_cell(found[key][side]) for side in ("generated", "real", "difference"))])
    name = _LABELS.get(about["model"], about["model"])
    return (
        f"What the end-to-end reference and the shipped readouts see in {about['num']} clips of {name} and in as many"
        f" real ones:\n\n{_markdown(lines)}"
    )


def _cell(interval: Mapping[str, float]) -> str:
    return f"{_value(interval['value'])} [{_value(interval['low'])}, {_value(interval['high'])}]"


def _value(value: float) -> str:
    digits = 2 if abs(value) >= 1 else 3 if round(abs(value), 4) >= 0.1 or value == 0 else 4
    text = f"{value:.{digits}f}"
    return (text.lstrip("-") if float(text) == 0 else text).replace("-", "−")


def _markdown(rows: Sequence[Sequence[str]]) -> str:
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


def _read(file: Path) -> dict[str, Any]:
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, json.JSONDecodeError) as error:
        raise ValueError(f"folder must hold readable JSON, got {file} ({error})") from error
    if not isinstance(found, dict) or "distances" not in found:
        raise ValueError(f"folder must hold files of `hf-vdrep quality --json` alone, got {file.name}")
    return found
