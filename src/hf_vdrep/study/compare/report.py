# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""The comparison as one self-contained HTML page: no scripts, no fonts, no pictures from elsewhere."""

from __future__ import annotations

import os
from collections.abc import Sequence
from html import escape
from importlib import resources
from pathlib import Path
from string import Template

from ...data import atomic_output
from . import report_sections as sections
from .examples import ClipExample
from .figure import panel_svg
from .report_clips import clips_section
from .results import CompareResults
from .table import verdict

TITLE = "I-WALT against V-WALT on ProbeWorld"


def save_report(results: CompareResults, examples: Sequence[ClipExample], path: str | os.PathLike[str]) -> None:
    """Write report.html.

    Args:
        results: the comparison.
        examples: test clips with both twins' answers, shown as pictures; may be empty.
        path: the file.
    """
    with atomic_output(Path(path)) as temporary:
        temporary.write_text(render_report(results, examples), encoding="utf-8")


def render_report(results: CompareResults, examples: Sequence[ClipExample] = ()) -> str:
    """The page as text."""
    folder = resources.files(__package__) / "page"
    parts = [
        sections.gain_cards(results),
        sections.question(results),
        _panels(results),
        sections.table(results),
        sections.choices(results),
        clips_section(examples),
        sections.fine_print(results),
    ]
    return Template((folder / "report.html").read_text(encoding="utf-8")).substitute(
        title=escape(TITLE),
        lead=escape(verdict(results)),
        css=(folder / "report.css").read_text(encoding="utf-8"),
        body="\n".join(parts),
    )


def _panels(results: CompareResults) -> str:
    drawn = "".join(f'<div class="card">{panel_svg(task)}</div>' for task in results.tasks)
    return (
        '<section aria-labelledby="scores"><h2 id="scores">Scores on the test split</h2>'
        "<p>Further to the right is better, in every panel. Dots are means over test clips and readout seeds, lines "
        "their 95 % intervals. The band joins the twins.</p>"
        f'<figure class="panels">{drawn}</figure></section>'
    )
