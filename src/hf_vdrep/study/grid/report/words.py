# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""What the figures say, in plain words made from them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ...compare.systems import TWINS
from ...paper_gains import paper_gain
from ..config import StudyConfig
from . import labels, trainings
from .points import Point, StudyGain, Summary

Reader = Callable[[StudyConfig, Summary], list[str]]


def sentences(config: StudyConfig, summary: Summary) -> list[str]:
    """Sentences about an analysis: who wins, where the best place is, and what contradicts the paper."""
    readers: dict[str, Reader] = {
        "timestep": _best_places,
        "layer": _best_places,
        "heat": _best_cells,
        "fraction": _budget,
        "frame_order": _orders,
        "site": _best_places,
        "train_size": _sizes,
        "places": _similar,
        "v_loss": _quality,
        "backbone": _ranking,
        "parameters": _ranking,
    }
    if config.axis == "training_seed":
        return trainings.sentences(summary)
    own = readers.get(config.axis)
    found = [_winners(summary)] if summary.gains else []
    found += _against_paper(summary) if config.kind == "compare" else []
    return found + (own(config, summary) if own else [])


def _winners(summary: Summary) -> str:
    winners = [gain.winner for gain in summary.gains]
    parts = [f"V-WALT is better in {winners.count('v-walt')}", f"I-WALT in {winners.count('i-walt')}"]
    noun = "comparison" if len(winners) == 1 else "comparisons"
    return f"Of {len(winners)} {noun} of the twins, {', '.join(parts)}; {winners.count(None)} are undecided."


def _against_paper(summary: Summary) -> list[str]:
    """Tasks on which the winner is not the paper's."""
    lines = []
    for gain in summary.gains:
        published = paper_gain(gain.task)
        if published and gain.winner == "i-walt":
            lines.append(
                f"Contradicts the paper: on {labels.task_title(gain.task)} I-WALT is better here"
                f" ({labels.gain_words(gain)}); on {published.benchmark} V-WALT was, by {published.words}."
            )
    agreeing = [g for g in summary.gains if g.winner == "v-walt" and paper_gain(g.task)]
    if agreeing:
        names = ", ".join(labels.task_title(gain.task) for gain in agreeing)
        lines.append(f"Agrees with the paper in direction: {names}.")
    return lines


def best(points: Sequence[Point]) -> Point:
    """The point with the best score."""
    sign = 1 if points[0].higher_is_better else -1
    return max(points, key=lambda point: sign * point.value)


def overlapping(points: Sequence[Point]) -> list[Point]:
    """Points that the best one's interval does not set apart: their own intervals reach its value."""
    top = best(points)
    if top.higher_is_better:
        return [p for p in points if p.high >= top.value]
    return [p for p in points if p.low <= top.value]


def _best_places(config: StudyConfig, summary: Summary) -> list[str]:
    """Per task: each twin's best place, and how many others are not set apart from it."""
    lines = []
    for task in summary.tasks:
        parts = []
        for twin in [name for name in TWINS if name in summary.twins]:
            points = [p for p in summary.select(task=task, twin=twin) if p.at(config.axis) is not None]
            if points:
                top, near = best(points), len(overlapping(points)) - 1
                place = labels.place_words(config.axis, top.at(config.axis), top.num_layers)
                alike = f", {near} of {len(points) - 1} others not set apart" if near else ""
                parts.append(f"{labels.system_label(twin)} at {place} ({labels.shown(top.metric, top.value)}{alike})")
        if parts:
            noun = labels.axis_label(config.axis)
            lines.append(f"{labels.task_title(task).capitalize()}, best {noun}: {'; '.join(parts)}.")
    if config.axis == "timestep":
        lines += _high_noise(summary)
    return lines


def _high_noise(summary: Summary) -> list[str]:
    """The paper: high noise hurts everywhere."""
    hurt, total = 0, 0
    for task in summary.tasks:
        for twin in TWINS:
            points = summary.select(task=task, twin=twin)
            if len(points) > 1:
                top, last = best(points), max(points, key=lambda p: p.settings["timestep"])
                total += 1
                hurt += last not in overlapping(points) and last is not top
    return [f"The highest noise level is set apart below the best one in {hurt} of {total} curves."] if total else []


def _best_cells(config: StudyConfig, summary: Summary) -> list[str]:
    lines = []
    for task in summary.tasks:
        for twin in summary.twins:
            points = summary.select(task=task, twin=twin)
            if points:
                top = best(points)
                place = labels.place_words("layer", top.settings["layer"], top.num_layers)
                lines.append(
                    f"{labels.task_title(task).capitalize()}, {labels.system_label(twin)}: best at block {place} and"
                    f" noise level {top.settings['timestep']} ({labels.with_interval(top)})."
                )
    return lines


def _budget(config: StudyConfig, summary: Summary) -> list[str]:
    """Share of the final score that an early checkpoint reaches, and whether the best one is the last."""
    lines = []
    for task in summary.tasks:
        for twin in [name for name in TWINS if name in summary.twins]:
            points = [p for p in summary.select(task=task, twin=twin) if p.settings["fraction"] is not None]
            points.sort(key=lambda p: p.settings["fraction"])
            if len(points) > 1:
                lines.append(_budget_line(task, twin, points))
    return lines or ["No checkpoints are kept, so there is nothing along the training to show."]


def _budget_line(task: str, twin: str, points: Sequence[Point]) -> str:
    last, top = points[-1], best(points)
    early = min(points[:-1], key=lambda p: abs(p.settings["fraction"] - 0.2))
    part, whole = (early.value, last.value) if last.higher_is_better else (last.value, early.value)
    ratio = f"{100 * part / whole:.0f} %" if whole else "no ratio"
    line = f"{labels.task_title(task).capitalize()}, {labels.system_label(twin)}: {ratio} of the final"
    line += f" quality at {labels.place_words('fraction', early.settings['fraction'])} of the training"
    if top is not last:
        apart = "" if last in overlapping(points) else ", set apart from the end"
        line += f"; best at {labels.place_words('fraction', top.settings['fraction'])}{apart}"
    return f"{line}."


def _orders(config: StudyConfig, summary: Summary) -> list[str]:
    """What is left of a score when the frames come in another order."""
    lines = []
    for task in summary.tasks:
        for twin in [name for name in TWINS if name in summary.twins]:
            found = {p.settings["frame_order"]: p for p in summary.select(task=task, twin=twin)}
            if "forward" in found:
                first = found.pop("forward")
                parts = [f"{name} {labels.with_interval(p)}" for name, p in found.items()]
                lines.append(
                    f"{labels.task_title(task).capitalize()}, {labels.system_label(twin)}: forward"
                    f" {labels.with_interval(first)}; {'; '.join(parts)}."
                )
    return lines


def _sizes(config: StudyConfig, summary: Summary) -> list[str]:
    """Who is ahead with the fewest and with the most clips."""
    lines = []
    for task in summary.tasks:
        gains = sorted((g for g in summary.gains if g.task == task), key=lambda g: g.settings["train_size"])
        if len(gains) > 1:
            ends = " and ".join(f"{_who(g)} with {g.settings['train_size']:,} clips" for g in (gains[0], gains[-1]))
            lines.append(f"{labels.task_title(task).capitalize()}: {ends}.")
    return lines


def _who(gain: StudyGain) -> str:
    who = {"v-walt": "V-WALT is ahead", "i-walt": "I-WALT is ahead", None: "undecided"}[gain.winner]
    return f"{who} ({labels.gain_words(gain)})"


def _similar(config: StudyConfig, summary: Summary) -> list[str]:
    """Where the twins are most alike and least."""
    across = [p for p in summary.points if {p.other["first"].split()[0], p.other["second"].split()[0]} == set(TWINS)]
    same = [p for p in across if p.other["first"].split()[-1] == p.other["second"].split()[-1]]
    if not same:
        return []
    most, least = max(same, key=lambda p: p.value), min(same, key=lambda p: p.value)
    return [
        f"The twins' features are most alike in block {most.other['first'].split()[-1]}"
        f" (CKA {labels.with_interval(most)}) and least in block {least.other['first'].split()[-1]}"
        f" ({labels.with_interval(least)})."
    ]


def _quality(config: StudyConfig, summary: Summary) -> list[str]:
    lines = []
    for twin in summary.twins:
        told = [p.metric for p in summary.points if p.metric.endswith(("v_loss", "frechet_distance"))]
        for metric in dict.fromkeys(told):
            points = [p for p in summary.select(primary=False, twin=twin, metric=metric) if p.settings["fraction"]]
            points.sort(key=lambda p: p.settings["fraction"])
            if len(points) > 1:
                first, last = points[0], points[-1]
                better = (last.value > first.value) == first.higher_is_better
                lines.append(
                    f"{labels.system_label(twin)}, {metric.replace('_', ' ')}: {labels.with_interval(first)} at"
                    f" {labels.place_words('fraction', first.settings['fraction'])} of the training,"
                    f" {labels.with_interval(last)} at its end ({'better' if better else 'not better'})."
                )
    return lines


def _ranking(config: StudyConfig, summary: Summary) -> list[str]:
    """The order of the models, best first."""
    if config.kind == "compare":
        return []
    lines = []
    for task in summary.tasks:
        points = summary.select(task=task)
        sign = 1 if points[0].higher_is_better else -1
        ranked = sorted(points, key=lambda p: -sign * p.value)
        names = ", ".join(f"{labels.system_label(p.twin)} {labels.shown(p.metric, p.value)}" for p in ranked)
        lines.append(f"{labels.task_title(task).capitalize()}: {names}.")
    return lines
