# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Table and words of an analysis that compares trainings: does a gain survive another one?"""

from __future__ import annotations

from collections.abc import Sequence

from ...compare.systems import TWINS
from . import labels
from .points import StudyGain, Summary
from .spread import Spread
from .table import Table


def table_of(summary: Summary) -> Table:
    """A row per task and training, then one with what lies between a training and the first."""
    twins = [name for name in TWINS if name in summary.twins]
    head = ("task", "metric", "training", *(labels.system_label(t) for t in twins), "gain of V-WALT", "paper")
    body: list[tuple[str, ...]] = []
    bold: set[tuple[int, int]] = set()
    for task in summary.tasks:
        some = summary.select(task=task)[0]
        lead = (labels.task_title(task), labels.metric_label(some.metric, some.higher_is_better))
        gains = gains_of(summary, task)
        for seed in trainings_of(summary, task):
            points = [next(iter(summary.select(task=task, twin=twin, training_seed=seed)), None) for twin in twins]
            gain = gains.get(seed)
            if gain and gain.winner:
                bold.add((len(body), 3 + twins.index(gain.winner)))
            paper = f"{gain.paper:+g} %" if gain and gain.paper is not None else "–"
            cells = [labels.with_interval(point) if point else "–" for point in points]
            place = labels.place_words("training_seed", seed)
            body.append((*lead, place, *cells, labels.gain_words(gain) if gain else "–", paper))
        for later in trainings_of(summary, task)[1:]:
            cells = [_moved(_spread(summary, task, twin, later)) for twin in twins]
            body.append((*lead, f"{later} less {trainings_of(summary, task)[0]}", *cells, verdict(gains), "–"))
    return Table(head, tuple(body), frozenset(bold))


def sentences(summary: Summary) -> list[str]:
    """What holds in every training, task by task, and how the spread compares with the intervals."""
    by_task = {task: gains_of(summary, task) for task in summary.tasks}
    by_task = {task: gains for task, gains in by_task.items() if len(gains) > 1}
    if not by_task:
        return ["Only one training was measured, so nothing can be said about another."]
    lines = [_count(by_task)]
    for task, gains in by_task.items():
        parts = " and ".join(f"{labels.gain_words(gain)} with training {seed}" for seed, gain in gains.items())
        line = f"{labels.task_title(task).capitalize()}, gain of V-WALT: {parts}; {verdict(gains)}."
        moved = [_beside(spread) for spread in summary.spreads if spread.task == task]
        lines.append(f"{line} Between trainings {'; '.join(moved)}." if moved else line)
    if summary.spreads:
        lines.append(_against_intervals(summary.spreads))
    return lines


def trainings_of(summary: Summary, task: str) -> list[int]:
    """Seeds of the trainings that a task was measured for."""
    return sorted({p.settings["training_seed"] for p in summary.select(task=task)} - {None})


def gains_of(summary: Summary, task: str) -> dict[int, StudyGain]:
    """Training -> gain of V-WALT over the I-WALT of the same training."""
    found = {g.settings["training_seed"]: g for g in summary.gains if g.task == task}
    return {seed: found[seed] for seed in sorted(seed for seed in found if seed is not None)}


def verdict(gains: dict[int, StudyGain]) -> str:
    """Whether the trainings agree: in a decided winner, in sign alone, or not."""
    winners = {gain.winner for gain in gains.values()}
    if len(winners) == 1 and None not in winners:
        return f"{labels.system_label(str(winners.pop()))} is better in each"
    if set(TWINS) <= winners:
        return "the trainings contradict each other"
    signs = {gain.value > 0 for gain in gains.values()}
    if winners == {None}:
        return "decided in none" if len(signs) == 1 else "decided in none, and the sign changes"
    return "decided in some, with one sign" if len(signs) == 1 else "decided in some, but the sign changes"


def _count(by_task: dict[str, dict[int, StudyGain]]) -> str:
    kept = [task for task, gains in by_task.items() if verdict(gains).endswith("in each")]
    against = [task for task, gains in by_task.items() if verdict(gains).startswith("the trainings contradict")]
    names = f" ({', '.join(labels.task_title(task) for task in kept)})" if kept else ""
    line = f"On {len(kept)} of {len(by_task)} tasks the same twin is better in every training{names}"
    if against:
        line += f"; on {len(against)} ({', '.join(labels.task_title(t) for t in against)}) they contradict each other"
    return f"{line}; on {len(by_task) - len(kept) - len(against)} not every training decides."


def _against_intervals(found: Sequence[Spread]) -> str:
    beyond, decided = sum(spread.exceeds for spread in found), sum(spread.decided for spread in found)
    return (
        f"In {beyond} of {len(found)} cases a score moves further between trainings than its interval reaches to one"
        f" side, and in {decided} the clips set the trainings apart. The intervals of every other analysis are those of"
        " one training: they hold the clips' and the readouts' chance, not this."
    )


def _spread(summary: Summary, task: str, twin: str, later: int) -> Spread | None:
    fits = (s for s in summary.spreads if (s.task, s.twin, s.later) == (task, twin, later))
    return next(fits, None)


def _beside(spread: Spread) -> str:
    """ "I-WALT moves by +2.1, its interval reaches ±4.2"."""
    moved = labels.shown_change(spread.metric, spread.difference)
    reach = labels.shown(spread.metric, spread.half_width)
    return f"{labels.system_label(spread.twin)} moves by {moved}, where its interval reaches ±{reach}"


def _moved(spread: Spread | None) -> str:
    """ "+2.1 [−1.0, +5.2]"."""
    if spread is None:
        return "–"
    low, high = (labels.shown_change(spread.metric, bound) for bound in (spread.low, spread.high))
    return f"{labels.shown_change(spread.metric, spread.difference)} [{low}, {high}]"
