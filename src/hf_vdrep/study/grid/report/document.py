# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Numbers in docs/study.md, written from a report.

A document marks where a block goes; what stands between the marks is generated and never edited by hand:

    <!-- begin: study-noise -->
    <!-- end: study-noise -->
"""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

from ....data import atomic_output
from .writing import SUMMARY_NAME

_BLOCK = re.compile(
    r"(<!-- begin: study-(?P<name>[a-z-]+) -->\n)(?P<body>.*?)(<!-- end: study-(?P=name) -->)", re.DOTALL
)


def fill_document(path: str | os.PathLike[str], report: Path) -> None:
    """Write the marked blocks of a document anew."""
    path = Path(path)
    text = path.read_text(encoding="utf-8")
    filled = fill(text, report)
    if filled != text:
        with atomic_output(path) as temporary:
            temporary.write_text(filled, encoding="utf-8")


def fill(text: str, report: Path) -> str:
    """The document with every marked block as the report has it; "not measured yet" where it has none.

    Args:
        text: the document.
        report: folder that `write_report` or `publish` wrote.
    """
    summary = report / SUMMARY_NAME
    studies = json.loads(summary.read_text(encoding="utf-8"))["studies"] if summary.exists() else {}

    def block(match: re.Match[str]) -> str:
        name = match["name"]
        return f"{match[1]}{_body(name, studies.get(name), report)}{match[4]}"

    return _BLOCK.sub(block, text)


def _body(name: str, study: dict[str, Any] | None, report: Path) -> str:
    if study is None:
        return "Not measured yet.\n"
    lines = [f"- {sentence}\n" for sentence in study["sentences"]]
    minutes = f"\nMeasured in {study['seconds'] / 60:.1f} minutes.\n" if study["seconds"] else ""
    table = (report / f"{name}.md").read_text(encoding="utf-8")
    shown = table if table.count("\n") <= 40 else ""
    return "".join(lines) + (f"\n{shown}" if shown else "") + minutes
