# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""The study's charts and table as markup: they follow the page's width and colours, and every value can be hovered
over, tabbed to and read aloud."""

from collections.abc import Callable, Iterable
from html import escape

from .study_results import NAMES, Score, StudyResults, TaskResults

CHARTS = {"Scores": "scores", "V-WALT against I-WALT": "gains", "Blocks and noise levels": "sweep", "Table": "table"}
"""Title of a chart -> its name."""
_WIDEST_GAIN = 100.0


def draw(results: StudyResults, tasks: Iterable[str], chart: str) -> str:
    """A chart of chosen tasks.

    Raises:
        ValueError: an unknown task or chart.
    """
    chosen = list(tasks)
    unknown = [name for name in chosen if name not in results.tasks]
    if unknown or chart not in CHARTS.values():
        raise ValueError(f"The chart must be one of {', '.join(CHARTS)}, of tasks {', '.join(results.tasks)}.")
    if not chosen:
        return '<p class="st-words">Choose at least one task.</p>'
    shown = [entry for name, entry in results.tasks.items() if name in chosen]
    body = {"scores": _scores, "gains": _gains, "sweep": _sweeps, "table": _table}[chart](shown)
    return f'<div class="st">{body}<p class="st-words">{escape(results.settings)}</p></div>'


def _scores(tasks: list[TaskResults]) -> str:
    words = "What a small readout reads from each model's frozen features. The line is the 95 % interval."
    cards = "".join(map(_score_card, tasks))
    head = f'<p class="st-question">{escape(verdict(tasks))}</p><p class="st-words">{words}</p>'
    return f'{head}<div class="st-cards">{cards}</div>'


def verdict(tasks: list[TaskResults]) -> str:
    """On how many tasks either twin leads, and on which."""
    lead = {system: [task.title.lower() for task in tasks if task.winner == system] for system in ("v-walt", "i-walt")}
    ahead = [
        f"{NAMES[system]} is ahead on {len(found)} ({', '.join(found)})" for system, found in lead.items() if found
    ]
    undecided = len(tasks) - sum(map(len, lead.values()))
    rest = [f"on {undecided} the intervals cannot tell"] if undecided else []
    return f"Of {len(tasks)} task{'s' * (len(tasks) != 1)}: {', '.join([*ahead, *rest])}."


def _score_card(task: TaskResults) -> str:
    top = 1.0 if task.percent else 1.08 * max(score.high for score in task.scores.values())
    rows = "".join(_score_row(task, system, score, top) for system, score in task.scores.items())
    axis = f"<span>0</span><span>{task.shown(top)}</span>"
    return (
        f'<section class="st-card"><h3>{escape(task.title)} <small>{escape(task.metric)}</small></h3>{rows}'
        f'<div class="st-axis" aria-hidden="true">{axis}</div></section>'
    )


def _score_row(task: TaskResults, system: str, score: Score, top: float) -> str:
    row = task.row(system)
    place = "" if row.get("layer") is None else f", block {row['layer'] + 1} of {row['num_layers']}"
    noise = "" if row.get("timestep") is None else f", noise {row['timestep']}"
    said = f"{NAMES.get(system, system)}: {interval_words(task.shown, score)}{place}{noise}"
    return line_row(system, NAMES.get(system, system), task.shown(score.value), said, score, 0.0, top)


def _gains(tasks: list[TaskResults]) -> str:
    found = [(task, task.gain) for task in tasks if task.gain is not None]
    widest = max((max(abs(gain.low), abs(gain.high)) for _, gain in found), default=1.0)
    limit = min(_WIDEST_GAIN, 1.05 * widest)
    rows = "".join(_gain_row(task, gain, limit) for task, gain in found)
    words = (
        "How much better V-WALT is than I-WALT, in per cent of I-WALT's score. Right of the line V-WALT leads; where "
        "the interval crosses the line, the study cannot tell."
    )
    return (
        f'<p class="st-words">{words}</p><section class="st-card st-wide">{rows}'
        f'<div class="st-axis" aria-hidden="true"><span>−{limit:.0f} % I-WALT leads</span>'
        f"<span>V-WALT leads +{limit:.0f} %</span></div></section>"
    )


def _gain_row(task: TaskResults, gain: Score, limit: float) -> str:
    verdict = f"{NAMES[task.winner]} leads" if task.winner in NAMES else "no difference can be told"
    said = f"{task.title}: {signed(gain.value)} %, interval {signed(gain.low)} to {signed(gain.high)} %; {verdict}"
    kind = task.winner or "none"
    return line_row(kind, task.title, f"{signed(gain.value)} %", said, gain, -limit, limit, zero=True)


def line_row(
    kind: str, name: str, value: str, said: str, score: Score, low: float, high: float, *, zero: bool = False
) -> str:
    """A name, a dot with its interval on an axis from `low` to `high`, and the value."""
    left, dot, right = (
        100 * min(1.0, max(0.0, (x - low) / (high - low))) for x in (score.low, score.value, score.high)
    )
    line = '<i class="st-zero"></i>' if zero else ""
    return (
        f'<div class="st-row" data-kind="{escape(kind)}" tabindex="0" role="img" aria-label="{escape(said)}">'
        f'<span class="st-name">{escape(name)}</span><span class="st-track">{line}'
        f'<i class="st-range" style="left:{left:.2f}%;width:{right - left:.2f}%"></i>'
        f'<i class="st-dot" style="left:{dot:.2f}%"></i></span><span class="st-value">{escape(value)}</span>'
        f'<span class="st-tip" aria-hidden="true">{escape(said)}</span></div>'
    )


def _sweeps(tasks: list[TaskResults]) -> str:
    words = (
        "Validation scores of every block, noise level, reading and rate of learning that was tried, and the one that "
        "was taken (outlined). Darker is better, within a task."
    )
    return f'<p class="st-words">{words}</p><div class="st-cards">{"".join(map(_sweep_card, tasks))}</div>'


def _sweep_card(task: TaskResults) -> str:
    rows = [row for row in task.entry["sweep"] if row["system"] in ("i-walt", "v-walt", "random")]
    values = [row["value"] for row in rows]
    low, high = min(values, default=0.0), max(values, default=1.0)
    groups = []
    for system in ("i-walt", "v-walt", "random"):
        mine = [row for row in rows if row["system"] == system]
        rates = {row.get("learning_rate") for row in mine}
        cells = "".join(_sweep_cell(task, row, low, high, len(rates) > 1) for row in mine)
        groups.append(
            f'<h4 data-kind="{system}">{NAMES[system]}</h4><div class="st-cells">{cells}</div>' if cells else ""
        )
    title = f"<h3>{escape(task.title)} <small>{escape(task.metric)}</small></h3>"
    return f'<section class="st-card">{title}{"".join(groups)}</section>'


def _sweep_cell(task: TaskResults, row: dict, low: float, high: float, with_rate: bool) -> str:
    share = (row["value"] - low) / max(high - low, 1e-12)
    share = share if task.entry["higher_is_better"] else 1 - share
    taken = task.row(row["system"])
    chosen = all(taken.get(name) == row.get(name) for name in ("layer", "timestep", "reading", "learning_rate"))
    where = f"block {row['layer'] + 1}, noise {row['timestep']}" + (f", {row['reading']}" if row.get("reading") else "")
    where += f", rate {row['learning_rate']:g}" if with_rate else ""
    name, value = NAMES[row["system"]], task.shown(row["value"])
    said = f"{name}, {where}: {value}{', taken' if chosen else ''}"
    return (
        f'<div class="st-cell" data-kind="{escape(row["system"])}" data-chosen="{str(chosen).lower()}" tabindex="0" '
        f'role="img" aria-label="{escape(said)}" style="--share:{share:.2f}"><b>{value}</b>'
        f"<small>{escape(where)}</small>"
        f'<span class="st-tip" aria-hidden="true">{escape(said)}</span></div>'
    )


def _table(tasks: list[TaskResults]) -> str:
    systems = list(dict.fromkeys(system for task in tasks for system in task.scores))
    head = "".join(f'<th scope="col">{escape(NAMES.get(system, system))}</th>' for system in systems)
    rows = "".join(_table_row(task, systems) for task in tasks)
    return (
        '<div class="st-scroll" tabindex="0" role="region" aria-label="Table of all scores"><table class="st-table">'
        "<caption>Every score with its 95 % interval</caption>"
        f'<thead><tr><th scope="col">Task</th>{head}<th scope="col">V against I</th></tr></thead>'
        f"<tbody>{rows}</tbody></table></div>"
    )


def _table_row(task: TaskResults, systems: list[str]) -> str:
    scores, gain = task.scores, task.gain
    cells = "".join(
        f'<td title="{escape(interval_words(task.shown, scores[system]))}">'
        f"{_two_lines(task, scores[system], system == task.winner)}</td>"
        if system in scores
        else "<td>–</td>"
        for system in systems
    )
    last = "–" if gain is None else f"{signed(gain.value)} %<small>{signed(gain.low)} … {signed(gain.high)}</small>"
    return (
        f'<tr><th scope="row">{escape(task.title)}<small>{escape(task.metric)}</small></th>{cells}<td>{last}</td></tr>'
    )


def _two_lines(task: TaskResults, score: Score, bold: bool) -> str:
    value = f"<b>{task.shown(score.value)}</b>" if bold else task.shown(score.value)
    return f"{value}<small>{task.shown(score.low)} … {task.shown(score.high)}</small>"


def signed(value: float) -> str:
    """One decimal, a sign, and the minus of print."""
    return f"{value:+.1f}".replace("-", "−")


def interval_words(shown: Callable[[float], str], score: Score) -> str:
    """A value and its interval, for hovering and for reading aloud."""
    return f"{shown(score.value)} (95 % interval {shown(score.low)} to {shown(score.high)})"
