# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""What the page needs of a committed study, small: `python -m hf_vdrep.app.analyses_pack`.

Reads `model_cards/<study>/study/summary.json` of a checkout and writes `analyses/<study>.json` of this package.
"""

import json
import math
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..data import atomic_output
from ..study.grid.report import labels
from .analyses import ANALYSES

CHECKOUT = Path(__file__).resolve().parents[3]
_TWINS = ("i-walt", "v-walt")
_WORDS_OF_AXES = ("site", "frame_order", "backbone", "training_seed")
_ORDER = ("forward", "reversed", "shuffled", "frozen", "block", "middle", "attention", "mlp")
_PLACES = {"block": "output", "middle": "between", "mlp": "MLP"}
_NOTES = {
    "site": "Output: what the block puts out; between: the stream between its attention and its MLP; attention and "
    "MLP: what these two add to the stream.",
    "frame_order": "Readouts are trained on clips that run forward, and tested on the same clips with their frames in "
    "another order, or with the middle frame alone, repeated.",
}


def pack(summary: Mapping[str, Any]) -> dict[str, Any]:
    """The analyses of a study's `summary.json`, all but the main table, which has a file of its own."""
    return {"analyses": [_entry(name, study) for name, study in summary["studies"].items() if study["kind"] in _KINDS]}


def as_text(packed: Mapping[str, Any]) -> str:
    """As it is written to disk: one panel to a line."""
    text = json.dumps(packed, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return text.replace('{"name"', '\n{"name"') + "\n"


def _entry(name: str, study: Mapping[str, Any]) -> dict[str, Any]:
    axis = str(study["axis"])
    return {
        "name": name,
        "title": study["title"],
        "kind": study["kind"],
        "axis": labels.axis_label("fraction" if study["kind"] == "quality" else axis),
        "ordered": axis not in _WORDS_OF_AXES,
        "question": study["question"],
        "paper": study["paper"],
        "note": _NOTES.get(axis, ""),
        "sentences": list(study["sentences"])[:1] if study["kind"] == "quality" else list(study["sentences"]),
        **_KINDS[str(study["kind"])](study),
    }


def _of_probes(study: Mapping[str, Any]) -> dict[str, Any]:
    points = [point for point in study["points"] if point["primary"]]
    tasks = sorted({point["task"] for point in points}, key=_task_rank)
    return {"panels": [_task_panel(study, points, task) for task in tasks]}


def _of_quality(study: Mapping[str, Any]) -> dict[str, Any]:
    points = study["points"]
    panels = []
    for metric in dict.fromkeys(point["metric"] for point in points):
        mine = [point for point in points if point["metric"] == metric]
        title = labels.metric_label(metric, True).removesuffix(" ↑").replace("frechet", "Fréchet")
        panels.append(_panel(mine, "fraction", metric, title, "", []))
    cells = [
        [cell.strip().replace("+nan [+nan, +nan]", "–") for cell in row.strip().strip("|").split("|")]
        for row in str(study["correlations"] or "").strip().splitlines()
    ]
    return {"panels": panels, "correlations": [row for row in cells if not set("".join(row)) <= set("-: ")]}


def _of_cka(study: Mapping[str, Any]) -> dict[str, Any]:
    names = list(dict.fromkeys(point["other"]["first"] for point in study["points"]))
    pairs = [
        [names.index(point["other"]["first"]), names.index(point["other"]["second"]), *_score(point)]
        for point in study["points"]
    ]
    return {"panels": [], "names": names, "pairs": pairs}


def _of_pictures(study: Mapping[str, Any]) -> dict[str, Any]:
    rows = [[point["task"], labels.system_label(point["twin"]), _rounded(point["value"])] for point in study["points"]]
    return {"panels": [], "rows": rows}


_KINDS = {"probe": _of_probes, "quality": _of_quality, "cka": _of_cka, "pictures": _of_pictures}


def _task_panel(study: Mapping[str, Any], points: list[dict[str, Any]], task: str) -> dict[str, Any]:
    mine = [point for point in points if point["task"] == task]
    gains = [gain for gain in study["gains"] if gain["task"] == task]
    title = labels.task_title(task)
    metric = labels.metric_label(mine[0]["metric"], True).removesuffix(" ↑").removesuffix(" %")
    return _panel(mine, str(study["axis"]), task, title, metric, gains)


def _panel(
    points: list[dict[str, Any]], axis: str, name: str, title: str, metric: str, gains: list[dict[str, Any]]
) -> dict[str, Any]:
    places = _sorted_places({_place(point, axis) for point in points} - {None})
    depth = next((point["num_layers"] for point in points if point["num_layers"]), None)
    systems = list(dict.fromkeys(point["twin"] for point in points))
    lines = []
    for system in sorted(systems, key=lambda system: (system not in _TWINS, system)):
        found = {_place(point, axis): _score(point) for point in points if point["twin"] == system}
        lines.append([system, labels.system_label(system), [found.get(place) for place in places]])
    found = {_place(gain, axis): [*_score(gain), gain["winner"]] for gain in gains}
    return {
        "name": name,
        "title": title,
        "metric": metric,
        "percent": labels.scale(points[0]["metric"]) == 100,
        "higher": points[0]["higher_is_better"],
        "places": [_PLACES.get(str(place), labels.place_words(axis, place, depth)) for place in places],
        "lines": lines,
        "gains": [found.get(place) for place in places] if gains else [],
    }


def _place(point: Mapping[str, Any], axis: str) -> Any:
    return point["settings"].get(axis, point.get("other", {}).get(axis, point.get(axis)))


def _sorted_places(places: set[Any]) -> list[Any]:
    return sorted(places, key=lambda place: (_ORDER.index(place),) if place in _ORDER else (place,))


def _score(point: Mapping[str, Any]) -> list[float | None]:
    return [_rounded(point[name]) for name in ("value", "low", "high")]


def _rounded(value: float | None) -> float | None:
    return None if value is None or not math.isfinite(value) else round(value, 6)


def _task_rank(task: str) -> int:
    from ..study.compare.tasks import STUDY_TASKS

    names = list(STUDY_TASKS)
    return names.index(task) if task in names else len(names)


def main(study: str = "walt-tiny") -> None:
    """Write the analyses of a study."""
    source = CHECKOUT / "model_cards" / study / "study" / "summary.json"
    summary = json.loads(source.read_text(encoding="utf-8"))
    with atomic_output(ANALYSES / f"{study}.json") as temporary:
        temporary.write_text(as_text(pack(summary)), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
