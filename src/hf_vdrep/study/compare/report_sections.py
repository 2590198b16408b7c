# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Sections of the report that are words and tables."""

from __future__ import annotations

import json
from collections.abc import Sequence
from html import escape
from typing import Any

from ..paper_gains import paper_gain, paper_source
from .results import CompareResults, SystemResult, TaskResult
from .systems import SYSTEMS, system
from .table import format_gain, format_half_width, format_interval, format_score, metric_label, warnings

_READINGS = {
    None: "–",
    "video": "the clip's latents, together",
    "stack": "the clip's latents as images",
    "stride": "one frame per latent step, encoded alone",
    "frames": "every frame, encoded alone",
    "image": "one frame",
}


def gain_cards(results: CompareResults) -> str:
    """One card per task: the gain, its interval, who wins."""
    cards = []
    for task in results.tasks:
        if not task.gain:
            continue
        winner = task.gain.winner
        words = f"{system(winner).label} is better" if winner else "undecided"
        cards.append(
            f'<li class="card {winner}-wins"><span>{escape(task.title)}</span>'
            f'<strong class="{winner or "muted"}">{format_gain(task.gain)}</strong>'
            f'<span class="muted">{format_interval(task.gain)}</span><span class="muted">{escape(words)}</span></li>'
        )
    return f'<ul class="cards" aria-label="Relative gain of V-WALT over I-WALT">{"".join(cards)}</ul>'


def question(results: CompareResults) -> str:
    """What is compared, in plain words."""
    config = results.config
    return f"""<section aria-labelledby="question"><h2 id="question">What is compared</h2>
<p>Two diffusion transformers of equal size were trained to generate: <strong class="i-walt">I-WALT</strong> single
images, <strong class="v-walt">V-WALT</strong> videos. Both are then frozen. A clip is encoded, noise is added, and one
forward pass is made; what a block in the middle puts out are the features. A small readout is trained on them for each
task, and the readout's score says how much the features know.</p>
<p>The same readouts, schedules and seeds serve every column. Block, noise level, learning rate and, for I-WALT, the way
in which a video is read are chosen on {config["validation_size"]} validation clips, by short trainings on
{min(config["search_train_size"], config["train_size"])} clips. The readouts that count are then trained on
{config["train_size"]} clips. The {config["test_size"]} test clips are rendered and read once, after every choice.</p>
</section>"""


def table(results: CompareResults) -> str:
    """Task x (floors, twins, reference, gain, interval)."""
    present = [s for s in SYSTEMS if any(task.system(s.key) for task in results.tasks)]
    heads = "".join(f'<th scope="col" class="{s.key}">{escape(s.label)}</th>' for s in present)
    rows = "".join(_table_row(task, [s.key for s in present]) for task in results.tasks)
    terms = "".join(f"<dt>{escape(s.label)}</dt><dd>{escape(s.note)}</dd>" for s in present)
    return f"""<section aria-labelledby="table"><h2 id="table">The table</h2>
<div class="card scroll"><table class="stacked"><thead><tr><th scope="col">task</th>{heads}
<th scope="col">gain</th><th scope="col">paper</th></tr></thead><tbody>{rows}</tbody></table></div>
<p class="muted">± is half the width of the 95 % interval of a single score. Bold: better than its twin, because the
paired interval of the gain excludes 0. {_gain_note(results)} Paper: the gain of V-WALT over I-WALT on the real
benchmark of the task ({escape(paper_source())}).</p>{_warned(results)}
<dl class="terms">{terms}</dl></section>"""


def choices(results: CompareResults) -> str:
    """What was chosen on validation, and the sweeps behind it."""
    rows = []
    for task in results.tasks:
        chosen = [found for found in task.systems if found.validation is not None]
        for place, found in enumerate(chosen):
            head = f'<th scope="rowgroup" rowspan="{len(chosen)}">{escape(task.title)}</th>' if not place else ""
            rows.append(f"<tr>{head}{_choice_cells(task, found)}</tr>")
    sweeps = "".join(_sweeps(task) for task in results.tasks)
    return f"""<section aria-labelledby="choices"><h2 id="choices">What was chosen on validation</h2>
<div class="card scroll"><table><thead><tr><th scope="col">task</th><th scope="col" class="text">system</th>
<th scope="col">block</th><th scope="col">noise level</th><th scope="col" class="text">video read as</th>
<th scope="col">learning rate</th><th scope="col">validation</th><th scope="col">test</th></tr></thead>
<tbody>{"".join(rows)}</tbody></table></div>
<h3>Validation scores by block and noise level</h3>
<p class="muted">Columns are noise levels. The stronger the shade, the better; the outlined cell was chosen.</p>
<div class="stack">{sweeps}</div></section>"""


def fine_print(results: CompareResults) -> str:
    """How gains and intervals are made, versions and settings."""
    config = results.config
    versions = ", ".join(f"{name} {version}" for name, version in sorted(results.versions.items()))
    revisions = "".join(f"<dt>{escape(k)}</dt><dd><code>{escape(v)}</code></dd>" for k, v in results.revisions.items())
    settings = escape(json.dumps(config, indent=2))
    return f"""<section aria-labelledby="fine"><h2 id="fine">Fine print</h2>
<p><strong>Gain.</strong> For scores 100·(V/I − 1); for errors 100·(1 − V/I), the share of I-WALT's error that V-WALT
avoids. The other usual form for errors, 100·(I/V − 1), is larger for the same scores and stands below the table.</p>
<p><strong>Intervals.</strong> A paired bootstrap with {config["resamples"]:,} resamples over the test clips (the same
clips for both twins) and the readout seeds. “Better” means that the interval of the gain excludes 0; otherwise the task
is undecided. The tasks are not corrected for being several.</p>
<p><strong>Scale.</strong> These are tiny models on a procedural world. The page shows what this pair does here; it does
not reproduce the published figures.</p>
<details class="card"><summary>Settings, versions and weights</summary>
<p>Run <code>{escape(results.config_hash)}</code>; {escape(versions)}</p><dl class="terms">{revisions}</dl>
<pre>{settings}</pre></details></section>"""


def _table_row(task: TaskResult, keys: Sequence[str]) -> str:
    winner = task.gain.winner if task.gain else None
    cells = []
    for key in keys:
        found = task.system(key)
        if found is None:
            cells.append("<td>–</td>")
            continue
        mark = f' class="best {key}"' if winner == key else ""
        spread = format_half_width(task, found.score)
        cells.append(f"<td{mark}>{format_score(task, found.score.value)}<small>± {spread}</small></td>")
    gain = task.gain
    mark = f' class="best {winner}"' if winner else ""
    cells.append(f"<td{mark}>{format_gain(gain)}<small>{format_interval(gain)}</small></td>" if gain else "<td>–</td>")
    cells.append(_paper_cell(task))
    head = f'<th scope="row">{escape(task.title)}<small>{escape(metric_label(task))}</small></th>'
    return f"<tr>{head}{''.join(cells)}</tr>"


def _paper_cell(task: TaskResult) -> str:
    """The published gain and the benchmark that it was measured on."""
    published = paper_gain(task.task)
    if not published:
        return "<td>–</td>"
    return f"<td>{escape(published.words)}<small>{escape(published.benchmark)}</small></td>"


def _warned(results: CompareResults) -> str:
    lines = "".join(f"<li>{escape(line)}</li>" for line in warnings(results))
    return f'<ul class="muted" aria-label="Notes">{lines}</ul>' if lines else ""


def _gain_note(results: CompareResults) -> str:
    notes = []
    for task in results.tasks:
        if task.gain and task.other_gain:
            other = f"{format_gain(task.other_gain)} {format_interval(task.other_gain)}"
            notes.append(f"Gain of {task.title} as {task.gain.form}; as {task.other_gain.form} it is {other}.")
    return escape(" ".join(notes))


def _choice_cells(task: TaskResult, found: SystemResult) -> str:
    block = "–" if found.layer is None else f"{found.layer + 1} <small>of {found.num_layers}</small>"
    level = "–" if found.timestep is None else str(found.timestep)
    seeds = f" <small>({len(found.seeds)} seed{'s' * (len(found.seeds) != 1)})</small>"
    assert found.validation is not None
    return (
        f'<td class="text {found.system}">{escape(system(found.system).label)}</td><td>{block}</td><td>{level}</td>'
        f'<td class="text">{escape(_READINGS.get(found.reading, str(found.reading)))}</td>'
        f"<td>{found.learning_rate:g}</td><td>{format_score(task, found.validation)}</td>"
        f"<td>{format_score(task, found.score.value)}{seeds}</td>"
    )


def _sweeps(task: TaskResult) -> str:
    """The sweeps of one task: one small table per twin and reading."""
    pairs = [(cell["system"], cell["reading"]) for cell in task.sweep if system(cell["system"]).role == "twin"]
    tables = "".join(_sweep(task, key, reading) for key, reading in dict.fromkeys(pairs))
    if not tables:
        return ""
    return f'<div class="card"><h4>{escape(task.title)}</h4><div class="sweeps">{tables}</div></div>'


def _sweep(task: TaskResult, key: str, reading: str | None) -> str:
    """Best score over learning rates for each (block, noise level), shaded over the whole task."""
    best: dict[tuple[int, int], float] = {}
    better = max if task.higher_is_better else min
    for cell in task.sweep:
        if (cell["system"], cell["reading"]) == (key, reading):
            place = (cell["layer"], cell["timestep"])
            best[place] = better(best.get(place, cell["value"]), cell["value"])
    levels = sorted({level for _, level in best})
    heads = "".join(f'<th scope="col">{level}</th>' for level in levels)
    rows = []
    for layer in sorted({layer for layer, _ in best}):
        cells = "".join(_shaded(task, key, reading, layer, level, best) for level in levels)
        rows.append(f'<tr><th scope="row">block {layer + 1}</th>{cells}</tr>')
    detail = f'<small class="muted">{escape(_READINGS.get(reading, str(reading)))}</small>' if reading else ""
    return (
        f'<div><strong class="{key}">{escape(system(key).label)}</strong> {detail}<table><thead><tr>'
        f"<td></td>{heads}</tr></thead><tbody>{''.join(rows)}</tbody></table></div>"
    )


def _shaded(
    task: TaskResult, key: str, reading: str | None, layer: int, level: int, best: dict[tuple[int, int], float]
) -> str:
    if (layer, level) not in best:
        return "<td>–</td>"
    tried: list[dict[str, Any]] = [cell for cell in task.sweep if system(cell["system"]).role == "twin"]
    low, high = min(cell["value"] for cell in tried), max(cell["value"] for cell in tried)
    share = (best[layer, level] - low) / ((high - low) or 1.0)
    share = share if task.higher_is_better else 1 - share
    found = task.system(key)
    chosen = found and (found.layer, found.timestep, found.reading) == (layer, level, reading)
    mark = ' class="chosen"' if chosen else ""
    style = f'style="background: rgba(var(--shade), {0.04 + 0.34 * share:.2f})"'
    return f"<td{mark} {style}>{format_score(task, best[layer, level])}</td>"
