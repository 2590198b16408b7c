# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Something-Something v2: JSON lists, a WebM per id, classes named by templates."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from .pictures_source import LabelledVideos
from .source import read_table

_FOLDER = "20bn-something-something-v2"
_PREFIX = "something-something-v2-"


class SomethingSomething(LabelledVideos):
    """Class numbers are those of labels.json; a template's brackets are dropped to find them."""

    def prepare(self, **settings: Any) -> None:
        path = self._labels("labels")
        with read_table(path):
            numbers = json.loads(path.read_text(encoding="utf-8"))
            self.order = {name: int(number) for name, number in numbers.items()}
        names = {number: name for name, number in self.order.items()}
        self.classes = {"action_motion": tuple(names[number] for number in sorted(names))}
        self.folder = self.find(_FOLDER, "videos")

    def rows(self) -> Iterator[dict[str, Any]]:
        there = {path.stem: path for path in self.folder.iterdir()}
        for identifier, label in self._named():
            if identifier not in there:
                self.missing.append(identifier)
                continue
            path = str(there[identifier].relative_to(self.root))
            yield {"id": identifier, "path": path, "action_motion": label}

    def _named(self) -> Iterator[tuple[str, int]]:
        if self.theirs == "test":
            path = self._labels("test-answers", "csv")
            with read_table(path), path.open(newline="", encoding="utf-8") as file:
                for identifier, name in csv.reader(file, delimiter=";"):
                    yield identifier, self.order.get(name, -1)
            return
        path = self._labels(self.theirs)
        with read_table(path):
            for entry in json.loads(path.read_text(encoding="utf-8")):
                yield str(entry["id"]), self.order.get(entry["template"].replace("[", "").replace("]", ""), -1)

    def _labels(self, name: str, kind: str = "json") -> Path:
        return self.find(f"labels/{name}.{kind}", f"{_PREFIX}{name}.{kind}", f"labels/{_PREFIX}{name}.{kind}")
