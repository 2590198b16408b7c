# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""The report as one self-contained page: no scripts, no fonts, no pictures from elsewhere."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from importlib import resources
from pathlib import Path
from typing import Any

from ...compare.aggregate import GAIN_OF_ERRORS, GAIN_OF_SCORES
from ...compare.systems import SYSTEMS
from ...paper_gains import paper_source
from ..config import StudyConfig
from .table import Table

_TRAININGS = "Another training of both twins"
TITLE = "The study: what frozen features of an image and a video diffusion model know"


@dataclass(frozen=True)
class Section:
    """One analysis as the page shows it."""

    name: str
    config: StudyConfig
    sentences: tuple[str, ...]
    table: Table
    correlations: Table | None
    svg: str
    pictures: tuple[Path, ...]
    skipped: tuple[Mapping[str, Any], ...]
    seconds: float | None


def render_page(sections: Sequence[Section], about: Mapping[str, str]) -> str:
    """The page as text."""
    css = (resources.files("hf_vdrep.study.compare") / "page" / "report.css").read_text(encoding="utf-8")
    own = (resources.files(__package__) / "page.css").read_text(encoding="utf-8")
    links = "".join(f'<li><a href="#{s.name}">{escape(s.config.title)}</a></li>' for s in sections)
    body = "".join(_section(section) for section in sections)
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="generator" content="hf-vdrep study">
<title>{escape(TITLE)}</title>
<style>
{css}
{own}
</style>
</head>
<body>
<header><h1>{escape(TITLE)}</h1>
<p class="lead">{len(sections)} analyses, {escape(about["rows"])} rows, each number with its 95 % interval.</p>
<nav aria-label="Analyses"><ul class="contents">{links}</ul></nav></header>
<main>
{_method()}
{body}
{_fine_print(sections, about)}
</main>
<footer><p>Gains in the column “paper”: {escape(paper_source())}. Everything else on this page was drawn from the rows
by <code>hf-vdrep study report</code>.</p></footer>
</body>
</html>
"""


def _method() -> str:
    terms = "".join(f"<dt>{escape(s.label)}</dt><dd>{escape(s.note)}</dd>" for s in SYSTEMS)
    return f"""<section aria-labelledby="method"><h2 id="method">How to read this</h2>
<p>A clip is encoded, noise is added, one forward pass is made; what a block puts out are the features. A small readout
is trained on them for each task, its learning rate chosen on validation clips, and scored once on test clips. Intervals
are of a bootstrap over test clips and over the seeds of the readouts; where one readout was trained they hold the
clips’ chance alone, and none but those of “{escape(_TRAININGS)}” knows how another training of the models would come
out. The gain of V-WALT is {escape(GAIN_OF_SCORES)} for scores and {escape(GAIN_OF_ERRORS)} for errors, positive where
V-WALT is better; how the paper normalises errors is not known. A gain is decided where its paired interval excludes 0.
What is called best is best on validation clips; another place is set apart from it where the paired interval of their
difference on test clips excludes 0. These are tiny models on a procedural world with short
readout trainings: curves compare settings, and the main table has the scores to quote.
Tasks and settings are not corrected for being several.</p><dl class="terms">{terms}</dl></section>"""


def _section(section: Section) -> str:
    config = section.config
    said = "".join(f"<li>{escape(line)}</li>" for line in section.sentences)
    parts = [
        f'<section aria-labelledby="{section.name}"><h2 id="{section.name}">{escape(config.title)}</h2>',
        f"<p>{escape(config.question)}</p>" if config.question else "",
        f'<p class="muted"><strong>The paper:</strong> {escape(config.paper)}</p>' if config.paper else "",
        f'<ul class="said">{said}</ul>' if said else "",
        f'<figure class="card plate">{section.svg}</figure>' if section.svg else "",
        *(_picture(path) for path in section.pictures),
    ]
    if section.correlations:
        parts.append(
            "<h3>Probe score against generation quality, over the checkpoints</h3><p>Rank correlation (Spearman) with "
            "its interval, by a bootstrap over the checkpoints and the intervals of both figures; positive: the better "
            "the generator, the better the features. The checkpoints are few and of one training, where both rise with "
            "time: it says that they rise together, not that the one makes the other.</p>"
            f'<div class="card scroll">{section.correlations.html()}</div>'
        )
    if section.table.body:
        parts.append(
            f'<details><summary>The figures</summary><div class="card scroll">{section.table.html()}</div></details>'
        )
    parts.append(_left_out(section))
    return "".join(parts) + "</section>"


def _left_out(section: Section) -> str:
    if not section.skipped:
        return ""
    reasons = "".join(f"<li>{escape(e['backbone'])}: {escape(e['reason'])}</li>" for e in section.skipped)
    return (
        f'<details><summary>{len(section.skipped)} models left out</summary><ul class="muted">{reasons}</ul></details>'
    )


def _picture(path: Path) -> str:
    data = base64.b64encode(path.read_bytes()).decode()
    return f'<figure class="card plate"><img alt="{escape(path.stem)}" src="data:image/png;base64,{data}"></figure>'


def _fine_print(sections: Sequence[Section], about: Mapping[str, str]) -> str:
    timed, unmeasured = [s for s in sections if s.seconds], about.get("unmeasured", "")
    times = ", ".join(f"{escape(s.config.title)} {s.seconds / 60:.1f} min" for s in timed if s.seconds)
    whole = sum(s.seconds or 0.0 for s in timed) / 60
    return f"""<section aria-labelledby="fine"><h2 id="fine">Fine print</h2>
{f"<p><strong>Not measured here.</strong> {escape(unmeasured)}.</p>" if unmeasured else ""}
<p><strong>Wall time.</strong> {times or "not kept"}{f"; together {whole:.0f} min" if timed else ""}.</p>
<p><strong>Data.</strong> {escape(about["dataset"])}. <strong>Versions.</strong> {escape(about["versions"])}.</p>
<details><summary>Weights</summary><p><code>{escape(about["weights"])}</code></p></details></section>"""
