# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""From a record to samples of the schema: read, crop, pad, and count what cannot be used."""

from __future__ import annotations

import errno
import hashlib
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from ..clip_sampling import ShortClip
from ..media_kind import MediaError
from ..multi_view import view_id
from ..sample_window import apply_window
from .options import ReadOptions
from .report import CorruptSample, NothingToSee, SkipLimit, StreamReport
from .source import Source
from .visible_labels import boxes_at_start, tracks_at_start

# Neither a network nor a library that fails is a sample's fault.
_NOT_ITS_OWN = (MemoryError, ImportError, ConnectionError, TimeoutError)
# Not the sample's fault: skipping would lose sound ones.
_MACHINE = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EROFS})


class Decoder:
    """A batched `map` function over records, one at a time: no sample, one, or one per segment and view."""

    def __init__(
        self, source: Source, options: ReadOptions, report: StreamReport, limit: SkipLimit, *, seed: int, epoch: int
    ) -> None:
        self.source, self.options, self.report, self.limit = source, options, report, limit
        self.seed, self.epoch = seed, epoch
        self.last: str | None = None
        self.resumed: str | None = None

    def __call__(self, rows: dict[str, list[Any]]) -> dict[str, list[Any]]:
        record = {name: column[0] for name, column in rows.items()}
        # A resumed stream reads its last record once more, to find its place; that is not a new sample.
        again, self.resumed, self.last = self.resumed == record["id"], None, record["id"]
        samples = self._samples(record, again)
        names = samples[0] if samples else {"id": None}
        return {name: [sample[name] for sample in samples] for name in names}

    def _samples(self, record: Mapping[str, Any], again: bool) -> list[dict[str, Any]]:
        identifier = str(record["id"])
        self.report.read += not again
        try:
            samples = list(self._read(record, identifier))
        except ShortClip as error:
            if self.options.short == "error":
                raise ShortClip(f"{identifier} {error}") from error
            self.report.short += not again
        except NothingToSee:
            self.report.empty += not again
        except Exception as error:  # damaged files, tables and annotations raise a dozen kinds
            if isinstance(error, _NOT_ITS_OWN) or getattr(error, "errno", None) in _MACHINE:
                raise
            if not again:
                self.report.refuse(identifier, _reason(error), self.limit)
        else:
            self.report.given += 0 if again else len(samples)
            return samples
        return []

    def _read(self, record: Mapping[str, Any], identifier: str) -> Iterator[dict[str, Any]]:
        rng = np.random.default_rng(_seed(self.seed, self.epoch, identifier))
        many = self.options.segments * self.options.views > 1
        for segment, raw in enumerate(self.source.read(record, self.options, rng)):
            pictures = raw["video"][0] if "video" in raw else raw["image"]
            for view, window in enumerate(self.options.windows(tuple(pictures.shape[:2]), rng)):
                sample: dict[str, Any] = dict(apply_window(raw, window, min_box_area=self.options.min_box_area))
                if "tracks" in sample:
                    sample.update(tracks_at_start(sample["tracks"], sample["visible"], self.options.max_tracks))
                if "boxes" in sample:
                    sample.update(boxes_at_start(sample["boxes"], sample["present"], self.options.max_boxes))
                yield {**sample, "id": view_id(identifier, segment, view) if many else identifier}


def _reason(error: Exception) -> str:
    words = " ".join(str(error).split())
    return words if isinstance(error, (CorruptSample, MediaError, OSError)) else f"{type(error).__name__}: {words}"


def _seed(seed: int, epoch: int, identifier: str) -> int:
    """A draw that depends on the sample, never on the process or the samples before it."""
    digest = hashlib.blake2b(f"{seed}/{epoch}/{identifier}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big")
