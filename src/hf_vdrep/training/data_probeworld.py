# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""ProbeWorld as a source of streams: clips rendered when they are needed, never stored."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from ..data.streams import ReadOptions, StreamSpec
from ..data.streams.index import RecordIndex
from ..data.streams.source import Raw, Source

if TYPE_CHECKING:
    import datasets

PROBEWORLD = StreamSpec(
    name="probeworld",
    title="ProbeWorld, rendered on the fly",
    tasks=(),
    labels=(),
    reads="clip",
    source="rendered",
    splits={"train": "train", "validation": "validation", "test": "test"},
    label_space="none are passed on",
    licence="Apache-2.0",
    obtain="It comes with the package.",
    layout="",
    decode="17 frames",
    crop="the whole picture",
    opener="",
    defaults={"crop": "whole"},
)


class ProbeWorldSource(Source):
    """The first `size` clips of a split.

    Args:
        split: "train", "validation" or "test".
        size: clips.
        resolution: height and width, pixels.
        num_frames: of a clip.
    """

    def __init__(self, split: str, size: int, resolution: int, num_frames: int) -> None:
        from ..data import probeworld

        self.world = probeworld.ProbeWorld(
            split, size, probeworld.ProbeWorldConfig(resolution=resolution, num_frames=num_frames)
        )
        self.classes, self.missing = {}, []
        self.index = RecordIndex.from_rows({"id": f"probeworld-{split}-{i}", "number": i} for i in range(size))

    def records(self, *, num_shards: int, mix: int | None) -> "datasets.IterableDataset":
        from ..data.streams.records import indexed_records

        return indexed_records(self.index if mix is None else self.index.mixed(mix), "", None, num_shards)  # type: ignore

    def read(self, record: Mapping[str, Any], options: ReadOptions, rng: np.random.Generator) -> Iterator[Raw]:
        yield {"video": self.world.render_batch([int(record["number"])])[0].cpu()}

    def __len__(self) -> int:
        return len(self.index)
