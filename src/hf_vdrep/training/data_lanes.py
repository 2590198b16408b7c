# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""A data set divided into lanes: streams that are read side by side, each with its own order and position.

Which sample comes next in a lane depends on (data, seed, number of lanes) alone. A process reads the lanes of its own
places in the batch, so neither the number of processes nor that of decoding workers changes what is learnt.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import torch

from ..data.sample import CLASS_LABELS
from ..data.streams import ReadOptions, SampleStream, SkipLimit
from ..data.streams.source import Raw, Source
from .data_sources import OpenedData

if TYPE_CHECKING:
    import datasets

_SHARDS_PER_LANE = 8
State = dict[str, Any]


@dataclass(frozen=True)
class Item:
    """One sample of a lane.

    Attributes:
        id: of the sample.
        frames: uint8 (T, H, W, 3); T = 1 for a picture.
        epoch: how often the lane went through its samples before.
        state: where the lane stands after this sample; JSON-able.
        labels: its class labels and caption, by name.
    """

    id: str
    frames: torch.Tensor
    epoch: int
    state: State
    labels: dict[str, Any] = field(default_factory=dict)


class Lane(Source):
    """The part of a source that one lane reads.

    Args:
        source: the whole.
        lane: in [0, lanes).
        lanes: how many there are.
    """

    def __init__(self, source: Source, lane: int, lanes: int) -> None:
        self.source, self.lane, self.lanes = source, lane, lanes
        self.classes, self.missing = source.classes, source.missing if lane == 0 else []

    def records(self, *, num_shards: int, mix: int | None) -> "datasets.IterableDataset":
        records = self.source.records(num_shards=num_shards, mix=mix)
        if self.lanes == 1:
            return records
        if records.num_shards >= self.lanes:
            return records.shard(num_shards=self.lanes, index=self.lane)
        # Too few files: every lane reads all records, undecoded, and keeps its own.
        return records.filter(_Every(self.lanes, self.lane), with_indices=True)

    def read(self, record: Mapping[str, Any], options: ReadOptions, rng: Any) -> Iterator[Raw]:
        return self.source.read(record, options, rng)


@dataclass(frozen=True)
class _Every:
    step: int
    offset: int

    def __call__(self, record: Any, index: int) -> bool:
        return index % self.step == self.offset


@dataclass(frozen=True)
class LaneMaker:
    """Opens the lanes of a data set.

    Attributes:
        data: what is divided.
        lanes: into how many.
        seed: of the order.
        window: records permuted together; 1 permutes shards only.
        max_corrupt: share of corrupt samples that is borne.
    """

    data: OpenedData
    lanes: int
    seed: int = 0
    window: int = 1000
    max_corrupt: float = 0.05

    def open(self, lane: int, state: State | None) -> Iterator[Item]:
        """The endless samples of a lane, from its beginning or from a state on.

        Raises:
            ValueError: the lane holds no sample, or too many are corrupt.
        """
        size = self.data.size
        parts = _SHARDS_PER_LANE if size is None else max(1, min(_SHARDS_PER_LANE, size // self.lanes))
        stream = SampleStream(
            self.data.spec,
            Lane(self.data.source, lane, self.lanes),
            self.data.options,
            shuffle=True,
            seed=self.seed,
            window=self.window,
            num_shards=self.lanes * parts,
            repeat=True,
            limit=SkipLimit(share=self.max_corrupt),
        )
        if state is not None:
            stream.load_state_dict(state)
        try:
            for sample in stream:
                place = stream.state_dict()
                yield Item(str(sample["id"]), frames_of(sample), int(place["epoch"]), place, labels_of(sample))
        except ValueError as error:
            if not str(error).startswith("repeat must"):
                raise
            raise ValueError(
                f"data must hold a sample for each of {self.lanes} lanes, got none in lane {lane} of {self.data.name}"
            ) from error


def frames_of(sample: Mapping[str, Any]) -> torch.Tensor:
    """uint8 (T, H, W, 3) of a clip or picture."""
    frames = sample["video"] if "video" in sample else sample["image"]
    frames = torch.as_tensor(frames)
    return frames if frames.ndim == 4 else frames[None]


def labels_of(sample: Mapping[str, Any]) -> dict[str, Any]:
    """Class labels and caption of a sample, as far as it has them."""
    return {name: sample[name] for name in (*CLASS_LABELS, "caption") if name in sample}


def choose_lanes(wanted: int, data: Sequence[OpenedData], most: int = 8) -> int:
    """The number of lanes: as wanted, or 8, or as many as the smallest data set has shards.

    Raises:
        ValueError: more lanes than records.
    """
    for opened in data:
        if opened.size is not None and opened.size < wanted:
            raise ValueError(f"lanes must not exceed the {opened.size} samples of {opened.name}, got {wanted}")
    return wanted or max(1, min(most, *(opened.num_shards for opened in data)))
