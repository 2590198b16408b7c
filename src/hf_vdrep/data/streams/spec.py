# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""What there is to know about a data set before it is opened."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from .source import Source


@dataclass(frozen=True)
class StreamSpec:
    """A data set: where it comes from, on what terms, how it lies on disk, and how it becomes samples.

    Attributes:
        name: short name, as in `open_stream(name)`.
        title: for readers.
        tasks: names of the tasks it serves; empty for training data.
        labels: sample keys that it yields beside `id` and the pictures.
        reads: whether a sample is an "image" or a "clip".
        source: Hub id where its owners publish it there, else the address of its home page.
        hub: whether `source` is a Hub id that can be streamed without a local copy.
        config: of the Hub data set.
        splits: our split -> theirs.
        columns: Hub column -> sample key (or "media", the picture or video).
        label_space: the classes or units of its labels, in words.
        num_classes: of the published set; None where there are no classes.
        licence: the terms, in words. They bind the user; nothing here grants them.
        obtain: how to get it.
        layout: the files and folders under the root, one a line.
        decode: which frames and at what rate, in words, with the source of the choice.
        crop: which part of the picture, in words.
        defaults: `ReadOptions` that differ from the general ones.
        mirror: whether a mirrored picture keeps its labels.
        opener: "module:Class" of the reader, relative to this package.
        settings: arguments of the reader.
    """

    name: str
    title: str
    tasks: tuple[str, ...]
    labels: tuple[str, ...]
    reads: Literal["image", "clip"]
    source: str
    splits: Mapping[str, str]
    label_space: str
    licence: str
    obtain: str
    layout: str
    decode: str
    crop: str
    opener: str
    hub: bool = False
    config: str | None = None
    columns: Mapping[str, str] = field(default_factory=dict)
    num_classes: int | None = None
    defaults: Mapping[str, Any] = field(default_factory=dict)
    mirror: bool = True
    settings: Mapping[str, Any] = field(default_factory=dict)

    def reader(self) -> type[Source]:
        """The class that reads it."""
        module, _, name = self.opener.partition(":")
        return getattr(importlib.import_module(f".{module}", __package__), name)

    def their_split(self, split: str) -> str:
        """Name of a split in the published files.

        Raises:
            ValueError: it has no such split.
        """
        base = split.partition("/")[0]
        if base not in self.splits:
            raise ValueError(f"split must be one of {list(self.splits)} for {self.name}, got {split!r}")
        return self.splits[base]
