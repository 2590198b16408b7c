# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Readers whose record is one picture or one video with class labels."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from .options import ReadOptions
from .pictures import clips_of, picture_of
from .source import IndexedSource, Raw


class LabelledImages(IndexedSource):
    """Records with `path` and one class label, named by the spec's only label."""

    media = "image"

    def read(self, record: Mapping[str, Any], options: ReadOptions, rng: np.random.Generator) -> Iterator[Raw]:
        key = self.spec.labels[0]
        yield {"image": picture_of(record["media"]), key: self.label(key, record[key])}


class LabelledVideos(IndexedSource):
    """Records with `path` of a video and one class label, named by the spec's only label."""

    media = "video"

    def read(self, record: Mapping[str, Any], options: ReadOptions, rng: np.random.Generator) -> Iterator[Raw]:
        key = self.spec.labels[0]
        label = self.label(key, record[key])
        for clip in clips_of(record["media"], options, rng):
            yield {"video": clip, key: label}
