# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""WebDataset: a picture or video, its caption and its class number in members of tar files."""

from __future__ import annotations

import glob
import itertools
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..sample import CLASS_LABELS
from .folders import PICTURES, SPLIT_NAMES, VIDEOS, files_below
from .options import ReadOptions
from .pictures import seen_in
from .report import CorruptSample
from .source import Raw, Source
from .spec import StreamSpec
from .tar_members import TarSample, read_tar

if TYPE_CHECKING:
    import datasets

_MEDIA = tuple(ending[1:] for ending in (*PICTURES, *VIDEOS))
_LOOKED_AT = 5


class TarShards(Source):
    """Samples of the shards of one split, each with one picture or video.

    Args:
        spec: of the data set.
        root: folder, pattern or address of tar files.
        split: ours; shards belong to it by a word of their name or of a folder below the root. Where none is named
            for "train", those that are named for no other split do.
        columns: their member -> our key, over the spec's: `media`, `id`, `caption`, a class label, or "" for a member
            to leave out. A dot reaches into a JSON member ("json.caption"). The first picture or video is the media
            by default.

    Raises:
        ValueError: no shards of the split, another key, or members that are not there.
    """

    window = 100  # a record holds its file

    def __init__(self, spec: StreamSpec, root: str, split: str, columns: Mapping[str, str]) -> None:
        if "/" in split:
            raise ValueError(f"split must be one of {list(spec.splits)} for rows from a stream, got {split!r}")
        self.spec, self.theirs = spec, spec.their_split(split)
        self.classes, self.missing = {}, []
        self.files = _of_split(root, self.theirs)
        if not self.files:
            raise ValueError(f"root must hold WebDataset shards ({self.theirs}*.tar), got {root}")
        self.columns = {column: key for column, key in {**spec.columns, **columns}.items() if key}
        unknown = sorted(set(self.columns.values()) - {"media", "id", "caption", *CLASS_LABELS})
        if unknown:
            raise ValueError(f"columns must name media, id, caption or one of {list(CLASS_LABELS)}, got {unknown}")
        there = self._members()
        absent = sorted(column for column in columns if not _within(column, there))
        if absent:
            raise ValueError(f"columns must be among {there}, got {absent}")
        self.columns = {
            column: key for column, key in self.columns.items() if column in columns or _within(column, there)
        }

    def records(self, *, num_shards: int, mix: int | None) -> datasets.IterableDataset:
        import datasets

        types: dict[str, Any] = {name: datasets.Value("string") for name in ("id", "problem")}
        types["media"] = {"bytes": datasets.Value("binary"), "path": datasets.Value("string")}
        for key in self._keys():
            types[key] = datasets.Value("int64" if key in CLASS_LABELS else "string")
        arguments = {"files": self.files, "columns": self.columns}
        return datasets.IterableDataset.from_generator(
            _records, features=datasets.Features(types), gen_kwargs=arguments
        )

    def read(self, record: Mapping[str, Any], options: ReadOptions, rng: np.random.Generator) -> Iterator[Raw]:
        if record["problem"]:
            raise CorruptSample(record["problem"])
        labels: Raw = {}
        for key in self._keys():
            labels[key] = self.label(key, record[key]) if key in CLASS_LABELS else record[key]
        for pictures in seen_in(record["media"], options, rng):
            yield {**pictures, **labels}

    def _keys(self) -> list[str]:
        return sorted(set(self.columns.values()) - {"media", "id"})

    def _members(self) -> list[str]:
        """Endings of the first samples of the first readable shard."""
        for file in self.files:
            first = list(itertools.islice(read_tar(file), _LOOKED_AT))
            endings = list(dict.fromkeys(ending for sample in first for ending in sample.members))
            if endings:
                if "media" not in self.columns.values() and not set(endings) & set(_MEDIA):
                    raise ValueError(f"columns must name the picture or video column as 'media', got {endings}")
                return ["__key__", *sorted(endings)]
        raise ValueError(f"root must hold WebDataset shards with samples, got none in {self.files[0]}")


def _records(files: Sequence[str], columns: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    for file in files:
        for sample in read_tar(file):
            yield _record(sample, columns)


def _record(sample: TarSample, columns: Mapping[str, str]) -> dict[str, Any]:
    """One row; what cannot be read of it is told in `problem`, for the stream to count and name."""
    record: dict[str, Any] = {**dict.fromkeys(columns.values()), "media": None, "problem": sample.problem}
    record["id"] = None
    named = [column for column, key in columns.items() if key == "media"]
    endings = [ending for ending in sample.members if (ending in named if named else ending in _MEDIA)]
    if endings:
        record["media"] = {"bytes": sample.members[endings[0]], "path": f"{sample.key}.{endings[0]}"}
    for column, key in columns.items():
        if key == "media":
            continue
        try:
            value = _value(sample, column)
            if value is not None:
                record[key] = _whole(value) if key in CLASS_LABELS else str(value)
        except (ValueError, TypeError, RecursionError) as error:
            record["problem"] = f"{column} must hold {'a class number' if key in CLASS_LABELS else 'text'} ({error})"
    record["id"] = record["id"] or sample.key
    return record


def _value(sample: TarSample, column: str) -> Any:
    """Content of a text member, or of a place in a JSON member; None where there is none."""
    if column == "__key__":
        return sample.key
    if column in sample.members:
        return sample.members[column].decode("utf-8")
    member, _, rest = column.partition(".")
    value: Any = json.loads(sample.members[member]) if rest and member in sample.members else None
    for name in rest.split("."):
        value = value.get(name) if isinstance(value, Mapping) else None
    return value


def _whole(value: Any) -> int:
    if (isinstance(value, float) and not value.is_integer()) or not -(2**63) <= int(value) < 2**63:
        raise ValueError(f"got {value}")
    return int(value)


def _within(column: str, there: Sequence[str]) -> bool:
    return column in there or column.partition(".")[0] in there


def _of_split(root: str, split: str) -> list[str]:
    """The shards of a split."""
    root = root if "://" in root else str(Path(root))  # as the files below it are named
    files = _tar_files(root)
    words = {name: _words(name, _fixed(root)) for name in files}
    chosen = [name for name in files if words[name] & set(SPLIT_NAMES.get(split, (split,)))]
    if not chosen and split == "train":
        others = {word for names in SPLIT_NAMES.values() for word in names} - set(SPLIT_NAMES["train"])
        chosen = [name for name in files if not words[name] & others]
    return chosen


def _tar_files(root: str) -> list[str]:
    if "://" in root:
        return _addresses(root)
    if root.endswith(".tar"):
        return sorted(glob.glob(root, recursive=True))
    return sorted(str(path) for path in files_below(Path(root)) if path.suffix == ".tar")


def _addresses(root: str) -> list[str]:
    """What an address ("s3://bucket/train-*.tar") matches; without a pattern it is the shard itself."""
    from fsspec.core import url_to_fs

    if not glob.has_magic(root):
        return [root]
    system, path = url_to_fs(root)
    return sorted(system.unstrip_protocol(name) for name in system.glob(path))


def _fixed(root: str) -> str:
    """The part of the root that says nothing of splits: all but the pattern, or the file's name."""
    if not root.endswith(".tar"):
        return root
    parts = root.split("/")
    wild = next((place for place, part in enumerate(parts) if glob.has_magic(part)), len(parts) - 1)
    return "/".join(parts[:wild])


def _words(name: str, root: str) -> set[str]:
    """Words of a file's path below the root: "val/shard-0001.tar" holds "val"."""
    return set(re.split(r"[^a-z]+", name.removeprefix(root).lower()))
