# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Single numbers and whole tables of a document, taken from a file of results.

A number in a sentence:

    reaches <!-- value: tokenizer/summary.json psnr .2f -->27.90<!-- /value --> dB

names a file, a path of keys in it, and a Python format; `%.1f` multiplies by 100 first. In a path, `[task=depth]` picks
the entry of a list whose `task` is "depth". A mark right after a backtick is only shown.
"""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path
from typing import Any

from .cards import table

VALUE = re.compile(
    r"(?<!`)(<!-- value: (?P<file>\S+) (?P<keys>\S+) (?P<form>\S+) -->)(?P<old>[^<]*)(<!-- /value -->)", re.DOTALL
)
_STEP = re.compile(r"(?P<key>[^.\[\]]+)|\[(?P<name>[^=\]]+)=(?P<value>[^\]]+)\]")


def fill_values(text: str, results: Path) -> str:
    """Write every marked number anew.

    Raises:
        ValueError: a file, key or format that does not exist.
    """

    def value(match: re.Match[str]) -> str:
        found = look_up(read_json(results / match["file"]), match["keys"])
        return f"{match[1]}{formatted(found, match['form'])}{match[6]}"

    return VALUE.sub(value, text)


def read_json(path: Path) -> Any:
    """A file of results.

    Raises:
        ValueError: it is missing or unreadable.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, json.JSONDecodeError) as error:
        raise ValueError(f"results must hold a readable {path.name}, got {path} ({error})") from error


def look_up(content: Any, keys: str) -> Any:
    """What lies at a path such as `tasks[task=depth].gain.value`.

    Raises:
        ValueError: nothing does.
    """
    found = content
    for step in _STEP.finditer(keys):
        try:
            if step["key"] is not None:
                found = found[int(step["key"])] if isinstance(found, list) else found[step["key"]]
            else:
                found = next(entry for entry in found if str(entry[step["name"]]) == step["value"])
        except (KeyError, IndexError, TypeError, ValueError, StopIteration):
            raise ValueError(f"path must exist in the results, got {keys!r} (nothing at {step[0]!r})") from None
    return found


def formatted(value: Any, form: str) -> str:
    """ "27.90" of 27.904 by ".2f"; "43.4" of 0.434 by "%.1f".

    Raises:
        ValueError: a format that does not fit the value.
    """
    try:
        return format(100 * value, form[1:]) if form.startswith("%") else format(value, form)
    except (TypeError, ValueError) as error:
        raise ValueError(f"format must fit the value, got {form!r} for {value!r} ({error})") from None


def csv_table(path: Path) -> str:
    """A CSV file as a Markdown table; columns of numbers are aligned right."""
    try:
        head, *rows = list(csv.reader(path.read_text(encoding="utf-8").splitlines()))
    except (OSError, ValueError) as error:
        raise ValueError(f"results must hold a readable {path.name}, got {path} ({error})") from error
    return _aligned(head, rows)


def json_table(path: Path) -> str:
    """A JSON list of flat mappings as a Markdown table, its columns those of the first."""
    records = read_json(path)
    if not isinstance(records, list) or not records or not all(isinstance(record, dict) for record in records):
        raise ValueError(f"{path.name} must hold a list of mappings, got {type(records).__name__}")
    head = list(records[0])
    return _aligned(
        head, [["" if record.get(key) is None else str(record.get(key)) for key in head] for record in records]
    )


def included(path: Path) -> str:
    """A Markdown file as it is."""
    try:
        return f"{path.read_text(encoding='utf-8').rstrip()}\n"
    except OSError as error:
        raise ValueError(f"results must hold a readable {path.name}, got {path} ({error})") from error


def _aligned(head: list[str], rows: list[list[str]]) -> str:
    """Only the columns at the end that hold nothing but numbers stand right."""
    right = 0
    while right < len(head) - 1 and rows and all(_numeric(row[-1 - right]) for row in rows):
        right += 1
    return table(head, rows, right)


def _numeric(text: str) -> bool:
    return re.fullmatch(r"[*\s+−-]*[\d.,]+\s*%?[*]*|–|", text.strip()) is not None
