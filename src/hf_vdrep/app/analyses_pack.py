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
from .study_results import NAMES

CHECKOUT = Path(__file__).resolve().parents[3]
_TWINS = ("i-walt", "v-walt")
_WORDS_OF_AXES = ("site", "frame_order", "backbone", "training_seed")
_ORDER = ("forward", "reversed", "shuffled", "frozen", "block", "middle", "attention", "mlp")
_PLACES = {"block": "output", "middle": "between", "mlp": "MLP"}
_ARCHITECTURES = {"vit": "ViT", "dinov2": "DINOv2", "videomae": "VideoMAE"}
_NOTES = {
    "site": "Output: what the block puts out; between: the stream between its attention and its MLP; attention and "
    "MLP: what these two add to the stream.",
    "frame_order": "Readouts are trained on clips that run forward, and tested on the same clips with their frames in "
    "another order, or with the middle frame alone, repeated.",
}


def pack(summary: Mapping[str, Any]) -> dict[str, Any]:
    """The analyses of a study's `summary.json`, all but the main table, which has a file of its own."""
    return {"analyses": [_entry(name, study) for name, study in summary["studies"].items() if _kind(study) in _KINDS]}


def as_text(packed: Mapping[str, Any]) -> str:
    """As it is written to disk: one panel to a line."""
    text = json.dumps(packed, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return text.replace('{"name"', '\n{"name"') + "\n"


def _entry(name: str, study: Mapping[str, Any]) -> dict[str, Any]:
    axis = str(study["axis"])
    return {
        "name": name,
        "title": study["title"],
        "kind": _kind(study),
        "axis": _axis_words(study, "fraction" if study["kind"] == "quality" else axis),
        "ordered": axis not in _WORDS_OF_AXES,
        "question": study["question"],
        "paper": study["paper"],
        "note": _NOTES.get(axis, ""),
        "sentences": list(study["sentences"])[:1] if study["kind"] == "quality" else list(study["sentences"]),
        **_KINDS[_kind(study)](study),
    }


def _kind(study: Mapping[str, Any]) -> str:
    """What is drawn: "heat" over two axes, "models" side by side, else as the study says."""
    if study["kind"] != "probe":
        return str(study["kind"])
    return {"heat": "heat", "backbone": "models", "parameters": "models"}.get(str(study["axis"]), "probe")


def _axis_words(study: Mapping[str, Any], axis: str) -> str:
    depths = {point["num_layers"] for point in study["points"]} - {None}
    of = f", of {depths.pop()}" if axis == "layer" and len(depths) == 1 else ""
    return labels.axis_label(axis) + of


def _of_probes(study: Mapping[str, Any]) -> dict[str, Any]:
    points = [point for point in study["points"] if point["primary"]]
    tasks = sorted({point["task"] for point in points}, key=_task_rank)
    return {"panels": [_task_panel(study, points, task) for task in tasks]}


_HEADS = {
    "twin": "model",
    "v loss": "denoising loss",
    "image frechet distance": "image Fréchet distance",
    "video frechet distance": "video Fréchet distance",
    "+nan [+nan, +nan]": "–",
}


def _of_quality(study: Mapping[str, Any]) -> dict[str, Any]:
    points = study["points"]
    panels = []
    for metric in dict.fromkeys(point["metric"] for point in points):
        mine = [point for point in points if point["metric"] == metric]
        title = labels.metric_label(metric, True).removesuffix(" ↑").replace("frechet", "Fréchet")
        panels.append(_panel(mine, "fraction", metric, title, "", []))
    cells = [
        [_HEADS.get(cell.strip(), cell.strip()) for cell in row.strip().strip("|").split("|")]
        for row in str(study["correlations"] or "").strip().splitlines()
    ]
    return {"panels": panels, "correlations": [row for row in cells if not set("".join(row)) <= set("-: ")]}


def _of_models(study: Mapping[str, Any]) -> dict[str, Any]:
    """Every model once: its scores have one place."""
    points = [{**point, "place": ""} for point in study["points"] if point["primary"]]
    gains = [{**gain, "place": ""} for gain in study["gains"]]
    panels = []
    for task in sorted({point["task"] for point in points}, key=_task_rank):
        found = _task_panel({**study, "axis": "place", "gains": gains}, points, task)
        sizes = {point["twin"]: point["parameters"] for point in points if point["task"] == task}
        order = sorted(found["lines"], key=lambda line: (line[0] in _TWINS, sizes[line[0]] or 0, line[0]))
        found["lines"] = [[system, _model_words(system, sizes[system]), scores] for system, _, scores in order]
        panels.append(found)
    return {"panels": panels}


def _model_words(system: str, parameters: int | None) -> str:
    """The architecture of a model with random weights, and its size."""
    size = "" if parameters is None or system in _TWINS else f", {parameters / 1e6:.2g} M"
    if system.startswith("random-"):
        return f"random {_ARCHITECTURES.get(system.removeprefix('random-'), system.removeprefix('random-'))}{size}"
    return NAMES.get(system.partition(":")[0], system) + size


def _of_heat(study: Mapping[str, Any]) -> dict[str, Any]:
    """Blocks down, noise levels across."""
    points = [point for point in study["points"] if point["primary"]]
    panels = []
    for task in sorted({point["task"] for point in points}, key=_task_rank):
        mine = [point for point in points if point["task"] == task]
        rows, columns = (sorted({point["settings"][axis] for point in mine}) for axis in ("layer", "timestep"))
        lines = []
        for system in _TWINS:
            found = {
                (point["settings"]["layer"], point["settings"]["timestep"]): _score(point)
                for point in mine
                if point["twin"] == system
            }
            table = [[found.get((row, column)) for column in columns] for row in rows]
            lines.append([system, labels.system_label(system), table])
        panel = _task_panel({**study, "gains": []}, points, task)
        panels.append({**panel, "places": [], "rows": [row + 1 for row in rows], "columns": columns, "lines": lines})
    return {"panels": panels}


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


_KINDS = {
    "probe": _of_probes,
    "models": _of_models,
    "heat": _of_heat,
    "quality": _of_quality,
    "cka": _of_cka,
    "pictures": _of_pictures,
}


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
        "places": [_PLACES.get(str(place), labels.place_words(axis, place)) for place in places],
        "lines": lines,
        "gains": [found.get(place) for place in places] if gains else [],
    }


def _place(point: Mapping[str, Any], axis: str) -> Any:
    if axis == "place":
        return point["place"]
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
