# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Places365-Standard: a list of files with class numbers, and the pictures in folders by letter."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from .pictures_source import LabelledImages

_LISTS = {"train": "places365_train_standard.txt", "val": "places365_val.txt"}
_PICTURES = {
    "train": ("data_256", "data_256_standard", "data_large", "data_large_standard"),
    "val": ("val_256", "val_large"),
}


class Places365(LabelledImages):
    """Classes are numbered by categories_places365.txt ("/a/airfield 0")."""

    def prepare(self, **settings: Any) -> None:
        lines = self._text("categories_places365.txt")
        names = {int(number): name for name, number in (line.rsplit(" ", 1) for line in lines)}
        self.classes = {"scene": tuple(names[number].lstrip("/") for number in sorted(names))}

    def rows(self) -> Iterator[dict[str, Any]]:
        folder = self.find(*_PICTURES[self.theirs])
        for line in self._text(_LISTS[self.theirs]):
            name, number = line.rsplit(" ", 1)
            path = folder / name.lstrip("/")
            yield {
                "id": f"{self.theirs}/{name.lstrip('/')}",
                "path": str(path.relative_to(self.root)),
                "scene": int(number),
            }

    def _text(self, name: str) -> list[str]:
        path = self.find(name, f"filelist_places365-standard/{name}")
        return [line.strip() for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
