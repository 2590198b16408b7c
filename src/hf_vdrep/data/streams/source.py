# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""The contract of a reader: what is on disk of one split, and how one record becomes clips at full size."""

from __future__ import annotations

import csv
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from .index import RecordIndex
from .options import ReadOptions
from .report import CorruptSample
from .spec import StreamSpec

if TYPE_CHECKING:
    import datasets

Raw = dict[str, Any]
"""A sample at the size of its source, before crop and resize; a still has `image`, a clip has `video`."""

Classes = Mapping[str, tuple[str, ...]]


@contextmanager
def read_table(path: Path) -> Iterator[None]:
    """While annotations of a whole split are read: what is wrong with them is one line with their name.

    Raises:
        ValueError: they are damaged, or not what the data set publishes.
    """
    try:
        yield
    except (ValueError, LookupError, TypeError, AttributeError, csv.Error) as error:
        reason = f"{type(error).__name__}: {' '.join(str(error).split())}"
        raise ValueError(f"root must hold sound annotations, got {path}, which cannot be read ({reason})") from error


class Source(ABC):
    """One split of a data set.

    Attributes:
        spec: of the data set.
        classes: label key -> class names in label order.
        missing: files that the annotations name and the disk lacks.
        window: records that are permuted together by default; all of them are held in memory.
    """

    window = 1000
    spec: StreamSpec
    classes: Classes
    missing: list[str]

    def label(self, key: str, value: int | None) -> int:
        """A label of a record, checked against the names of its classes, or else their published number.

        Raises:
            CorruptSample: it is no class.
        """
        count = len(self.classes.get(key, ())) or self.spec.num_classes or 2**31
        if value is None or not 0 <= value < count:
            raise CorruptSample(f"{key} must lie in [0, {count - 1}], got {value}")
        return int(value)

    @abstractmethod
    def records(self, *, num_shards: int, mix: int | None) -> datasets.IterableDataset:
        """The undecoded records, each with a unique `id`; `mix` is the seed of a fixed random order."""

    @abstractmethod
    def read(self, record: Mapping[str, Any], options: ReadOptions, rng: np.random.Generator) -> Iterator[Raw]:
        """The clips of one record, at the size of the source.

        Raises:
            CorruptSample, MediaError: it cannot be read.
            ShortClip: a video shorter than the clip, where the options do not fill it up.
            NothingToSee: it lacks what the task needs.
        """


class IndexedSource(Source):
    """A source whose records are known when it is opened.

    Args:
        spec: of the data set.
        root: folder of the local copy.
        split: ours, perhaps with "/fit" or "/select".
        options: decoding and cropping, for readers whose records depend on them.
    """

    media: str | None = None
    """Whether a record's `path` is an "image" or a "video"; None where a record is made of several files."""

    def __init__(self, spec: StreamSpec, root: Path, split: str, options: ReadOptions, **settings: Any) -> None:
        self.spec, self.root, self.options = spec, root, options
        self.theirs = spec.their_split(split)
        self.classes, self.missing = {}, []
        self.prepare(**settings)
        empty = [key for key, names in self.classes.items() if not names]
        if empty:
            raise ValueError(f"root must hold the classes of {spec.name}, got {root}: no names of {empty[0]}")
        index = RecordIndex.from_rows(self.rows())
        if not len(index):
            raise ValueError(f"root must hold {spec.name} ({self.theirs} split), got {root}: no samples were found")
        part = split.partition("/")[2]
        self.index = index.part(part) if part else index

    def prepare(self, **settings: Any) -> None:
        """Read what the whole split shares: class names, annotations."""

    @abstractmethod
    def rows(self) -> Iterator[dict[str, Any]]:
        """The records; `path`, where there is one, is relative to the root."""

    def records(self, *, num_shards: int, mix: int | None) -> datasets.IterableDataset:
        from .records import indexed_records

        index = self.index if mix is None else self.index.mixed(mix)
        return indexed_records(index, self.root, self.media, num_shards)

    def __len__(self) -> int:
        return len(self.index)

    def find(self, *candidates: str) -> Path:
        """The first of some paths under the root that exists.

        Raises:
            ValueError: none does.
        """
        for candidate in candidates:
            if (self.root / candidate).exists():
                return self.root / candidate
        names = " or ".join(candidates)
        raise ValueError(f"root must hold {self.spec.name} as `hf-vdrep data list` shows, got {self.root}: no {names}")
