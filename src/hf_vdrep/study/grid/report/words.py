# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""What the figures say, in plain words made from them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from ...compare.systems import FLOORS, TWINS
from ...paper_gains import paper_gain
from ..config import StudyConfig
from . import contrasts, labels, trainings
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
    found = [_winners(config, summary)] if summary.gains else []
    found += [*_against_paper(summary), *_below_floors(summary)] if config.kind == "compare" else []
    return found + (own(config, summary) if own else [])


def _winners(config: StudyConfig, summary: Summary) -> str:
    """How often either twin is better; with frames out of order the label is not the clip's, so none is counted."""
    gains, where = summary.gains, ""
    if config.axis == "frame_order":
        gains = tuple(gain for gain in gains if gain.settings["frame_order"] == "forward")
        where = " on clips in order"
    winners = [gain.winner for gain in gains]
    parts = [f"V-WALT is better in {winners.count('v-walt')}", f"I-WALT in {winners.count('i-walt')}"]
    noun = "comparison" if len(winners) == 1 else "comparisons"
    return f"Of {len(winners)} {noun} of the twins{where}, {', '.join(parts)}; {winners.count(None)} are undecided."


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


def _below_floors(summary: Summary) -> list[str]:
    """Tasks on which a readout without any trained model beats both twins: their gains are gains below a floor."""
    told = []
    for task in summary.tasks:
        twins = [point for twin in TWINS for point in summary.select(task=task, twin=twin)]
        floors = [point for name in ("chance", *FLOORS) for point in summary.select(task=task, twin=name)]
        above = [floor for floor in floors if twins and all(_beats(summary, floor, twin) for twin in twins)]
        if above:
            named = ", ".join(f"{labels.system_label(p.twin)} {labels.shown(p.metric, p.value)}" for p in above)
            told.append(f"{labels.task_title(task)} ({named})")
    if not told:
        return []
    return [f"On {len(told)} of {len(summary.tasks)} tasks a floor is better than both twins: {', '.join(told)}."]


def _beats(summary: Summary, one: Point, other: Point) -> bool:
    better = (one.value > other.value) == one.higher_is_better
    return better and contrasts.set_apart(summary, other, one)


def _best_places(config: StudyConfig, summary: Summary) -> list[str]:
    """Per task: each twin's best place, and how many others are not set apart from it."""
    lines = []
    for task in summary.tasks:
        parts = []
        for twin in [name for name in TWINS if name in summary.twins]:
            points = [p for p in summary.select(task=task, twin=twin) if p.at(config.axis) is not None]
            if points:
                top = contrasts.kept(points)
                near = len(contrasts.alike(summary, top, points))
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
                top, last = contrasts.kept(points), max(points, key=lambda p: p.settings["timestep"])
                total += 1
                worse = (last.value < top.value) == top.higher_is_better
                hurt += last is not top and worse and contrasts.set_apart(summary, top, last)
    return [f"The highest noise level is set apart below the best one in {hurt} of {total} curves."] if total else []


def _best_cells(config: StudyConfig, summary: Summary) -> list[str]:
    lines = []
    for task in summary.tasks:
        for twin in summary.twins:
            points = summary.select(task=task, twin=twin)
            if points:
                top = contrasts.kept(points)
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
                lines.append(_budget_line(summary, points))
    return lines or ["No checkpoints are kept, so there is nothing along the training to show."]


def _budget_line(summary: Summary, points: Sequence[Point]) -> str:
    last, top = points[-1], contrasts.kept(points)
    early = min(points[:-1], key=lambda p: abs(p.settings["fraction"] - 0.2))
    ratio = _share_words(summary, early, last)
    line = f"{labels.task_title(last.task).capitalize()}, {labels.system_label(last.twin)}: {ratio} of the final"
    line += f" quality at {labels.place_words('fraction', early.settings['fraction'])} of the training"
    if top is not last:
        apart = ", set apart from the end" if contrasts.set_apart(summary, top, last) else ""
        line += f"; best at {labels.place_words('fraction', top.settings['fraction'])}{apart}"
    return f"{line}."


def _share_words(summary: Summary, early: Point, last: Point) -> str:
    """ "76 % [67, 86]"."""
    found = contrasts.share(summary, early, last)
    if found is not None and np.isfinite([found.estimate, found.low, found.high]).all():
        return f"{found.estimate:.0f} % [{found.low:.0f}, {found.high:.0f}]"
    part, whole = (early.value, last.value) if last.higher_is_better else (last.value, early.value)
    return f"{100 * part / whole:.0f} %" if whole else "no ratio"


def _orders(config: StudyConfig, summary: Summary) -> list[str]:
    """How a score changes when the frames come in another order, each clip against itself."""
    lines = []
    for task in summary.tasks:
        for twin in [name for name in TWINS if name in summary.twins]:
            found = {p.settings["frame_order"]: p for p in summary.select(task=task, twin=twin)}
            if "forward" in found:
                first = found.pop("forward")
                parts = "; ".join(f"{name} {_changed(summary, first, p)}" for name, p in sorted(found.items()))
                lines.append(
                    f"{labels.task_title(task).capitalize()}, {labels.system_label(twin)}: forward"
                    f" {labels.with_interval(first)}{f', changed by: {parts}' if parts else ''}."
                )
    if lines:
        lines.append(
            "The readouts learned from clips in order and are only tested on others, whose labels stay those of the"
            " clip in order: a loss says that they use the order, or that they never met such clips."
        )
    return lines


def _changed(summary: Summary, first: Point, second: Point) -> str:
    """ "−13.5 [−16.9, −10.2]", paired over the clips."""
    found = contrasts.difference(summary, first, second)
    if found is None:
        return labels.shown_change(second.metric, second.value - first.value)
    shown = [labels.shown_change(second.metric, value) for value in (found.estimate, found.low, found.high)]
    return f"{shown[0]} [{shown[1]}, {shown[2]}]"


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
        f" (debiased linear CKA {labels.with_interval(most)}) and least in block {least.other['first'].split()[-1]}"
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
                    f"{labels.system_label(twin)}, {labels.metric_words(metric)}: {labels.with_interval(first)} at"
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
