# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""A number of a plan, with how it is known."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Literal

How = Literal["exact", "formula", "given", "measured", "published", "assumed"]


@dataclass(frozen=True)
class Figure:
    """One number.

    Attributes:
        name: what it is.
        value: in `unit`.
        unit: "B" bytes, "s" seconds, "FLOP", "FLOP/s", "B/s", "h", or a word for what is counted; "" for a ratio.
        how: "exact" follows from the settings alone; "formula" from formulas that leave small things out; "given" by
            the user; "measured" on this machine; "published" by others; "assumed" is, or rests on, an assumption.
        note: which assumption, or what is left out.
    """

    name: str
    value: float
    unit: str
    how: How = "exact"
    note: str = ""

    def to_dict(self) -> dict[str, Any]:
        """For JSON; an assumption says that it is one."""
        shown = {"value": self.value, "unit": self.unit, "how": self.how}
        return {**shown, "note": self.note} if self.note else shown


@dataclass(frozen=True)
class Table:
    """Rows under a heading; `how` says how each column is known."""

    columns: list[tuple[str, str, How]]
    rows: list[list[Any]]
    notes: list[str] = field(default_factory=list)

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        names = [name for name, _, _ in self.columns]
        units = {name: {"unit": unit, "how": how} for name, unit, how in self.columns}
        rows = [dict(zip(names, row, strict=True)) for row in self.rows]
        return {"columns": units, "rows": rows, "notes": self.notes}


@dataclass(frozen=True)
class Plan:
    """A plan: sections of figures, and tables."""

    title: str
    sections: dict[str, list[Figure]]
    tables: dict[str, Table] = field(default_factory=dict)

    def __getitem__(self, name: str) -> Figure:
        """The figure of that name, in whichever section.

        Raises:
            KeyError: there is none.
        """
        for figures in self.sections.values():
            for figure in figures:
                if figure.name == name:
                    return figure
        raise KeyError(f"plan has no figure {name!r}")

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        sections = {name: _named(figures) for name, figures in self.sections.items()}
        return {"title": self.title, **sections, **{name: table.to_dict() for name, table in self.tables.items()}}


def _named(figures: Iterable[Figure]) -> dict[str, Any]:
    return {figure.name: figure.to_dict() for figure in figures}
