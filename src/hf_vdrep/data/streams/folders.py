# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Any folder of pictures or videos: classes by sub-folder, captions from a metadata file."""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, TextIO

import numpy as np

from .options import ReadOptions
from .pictures import clips_of, picture_of
from .source import IndexedSource, Raw

PICTURES = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".gif")
VIDEOS = (".mp4", ".mov", ".webm", ".mkv", ".avi")
SPLIT_NAMES = {"validation": ("validation", "valid", "val"), "train": ("train",), "test": ("test",)}


class Folder(IndexedSource):
    """Files under the root, or under a folder named like the split, in order of their paths.

    Settings: `media` is "image" or "video"; `label` is the sample key of the class. Sub-folders are classes, in
    alphabetical order. A metadata.csv or metadata.jsonl (columns `file_name` and any others, as `datasets` reads
    them) gives captions; `columns` says which of its columns is the `caption`.
    """

    def prepare(self, **settings: Any) -> None:
        self.media, self.key = str(settings["media"]), str(settings["label"])
        names = {**self.spec.columns, **settings.get("columns", {})}
        self.caption_columns = [column for column, key in names.items() if key == "caption"]
        self.folder = self._split_folder()
        self.captions = self._metadata()
        endings = PICTURES if self.media == "image" else VIDEOS
        self.files = sorted(path for path in files_below(self.folder) if path.suffix.lower() in endings)
        self.order: dict[str, int] = {}
        if self.files and all(path.parent != self.folder for path in self.files):
            names_found = self._class_names()
            self.order = {name: label for label, name in enumerate(names_found)}
            self.classes = {self.key: tuple(names_found)}

    def rows(self) -> Iterator[dict[str, Any]]:
        there = set()
        for path in self.files:
            name = str(path.relative_to(self.folder))
            there.add(name)
            label = self.order.get(path.relative_to(self.folder).parts[0], -1)  # -1 is no class, and counts as corrupt
            yield {
                "id": name,
                "path": str(path.relative_to(self.root)),
                "label": label,
                "caption": self.captions.get(name, ""),
            }
        self.missing += [name for name in self.captions if name not in there]

    def read(self, record: Mapping[str, Any], options: ReadOptions, rng: np.random.Generator) -> Iterator[Raw]:
        labels: Raw = {self.key: self.label(self.key, record["label"])} if self.order else {}
        if self.captions:
            labels["caption"] = record["caption"]
        if self.media == "image":
            yield {"image": picture_of(record["media"]), **labels}
            return
        for clip in clips_of(record["media"], options, rng):
            yield {"video": clip, **labels}

    def _class_names(self) -> list[str]:
        """Folders of the training split where it has them, so that a number means the same in every split."""
        train = self.root / "train"
        if train.is_dir() and train != self.folder:
            return sorted(path.name for path in train.iterdir() if path.is_dir())
        return sorted({path.relative_to(self.folder).parts[0] for path in self.files})

    def _split_folder(self) -> Path:
        for name in SPLIT_NAMES[self.theirs]:
            if (self.root / name).is_dir():
                return self.root / name
        others = {name for names in SPLIT_NAMES.values() for name in names} - set(SPLIT_NAMES["train"])
        if self.theirs == "train" and not any((self.root / name).is_dir() for name in others):
            return self.root
        raise ValueError(f"split must be a folder under {self.root}, got {self.theirs!r}, which is not there")

    def _metadata(self) -> dict[str, str]:
        found = {}
        for path in sorted(self.folder.glob("metadata.*")):
            for row in _rows_of(path):
                caption = next((str(row[name]) for name in self.caption_columns if row.get(name) is not None), None)
                if caption is not None:
                    found[str(row["file_name"])] = caption
        return found


def files_below(folder: Path, above: frozenset[tuple[int, int]] = frozenset()) -> Iterator[Path]:
    """Files at any depth, hidden ones left out; links to folders are followed, but for those that lead back up."""
    stat = folder.stat()
    place = (stat.st_dev, stat.st_ino)
    if place in above:
        return
    with os.scandir(folder) as entries:
        names = [(entry.name, entry.is_dir()) for entry in entries if not entry.name.startswith(".")]
    for name, is_folder in names:
        if is_folder:
            yield from files_below(folder / name, above | {place})
        else:
            yield folder / name


def _rows_of(path: Path) -> Iterator[dict[str, Any]]:
    """Of a metadata file; none of files with other endings."""
    number = 0
    try:
        with path.open(newline="", encoding="utf-8") as file:
            for row in _parsed(file, path.suffix):
                number += 1
                if not isinstance(row, dict) or row.get("file_name") is None:
                    raise ValueError("it has none")
                yield row
    except (ValueError, csv.Error) as error:
        raise ValueError(f"{path} must hold a file_name in every row, got row {number} or the next: {error}") from error


def _parsed(file: TextIO, kind: str) -> Iterator[Any]:
    if kind == ".csv":
        yield from csv.DictReader(file)
    elif kind == ".jsonl":
        yield from (json.loads(line) for line in file if line.strip())
