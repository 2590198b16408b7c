# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""The study's analyses that have no axis: similarity of blocks, correlations, figures of pictures."""

from html import escape

from .analyses import Analysis, Panel
from .analysis_charts import framed
from .study_charts import NAMES, interval_words
from .study_results import Score

_PAIRS = (
    ("i-walt", "v-walt"),
    ("i-walt", "i-walt"),
    ("v-walt", "v-walt"),
    ("i-walt", "random"),
    ("v-walt", "random"),
    ("i-walt", "floors"),
    ("v-walt", "floors"),
)
_CLIPS = {"brick-wall": "Brick wall", "probeworld": "ProbeWorld clip"}
Pair = tuple[float, float, float]


def similarity(analysis: Analysis) -> str:
    """CKA of every block of one model with every block of another, as heat maps."""
    names: list[str] = analysis.entry["names"]
    values: dict[tuple[str, str], Pair] = {}
    for first, second, *score in analysis.entry["pairs"]:
        value, low, high = (score[0] if number is None else number for number in score)
        values[names[first], names[second]] = values[names[second], names[first]] = (value, low, high)
    lowest = min(value for value, _, _ in values.values())
    cards = "".join(_heat_card(_group(names, a), _group(names, b), a, b, values, lowest) for a, b in _PAIRS)
    words = (
        "Linear CKA: 1 where two places hold the same up to a turn and a scale. Rows and columns are blocks, counted "
        "from 1; the darker, the more alike. Hover over a value for its 95 % interval."
    )
    return f'<p class="st-words">{words}</p><div class="st-cards">{cards}</div>'


def heat(panels: list[Panel]) -> str:
    """Both twins' scores over blocks and noise levels."""
    words = (
        "Rows are blocks, counted from 1; columns are noise levels. Darker is better, within a task; the best of each "
        "twin is outlined. Hover over a value for its 95 % interval."
    )
    cards = "".join(_scores_card(panel, number) for panel in panels for number in range(len(panel.entry["lines"])))
    return f'<p class="st-words">{words}</p><div class="st-cards">{cards}</div>'


def _scores_card(panel: Panel, number: int) -> str:
    entry = panel.entry
    system, label, table = entry["lines"][number]
    every = [score[0] for _, _, rows in entry["lines"] for row in rows for score in row if score]
    low, high, sign = min(every), max(every), 1 if entry["higher"] else -1
    best = max((score[0] for row in table for score in row if score), key=lambda value: sign * value)
    head = "".join(f'<th scope="col">{level}</th>' for level in entry["columns"])
    body = ""
    for block, row in zip(entry["rows"], table, strict=True):
        cells = "".join(
            _score_cell(panel, f"{label}, block {block}, noise {level}", score, best, (low, high))
            for level, score in zip(entry["columns"], row, strict=True)
        )
        body += f'<tr><th scope="row">{block}</th>{cells}</tr>'
    return (
        f'<section class="st-card"><h3>{escape(panel.title)} <small>{escape(panel.metric)}</small></h3>'
        f'<h4 data-kind="{escape(system)}">{escape(label)}</h4><table class="st-heat" data-kind="{escape(system)}">'
        f"<thead><tr><td></td>{head}</tr></thead><tbody>{body}</tbody></table></section>"
    )


def _score_cell(panel: Panel, where: str, found: list[float] | None, best: float, span: tuple[float, float]) -> str:
    if not found:
        return "<td>–</td>"
    score = Score(*found)
    share = (score.value - span[0]) / max(span[1] - span[0], 1e-9)
    share = share if panel.entry["higher"] else 1 - share
    said = f"{where}: {interval_words(panel.shown, score)}"
    return (
        f'<td style="--share:{share:.3f}" data-chosen="{str(score.value == best).lower()}">'
        f'<span aria-label="{escape(said)}" role="img">{panel.shown(score.value)}</span>'
        f'<span class="st-tip" aria-hidden="true">{escape(said)}</span></td>'
    )


def correlations(analysis: Analysis, titles: list[str]) -> str:
    """How probe scores follow measures of generation along a training, of chosen tasks."""
    head, *rows = analysis.entry["correlations"] or [[]]
    chosen = [row for row in rows if row[0] in titles]
    if not chosen:
        return ""
    cells = "".join(f'<th scope="col">{escape(name[:1].upper() + name[1:])}</th>' for name in head)
    body = "".join(_correlation_row(row) for row in chosen)
    words = (
        "Rank correlation between the probe score and each measure along the training, signed so that + means: the "
        "better the generator, the better the features. Five checkpoints are few; mind the intervals."
    )
    return f'<p class="st-words">{words}</p>' + framed("Do better generators have better features?", cells, body)


def pictures(analysis: Analysis) -> str:
    """The figures that go with the study's pictures."""
    head = "".join(f'<th scope="col">{name}</th>' for name in ("Clip", "Model", "Mean change of the features"))
    rows = "".join(
        f'<tr><th scope="row">{escape(_CLIPS.get(clip, clip))}</th><td>{escape(model)}</td><td>{value:.3f}</td></tr>'
        for clip, model, value in analysis.entry["rows"]
    )
    words = (
        "The pictures themselves are under Compare: choose the brick wall or a ProbeWorld clip there. This is how far "
        "the features move over them, on the scale of the Change view; one clip each, so without an interval."
    )
    return f'<p class="st-words">{words}</p>' + framed("Change of the features over a clip", head, rows)


def _group(names: list[str], group: str) -> list[str]:
    if group == "floors":
        return [name for name in names if name in ("latents", "pixels")]
    return [name for name in names if name.rpartition(" ")[0] == group]


def _heat_card(
    rows: list[str], columns: list[str], first: str, second: str, values: dict[tuple[str, str], Pair], lowest: float
) -> str:
    if not rows or not columns:
        return ""
    head = "".join(f'<th scope="col">{escape(_short(name))}</th>' for name in columns)
    body = "".join(
        f'<tr><th scope="row">{escape(_short(row))}</th>'
        + "".join(_heat_cell(row, column, values.get((row, column)), lowest) for column in columns)
        + "</tr>"
        for row in rows
    )
    one, other = NAMES.get(first, first), NAMES.get(second, "tokenizer and pixels")
    return (
        f'<section class="st-card"><h3>{escape(one)} × {escape(other)} <small>rows × columns</small></h3>'
        f'<table class="st-heat"><thead><tr><td></td>{head}</tr></thead><tbody>{body}</tbody></table></section>'
    )


def _heat_cell(row: str, column: str, pair: Pair | None, lowest: float) -> str:
    if pair is None:
        return "<td>–</td>"
    value, low, high = pair
    share = (value - lowest) / max(1 - lowest, 1e-9)
    said = f"{_long(row)} and {_long(column)}: {value:.3f} (95 % interval {low:.3f} to {high:.3f})"
    return (
        f'<td style="--share:{share**3:.3f}"><span aria-label="{escape(said)}" role="img">{_bare(value)}</span>'
        f'<span class="st-tip" aria-hidden="true">{escape(said)}</span></td>'
    )


def _bare(value: float) -> str:
    """Three decimals without the zero before them: cells are narrow on a phone."""
    return f"{value:.3f}".removeprefix("0") if value < 0.9995 else "1"


def _short(name: str) -> str:
    return name.rpartition(" ")[2] if " " in name else NAMES.get(name, name)


def _long(name: str) -> str:
    model, _, block = name.rpartition(" ")
    return f"{NAMES.get(model, model)} block {block}" if model else NAMES.get(name, name)


def _correlation_row(row: list[str]) -> str:
    task, model, *cells = row
    shown = "".join(f"<td>{_two_lines(cell)}</td>" for cell in cells)
    return f'<tr><th scope="row">{escape(task[:1].upper() + task[1:])}</th><td>{escape(model)}</td>{shown}</tr>'


def _two_lines(cell: str) -> str:
    value, _, interval = cell.partition(" [")
    words = interval.removesuffix("]").replace(", ", " … ")
    return escape(value) + (f"<small>{escape(words)}</small>" if words else "")
