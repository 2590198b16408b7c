# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Cells as text, written as Markdown, HTML and CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape


@dataclass(frozen=True)
class Table:
    """Cells as text; `bold` holds (row, column) of winners."""

    head: tuple[str, ...]
    body: tuple[tuple[str, ...], ...]
    bold: frozenset[tuple[int, int]] = frozenset()
    words: int = 3  # leading columns that are words, the others figures

    def markdown(self) -> str:
        """A GitHub table."""
        rule = ["---" if place < self.words else "---:" for place in range(len(self.head))]
        rows = [self.head, rule]
        for number, row in enumerate(self.body):
            rows.append([f"**{t}**" if (number, place) in self.bold else t for place, t in enumerate(row)])
        return "".join(f"| {' | '.join(row)} |\n" for row in rows)

    def html(self) -> str:
        """A `<table>`."""
        head = "".join(f'<th scope="col">{escape(text)}</th>' for text in self.head)
        body = "".join(f"<tr>{self._cells(number, row)}</tr>" for number, row in enumerate(self.body))
        return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"

    def csv(self) -> str:
        """Comma-separated, with a head."""
        stream = io.StringIO()
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(self.head)
        writer.writerows(self.body)
        return stream.getvalue()

    def _cells(self, number: int, row: Sequence[str]) -> str:
        cells = []
        for place, text in enumerate(row):
            tag = "th" if place == 0 else "td"
            classes = [name for name, holds in _CLASSES if holds(self, number, place)]
            mark = f' class="{" ".join(classes)}"' if classes else ""
            cells.append(f"<{tag}{mark}>{escape(text)}</{tag}>")
        return "".join(cells)


_CLASSES = (
    ("text", lambda table, _, place: place < table.words),
    ("best", lambda table, number, place: (number, place) in table.bold),
)
