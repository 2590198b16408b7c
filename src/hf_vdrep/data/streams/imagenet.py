# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""ImageNet-1k as the Kaggle archive holds it, or as one folder per class."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from .pictures_source import LabelledImages
from .source import read_table

_DATA = "ILSVRC/Data/CLS-LOC"


class ImageNet(LabelledImages):
    """Classes are the WordNet ids in order, as everywhere; their names come from LOC_synset_mapping.txt."""

    def prepare(self, **settings: Any) -> None:
        self.folder = self.find(f"{_DATA}/{self.theirs}", self.theirs)
        mapping = self.root / "LOC_synset_mapping.txt"
        if mapping.exists():
            with read_table(mapping):
                lines = mapping.read_text(encoding="utf-8").splitlines()
            pairs = [line.split(" ", 1) for line in lines if line.strip()]
            names = {pair[0]: pair[-1].strip() for pair in pairs}
        else:
            train = self.find(f"{_DATA}/train", "train")
            names = {path.name: path.name for path in train.iterdir() if path.is_dir()}
        self.order = {synset: label for label, synset in enumerate(sorted(names))}
        self.classes = {"object": tuple(names[synset] for synset in sorted(names))}

    def rows(self) -> Iterator[dict[str, Any]]:
        solution = self.root / "LOC_val_solution.csv"
        if self.theirs == "val" and solution.exists() and not _has_folders(self.folder):
            yield from self._listed(solution)
            return
        for folder in sorted(path for path in self.folder.iterdir() if path.is_dir()):
            label = self.order.get(folder.name, -1)
            for path in sorted(folder.iterdir()):
                if path.suffix.lower() in (".jpeg", ".jpg", ".png"):
                    yield self._row(path, label)

    def _listed(self, solution: Path) -> Iterator[dict[str, Any]]:
        there = {path.name for path in self.folder.iterdir()}
        with read_table(solution), solution.open(newline="", encoding="utf-8") as file:
            for line in csv.DictReader(file):
                name = f"{line['ImageId']}.JPEG"
                if name not in there:
                    self.missing.append(name)
                    continue
                synset = line["PredictionString"].split(" ", 1)[0]
                yield self._row(self.folder / name, self.order.get(synset, -1))

    def _row(self, path: Path, label: int) -> dict[str, Any]:
        return {"id": path.stem, "path": str(path.relative_to(self.root)), "object": label}


def _has_folders(folder: Path) -> bool:
    return any(path.is_dir() for path in folder.iterdir())
