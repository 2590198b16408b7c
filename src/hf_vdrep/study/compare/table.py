# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""The comparison as a table of plain text."""

from collections.abc import Sequence

from ..paper_gains import paper_gain, paper_source
from .results import CompareResults, Gain, Score, TaskResult
from .systems import SYSTEMS, TWINS, system

_GAP = "  "


def format_table(results: CompareResults) -> str:
    """Task x (floors, twins, reference, gain, interval, the paper's gain), aligned, with footnotes.

    Scores that are shares are shown in per cent. A star marks the twin that wins: the 95 % interval of the relative
    gain excludes 0.
    """
    present = [s for s in SYSTEMS if any(task.system(s.key) for task in results.tasks)]
    head = ["task", "metric", *(f"{s.label} " for s in present), "gain", "95 % interval", "paper"]
    body = [_row(task, [s.key for s in present]) for task in results.tasks]
    lines = _align([head, *body])
    rule = "─" * max(map(len, lines))
    return "\n".join([lines[0], rule, *lines[1:], rule, *_footnotes(results)])


def format_score(task: TaskResult, value: float) -> str:
    """A value of the task's primary metric as the table prints it, without a unit."""
    return f"{100 * value:.1f}" if task.percent else f"{value:.3f}"


def format_gain(gain: Gain) -> str:
    """Signed per cent, without the sign of per cent."""
    return f"{_signed(gain.value)} %"


def format_interval(gain: Gain) -> str:
    """Bounds in per cent."""
    return f"[{_signed(gain.low)}, {_signed(gain.high)}]"


def format_paper(task: TaskResult) -> str:
    """The published gain on the task's benchmark."""
    published = paper_gain(task.task)
    return published.words if published else "–"


def format_half_width(task: TaskResult, score: Score) -> str:
    """Half the width of a score's interval, in the unit of `format_score`."""
    return format_score(task, (score.high - score.low) / 2)


def warnings(results: CompareResults) -> list[str]:
    """One line per task on which a floor stands above both twins: there, the features did not carry the readout."""
    lines = []
    for task in results.tasks:
        sign = 1 if task.higher_is_better else -1
        twins = [sign * found.score.value for key in TWINS if (found := task.system(key))]
        floors = [found for found in task.systems if system(found.system).role in ("chance", "floor")]
        above = [f for f in floors if twins and sign * f.score.value > max(twins)]
        if above:
            best = max(above, key=lambda found: sign * found.score.value)
            value = format_score(task, best.score.value)
            lines.append(f"{task.title}: a floor, {system(best.system).label} ({value}), stands above both twins")
    return lines


def _signed(value: float) -> str:
    """One decimal, a sign, and the minus of print."""
    return f"{value:+.1f}".replace("-", "−")


def metric_label(task: TaskResult) -> str:
    """Metric, unit and direction, as "top-1 % ↑"."""
    unit = " %" if task.percent else ""
    return f"{task.metric}{unit} {'↑' if task.higher_is_better else '↓'}"


def verdict(results: CompareResults) -> str:
    """One sentence: who wins how many tasks."""
    counts, total = results.counts(), len([task for task in results.tasks if task.gain])
    if not total and any(task.system("i-walt") and task.system("v-walt") for task in results.tasks):
        return "I-WALT's scores reach 0, and no gain can be told as a part of 0: there is none to report."
    if not total:
        return "One twin alone took part, so there is no gain to report."
    parts = [f"V-WALT is better on {counts['v-walt']}", f"I-WALT on {counts['i-walt']}"]
    return f"Of {total} tasks, {', '.join(parts)}; {counts['undecided']} undecided."


def _row(task: TaskResult, keys: Sequence[str]) -> list[str]:
    cells = [task.title, metric_label(task)]
    winner = task.gain.winner if task.gain else None
    for key in keys:
        found = task.system(key)
        text = format_score(task, found.score.value) if found else "–"
        cells.append(text + ("*" if winner == key else " "))
    gain = task.gain
    return [*cells, *((format_gain(gain), format_interval(gain)) if gain else ("–", "–")), format_paper(task)]


def _align(rows: Sequence[Sequence[str]]) -> list[str]:
    """Text columns to the left, figures to the right."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return [
        _GAP.join(
            text.ljust(width) if column < 2 else text.rjust(width)
            for column, (text, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]


def _footnotes(results: CompareResults) -> list[str]:
    gained = [task for task in results.tasks if task.gain]
    notes = [verdict(results)]
    if gained:
        notes.append("* the paired 95 % interval of the gain, over test clips and readout seeds, excludes 0.")
        notes.append("gain: " + "; ".join(_forms(gained)))
        notes.append(f"paper: gain on the real benchmark of the task ({paper_source()})")
    notes += [f"note: {line}" for line in warnings(results)]
    return notes


def _forms(gained: Sequence[TaskResult]) -> list[str]:
    scores = [task for task in gained if task.higher_is_better and task.gain]
    notes = [f"{scores[0].gain.form} for scores"] if scores and scores[0].gain else []
    for task in gained:
        if not task.higher_is_better and task.gain and task.other_gain:
            other = f"as {task.other_gain.form}: {format_gain(task.other_gain)} {format_interval(task.other_gain)}"
            notes.append(f"{task.gain.form} for {task.title} ({other})")
    return notes
