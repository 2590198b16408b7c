# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""A plan as text. What is, or rests on, an assumption carries an asterisk."""

from typing import Any

from .figure import Figure, Plan, Table

_MARK = "*"
_PREFIXES = ((1e18, "E"), (1e15, "P"), (1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"))
_WORDS = ((1e12, "T"), (1e9, "B"), (1e6, "M"))


def render(plan: Plan) -> str:
    """The whole plan."""
    parts = [plan.title]
    for name, figures in plan.sections.items():
        parts.append(_section(name, figures))
    parts += [f"{name}\n{render_table(table)}" for name, table in plan.tables.items()]
    if any(_MARK in part for part in parts):
        parts.append(f"{_MARK} is an assumption, or rests on one")
    return "\n\n".join(parts)


def _section(name: str, figures: list[Figure]) -> str:
    width = max((len(figure.name) for figure in figures), default=0)
    lines = [name]
    for figure in figures:
        mark = _MARK if figure.how == "assumed" else ""
        shown = f"  {figure.name:<{width}}  {amount(figure.value, figure.unit):>12}{mark:<1} {figure.how}"
        lines.append(f"{shown}{': ' + figure.note if figure.note else ''}")
    return "\n".join(lines)


def render_table(table: Table) -> str:
    """Aligned columns; an asterisk at a heading holds for the column."""
    head = [name + (_MARK if how == "assumed" else "") for name, _, how in table.columns]
    units = [unit for _, unit, _ in table.columns]
    cells = [[_cell(value, unit) for value, unit in zip(row, units, strict=True)] for row in table.rows]
    widths = [max(len(line[place]) for line in [head, *cells]) for place in range(len(head))]
    words = [all(isinstance(row[place], str) for row in table.rows) for place in range(len(head))]
    lines = [
        "  "
        + "  ".join(_placed(cell, size, left) for cell, size, left in zip(line, widths, words, strict=True)).rstrip()
        for line in [head, *cells]
    ]
    return "\n".join([*lines, *(f"  - {note}" for note in table.notes)])


def _placed(cell: str, width: int, left: bool) -> str:
    return cell.ljust(width) if left else cell.rjust(width)


def _cell(value: Any, unit: str) -> str:
    return value if isinstance(value, str) else amount(value, unit)


def amount(value: float, unit: str) -> str:
    """A number with its unit, three digits."""
    if unit == "B":
        return _scaled(value, _PREFIXES, "B")
    if unit in ("FLOP", "FLOP/s", "B/s"):
        return _scaled(value, _PREFIXES, unit)
    if unit == "s":
        return duration(value)
    if unit == "":
        return f"{value:.3g}" if value != 1 else "1"
    if unit in ("h", "days"):
        return f"{value:,.0f} {unit}" if value >= 100 else f"{value:.3g} {unit}"
    if unit in ("GPUs", "frames", "samples"):
        return f"{value:,.0f}"
    return _scaled(value, _WORDS, "")


def _scaled(value: float, prefixes: tuple, unit: str) -> str:
    for size, prefix in prefixes:
        if value >= size:
            return f"{value / size:.3g} {prefix}{unit}"
    return f"{value:.4g} {unit}".rstrip()


def duration(seconds: float) -> str:
    """Seconds as the largest unit that fits."""
    for size, unit in ((86_400, "days"), (3600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds:.3g} s" if seconds >= 0.1 or not seconds else f"{seconds * 1e3:.3g} ms"
