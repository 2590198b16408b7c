# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Places365-Standard: a list of files with class numbers, and the pictures in folders by letter."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from .pictures_source import LabelledImages
from .source import read_table

_LISTS = {"train": "places365_train_standard.txt", "val": "places365_val.txt"}
_PICTURES = {
    "train": ("data_256", "data_256_standard", "data_large", "data_large_standard"),
    "val": ("val_256", "val_large"),
}


class Places365(LabelledImages):
    """Classes are numbered by categories_places365.txt ("/a/airfield 0")."""

    def prepare(self, **settings: Any) -> None:
        names = {number: name for name, number in self._numbered("categories_places365.txt")}
        self.classes = {"scene": tuple(names[number].lstrip("/") for number in sorted(names))}

    def rows(self) -> Iterator[dict[str, Any]]:
        folder = self.find(*_PICTURES[self.theirs])
        for name, number in self._numbered(_LISTS[self.theirs]):
            path = folder / name.lstrip("/")
            yield {
                "id": f"{self.theirs}/{name.lstrip('/')}",
                "path": str(path.relative_to(self.root)),
                "scene": number,
            }

    def _numbered(self, name: str) -> Iterator[tuple[str, int]]:
        """The lines of a list, each a name and a number."""
        path = self.find(name, f"filelist_places365-standard/{name}")
        with read_table(path), path.open(encoding="utf-8") as file:
            for line in file:
                if line.strip():
                    entry, number = line.strip().rsplit(" ", 1)
                    yield entry, int(number)
