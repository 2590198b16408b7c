# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Kinetics-400 and Kinetics-700: one CSV per split, clips named by YouTube id and seconds."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from .pictures_source import LabelledVideos
from .source import read_table

_VIDEOS = (".mp4", ".webm", ".mkv", ".avi", ".mov")
_YOUTUBE_ID = 11  # letters


class Kinetics(LabelledVideos):
    """Classes are the names in the training CSV, in alphabetical order.

    Many clips are gone from YouTube since: those named by the CSV and absent from the disk count as missing, not as
    corrupt. Some 1,400 of Kinetics-400 came damaged; what its owners put into `replacement` is read instead.
    """

    def prepare(self, **settings: Any) -> None:
        train = self._csv("train")
        names = sorted({row["label"] for row in train})
        self.order = {name: label for label, name in enumerate(names)}
        self.classes = {self.spec.labels[0]: tuple(names)}
        self.annotations = train if self.theirs == "train" else self._csv(self.theirs)

    def rows(self) -> Iterator[dict[str, Any]]:
        files = {path.stem: path for path in _videos(self.find(self.theirs))}
        spare = self.root / "replacement"
        sound = {path.stem[:_YOUTUBE_ID]: path for path in _videos(spare)} if spare.is_dir() else {}
        for row in self.annotations:
            name = row["name"]
            path = sound.get(row["youtube_id"]) or files.get(name)
            if path is None:
                self.missing.append(name)
                continue
            label = self.order.get(row.get("label") or "", -1)
            yield {"id": name, "path": str(path.relative_to(self.root)), self.spec.labels[0]: label}

    def _csv(self, split: str) -> list[dict[str, str]]:
        path = self.find(f"annotations/{split}.csv", f"{split}.csv")
        with read_table(path), path.open(newline="", encoding="utf-8") as file:
            return [{**row, "name": _name(row)} for row in csv.DictReader(file)]


def _name(row: dict[str, str]) -> str:
    return f"{row['youtube_id']}_{int(row['time_start']):06d}_{int(row['time_end']):06d}"


def _videos(folder: Path) -> Iterator[Path]:
    """Videos in the folder, or in one folder per class below it."""
    for path in folder.iterdir():
        if path.is_dir():
            yield from (inner for inner in path.iterdir() if inner.suffix.lower() in _VIDEOS)
        elif path.suffix.lower() in _VIDEOS:
            yield path
