# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Cards from the templates of this package; a name that a template lacks is an error, not an empty place."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jinja2

if TYPE_CHECKING:
    from huggingface_hub import CardData

TEMPLATES = Path(__file__).parent / "templates"


@cache
def _environment() -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )


def render(template: str, front_matter: CardData | None = None, **names: Any) -> str:
    """A card.

    Args:
        template: file of `templates/`.
        front_matter: metadata of the card; none for a part of a card.
        names: what the template mentions.

    Raises:
        jinja2.UndefinedError: a name that the template mentions and `names` has not.
    """
    body = _environment().get_template(template).render(**names)
    return body if front_matter is None else f"---\n{front_matter.to_yaml()}\n---\n\n{body.lstrip()}"


def table(head: list[str], rows: list[list[Any]], right: int = 0) -> str:
    """A Markdown table; the last `right` columns hold numbers.

    Args:
        head: column names.
        rows: of cells, as many as `head`.
        right: columns aligned right, counted from the end.
    """
    left = len(head) - right
    lines = [head, ["---"] * left + ["---:"] * right, *rows]
    return "".join(f"| {' | '.join(str(cell).replace('|', '/') for cell in line)} |\n" for line in lines)


def snippets(text: str) -> list[str]:
    """The Python blocks of a card, in order."""
    blocks: list[str] = []
    inside = False
    for line in text.splitlines():
        if line.startswith("```"):
            inside = line.strip() == "```python"
            if inside:
                blocks.append("")
        elif inside:
            blocks[-1] += line + "\n"
    return blocks
