# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Tables that `datasets` streams by itself: Hub data sets and parquet folders."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..sample import CLASS_LABELS
from .options import ReadOptions
from .pictures import seen_in
from .source import Raw, Source
from .spec import StreamSpec

if TYPE_CHECKING:
    import datasets


def holds_parquet(root: str | Path) -> bool:
    """Whether a folder is a copy of a Hub data set: parquet files in it or in its `data` folder."""
    folder = Path(root)
    return any(next(place.glob("*.parquet"), None) is not None for place in (folder, folder / "data"))


class HubRows(Source):
    """Rows with a picture or video and labels by column.

    Args:
        spec: of the data set.
        root: Hub id or folder; None for the spec's own Hub id.
        split: ours.
        columns: their column -> our key, over the spec's: `media`, `id`, `caption`, a class label, or "" for a column
            to leave out. A dot reaches into a JSON column ("json.caption"). The first picture or video column is the
            media by default.

    Raises:
        ValueError: another key, a column that is not there, or no picture or video column.
    """

    window = 100  # a record holds its file

    def __init__(self, spec: StreamSpec, root: str | None, split: str, columns: Mapping[str, str]) -> None:
        import datasets

        if "/" in split:
            raise ValueError(f"split must be one of {list(spec.splits)} for rows from a stream, got {split!r}")
        # A Hub data set names its splits as we do, whatever its owners' own archives call them.
        self.theirs = spec.their_split(split) if spec.reader() is HubRows else split
        self.spec, self.missing = spec, []
        self.stream = self._open(root)
        if self.stream.features is None:  # not declared: the first rows tell
            self.stream = self.stream._resolve_features()
        features = self.stream.features or {}
        self.columns = {column: key for column, key in {**spec.columns, **columns}.items() if key}
        unknown = sorted(set(self.columns.values()) - {"media", "id", "caption", *CLASS_LABELS})
        if unknown:
            raise ValueError(f"columns must name media, id, caption or one of {list(CLASS_LABELS)}, got {unknown}")
        if "media" not in self.columns.values():
            self.columns[_media_column(features, root)] = "media"
        absent = sorted(column for column in columns if column.partition(".")[0] not in features)
        if absent:
            raise ValueError(f"columns must be among {sorted(features)}, got {absent}")
        present = {column for column in self.columns if column.partition(".")[0] in features}
        self.columns = {column: key for column, key in self.columns.items() if column in present}
        self.classes = {
            key: tuple(features[column].names)
            for column, key in self.columns.items()
            if isinstance(features.get(column), datasets.ClassLabel)
        }
        for column, key in self.columns.items():
            kind = str(getattr(features.get(column), "dtype", "int"))
            if key in CLASS_LABELS and not kind.startswith(("int", "uint", "bool")):
                raise ValueError(f"columns must give {key} as whole numbers or classes, got {kind} in {column!r}")

    def records(self, *, num_shards: int, mix: int | None) -> datasets.IterableDataset:
        import datasets

        from .records import media_feature

        media = next(column for column, key in self.columns.items() if key == "media")
        video = isinstance((self.stream.features or {})[media], datasets.Video)
        types: dict[str, Any] = {"id": datasets.Value("string"), "media": media_feature(video=video)}
        for key in self.columns.values():
            if key in CLASS_LABELS:
                types[key] = datasets.Value("int64")
            elif key not in types:
                types[key] = datasets.Value("string")
        names = list(self.stream.features or {})
        return self.stream.map(self._record, remove_columns=names, features=datasets.Features(types))

    def read(self, record: Mapping[str, Any], options: ReadOptions, rng: np.random.Generator) -> Iterator[Raw]:
        labels: Raw = {}
        for key in sorted(set(self.columns.values()) - {"media", "id"}):
            labels[key] = self.label(key, record[key]) if key in CLASS_LABELS else record[key]
        for pictures in seen_in(record["media"], options, rng):
            yield {**pictures, **labels}

    def _open(self, root: str | None) -> datasets.IterableDataset:
        import datasets

        source = root or self.spec.source
        found = datasets.load_dataset(source, name=self.spec.config, split=self.theirs, streaming=True)
        return found.decode(False)

    def _record(self, row: Mapping[str, Any]) -> dict[str, Any]:
        record: dict[str, Any] = dict.fromkeys(self.columns.values())
        for column, key in self.columns.items():
            value = _reach(row, column)
            record[key] = record[key] if value is None else value
        if record.get("id") is None:
            record["id"] = _digest(record["media"])
        return record


def _media_column(features: Mapping[str, Any], root: str | None) -> str:
    import datasets

    for name, feature in features.items():
        if isinstance(feature, (datasets.Image, datasets.Video)):
            return name
    raise ValueError(f"columns must name the picture or video column as 'media' for {root}, got {sorted(features)}")


def _reach(row: Mapping[str, Any], column: str) -> Any:
    value: Any = row
    for name in [column] if column in row else column.split("."):
        value = value.get(name) if isinstance(value, Mapping) else None
    return value


def _digest(media: Mapping[str, Any] | None) -> str:
    """A name from the content, or from the path where the content is not at hand."""
    data = (media or {}).get("bytes")
    content = data if data is not None else str((media or {}).get("path")).encode()
    return hashlib.blake2b(content, digest_size=8).hexdigest()
