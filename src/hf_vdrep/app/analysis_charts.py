# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""The study's analyses along an axis as markup: plots, gains and tables whose every value can be hovered over, tabbed
to and read aloud."""

import math
from collections.abc import Callable
from html import escape

from .analyses import Analysis, Line, Panel
from .study_charts import NAMES, interval_words, line_row, signed
from .study_results import Score

_WIDEST_GAIN = 100.0
_MOST_STEPS = 4


def scores(analysis: Analysis, panels: list[Panel]) -> str:
    """A plot for each panel, a legend above; models side by side are rows instead."""
    if analysis.kind == "models":
        return f'<div class="st-cards">{"".join(map(_models_card, panels))}</div>'
    systems = {line.system: line.label for panel in panels for line in panel.lines}
    legend = "".join(
        f'<span data-kind="{escape(name)}"><i></i>{escape(label)}</span>' for name, label in systems.items()
    )
    cards = "".join(_plot_card(analysis, panel) for panel in panels)
    return f'<p class="st-legend" aria-hidden="true">{legend}</p><div class="st-cards">{cards}</div>'


def gains(analysis: Analysis, panels: list[Panel]) -> str:
    """How much better V-WALT is than I-WALT, place by place."""
    shown = [panel for panel in panels if any(panel.gains)]
    words = (
        "How much better V-WALT is than I-WALT, in per cent of I-WALT's score. Right of the line V-WALT leads; where "
        "the interval crosses the line, the study cannot tell."
    )
    cards = "".join(_gain_card(analysis, panel) for panel in shown)
    return f'<p class="st-words">{words}</p><div class="st-cards">{cards}</div>'


def table(analysis: Analysis, panels: list[Panel]) -> str:
    """Every value with its interval."""
    systems = {line.system: line.label for panel in panels for line in panel.lines}
    has_gains = any(panel.gains for panel in panels)
    axis = [] if analysis.kind == "models" else [analysis.axis.capitalize()]
    names = ["Measure" if analysis.kind == "quality" else "Task", *axis, *systems.values()]
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in names + ["V against I"] * has_gains)
    rows = "".join(
        _table_row(panel, place, list(systems), has_gains, bool(axis))
        for panel in panels
        for place in range(len(panel.places))
    )
    return framed(f"{analysis.title}: every score with its 95 % interval", head, rows)


def framed(caption: str, head: str, rows: str) -> str:
    """A table that scrolls by itself where the page is narrow."""
    return (
        f'<div class="st-scroll" tabindex="0" role="region" aria-label="{escape(caption)}"><table class="st-table">'
        f"<caption>{escape(caption)}</caption><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>"
    )


def _models_card(panel: Panel) -> str:
    found = [(line, line.scores[0]) for line in panel.lines if line.scores[0] is not None]
    top = 1.0 if panel.entry["percent"] else 1.08 * max(score.high for _, score in found)
    rows = ""
    for line, score in found:
        said = f"{line.label}: {interval_words(panel.shown, score)}"
        rows += line_row(line.system, line.label, panel.shown(score.value), said, score, 0.0, top)
    return (
        f'<section class="st-card st-models"><h3>{escape(panel.title)} <small>{escape(panel.metric)}</small></h3>{rows}'
        f'<div class="st-axis" aria-hidden="true"><span>0</span><span>{panel.shown(top)}</span></div></section>'
    )


def _plot_card(analysis: Analysis, panel: Panel) -> str:
    low, high, step = _span(panel)

    def height(value: float) -> float:
        return 100 - 100 * (value - low) / (high - low)

    count = len(panel.places)
    curves = "".join(_curve(line, height, count) for line in panel.lines) if analysis.is_ordered else ""
    dots = "".join(_dots(analysis, panel, number, height) for number in range(len(panel.lines)))
    ticks = "".join(
        f'<span style="left:{_across(place, count):.2f}%">{escape(words)}</span>'
        for place, words in enumerate(panel.places)
    )
    lines = [low + step * number for number in range(round((high - low) / step) + 1)]
    marks = "".join(f'<span style="top:{height(value):.2f}%">{panel.shown(value)}</span>' for value in lines)
    grid = "".join(f'<line x1="0" x2="100" y1="{height(value):.2f}" y2="{height(value):.2f}"/>' for value in lines)
    return (
        f'<section class="st-card"><h3>{escape(panel.title)} <small>{escape(panel.metric)}</small></h3>'
        f'<div class="st-plot"><div class="st-marks" aria-hidden="true">{marks}</div><div class="st-area">'
        f'<svg viewBox="0 0 100 100" preserveAspectRatio="none" aria-hidden="true">{grid}{curves}</svg>{dots}</div>'
        f'<div class="st-ticks" aria-hidden="true">{ticks}</div>'
        f'<p class="st-axis-name" aria-hidden="true">{escape(analysis.axis)}</p></div></section>'
    )


def _span(panel: Panel) -> tuple[float, float, float]:
    """Ends of the axis around every bound that is shown, round numbers, and the step between its lines."""
    found = [score for line in panel.lines for score in line.scores if score is not None]
    low, high = min(score.low for score in found), max(score.high for score in found)
    room = max(high - low, 1e-3 * max(abs(high), 1e-3))
    for step in (factor * 10.0**power for power in range(-6, 7) for factor in (1, 2, 5)):
        bottom = math.floor(low / step + 1e-9) * step
        count = max(1, math.ceil((high - bottom) / step - 1e-9))
        if count <= _MOST_STEPS and step * _MOST_STEPS >= room:
            return bottom, bottom + count * step, step
    raise ValueError(f"scores of {panel.name} must be below a million, got {high}")


def _across(place: int, count: int) -> float:
    return 100 * (place + 0.5) / count


def _curve(line: Line, height: Callable[[float], float], count: int) -> str:
    """A line with its band."""
    known = [(_across(place, count), score) for place, score in enumerate(line.scores) if score is not None]
    if len(known) < 2:
        return ""
    upper = [f"{x:.2f},{height(score.high):.2f}" for x, score in known]
    lower = [f"{x:.2f},{height(score.low):.2f}" for x, score in reversed(known)]
    middle = " ".join(f"{x:.2f},{height(score.value):.2f}" for x, score in known)
    kind = escape(line.system)
    return f'<g data-kind="{kind}"><polygon points="{" ".join(upper + lower)}"/><polyline points="{middle}"/></g>'


def _dots(analysis: Analysis, panel: Panel, number: int, height: Callable[[float], float]) -> str:
    line, count = panel.lines[number], len(panel.places)
    # Side by side, so that one model's interval does not hide the other's.
    aside = 0.0 if analysis.is_ordered and count > 1 else 6 * (number - (len(panel.lines) - 1) / 2)
    found = []
    for place, score in enumerate(line.scores):
        if score is None:
            continue
        said = f"{line.label}, {analysis.axis} {panel.places[place]}: {interval_words(panel.shown, score)}"
        top, bottom = height(score.high), height(score.low)
        side = "right" if place >= count / 2 else "left"
        found.append(
            f'<span class="st-point" data-kind="{escape(line.system)}" data-side="{side}" tabindex="0" role="img" '
            f'aria-label="{escape(panel.title)}: {escape(said)}" '
            f'style="left:{_across(place, count) + aside:.2f}%;top:{top:.2f}%;height:{bottom - top:.2f}%">'
            f'<i style="top:{100 * (height(score.value) - top) / max(bottom - top, 1e-9):.1f}%"></i>'
            f'<span class="st-tip" aria-hidden="true">{escape(said)}</span></span>'
        )
    return "".join(found)


def _gain_card(analysis: Analysis, panel: Panel) -> str:
    found = [(place, gain) for place, gain in zip(panel.places, panel.gains, strict=True) if gain is not None]
    widest = max(max(abs(score.low), abs(score.high)) for _, (score, _) in found)
    limit = min(_WIDEST_GAIN, 1.05 * widest)
    rows = "".join(_gain_row(analysis, place, score, winner, limit) for place, (score, winner) in found)
    return (
        f'<section class="st-card st-places"><h3>{escape(panel.title)} <small>{escape(analysis.axis)}</small></h3>'
        f'{rows}<div class="st-axis" aria-hidden="true"><span>−{limit:.0f} %</span><span>+{limit:.0f} %</span></div>'
        "</section>"
    )


def _gain_row(analysis: Analysis, place: str, score: Score, winner: str | None, limit: float) -> str:
    verdict = f"{NAMES[winner]} leads" if winner in NAMES else "no difference can be told"
    value, low, high = map(signed, (score.value, score.low, score.high))
    said = f"{analysis.axis} {place}: {value} %, interval {low} to {high} %; {verdict}"
    return line_row(winner or "none", place, f"{value} %", said, score, -limit, limit, zero=True)


def _table_row(panel: Panel, place: int, systems: list[str], has_gains: bool, has_axis: bool) -> str:
    lines = {line.system: line for line in panel.lines}
    gain = panel.gains[place] if panel.gains else None
    cells = []
    for system in systems:
        score = lines[system].scores[place] if system in lines else None
        leads = gain is not None and gain[1] == system
        cells.append("<td>–</td>" if score is None else _cell(panel.shown, score, leads))
    if has_gains:
        cells.append("<td>–</td>" if gain is None else _cell(signed, gain[0], False, " %"))
    metric = f"<small>{escape(panel.metric)}</small>"
    head = f'<th scope="row">{escape(panel.title)}{metric}</th>' + f"<td>{escape(panel.places[place])}</td>" * has_axis
    return f"<tr>{head}{''.join(cells)}</tr>"


def _cell(shown: Callable[[float], str], score: Score, bold: bool, unit: str = "") -> str:
    value = f"<b>{shown(score.value)}</b>" if bold else shown(score.value)
    words = interval_words(shown, score)
    return f'<td title="{escape(words)}">{value}{unit}<small>{shown(score.low)} … {shown(score.high)}</small></td>'
