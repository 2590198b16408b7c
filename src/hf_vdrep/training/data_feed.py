# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""The samples of each place of a batch, from streams of clips and pictures, with a position that can be saved."""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from .data_config import DataConfig
from .data_lanes import Item, LaneMaker, State, choose_lanes
from .data_places import picture_places
from .data_sources import OpenedData, open_clips_data, open_pictures_data
from .data_workers import LaneReader

Position = dict[str, Any]


class Feed:
    """Clips and pictures for every place, place by place.

    Place p of step s belongs to lane (s * batch_size + p) modulo the lanes; a process reads the lanes of its places.
    Batches are asked for in order, since a stream cannot jump.

    Args:
        config: data, batch size, processes' micro-batches (`accumulation`), seed.

    Raises:
        ValueError: the data cannot be opened.
    """

    def __init__(self, config: Any) -> None:
        self.config = config
        self.data = open_training_data(config)
        self.lanes = choose_lanes(config.lanes, list(self.data.values()))
        self._readers: dict[tuple[str, int, int], LaneReader] = {}
        self._states: dict[str, dict[int, State]] = {name: {} for name in self.data}
        self._next: dict[tuple[int, int], int] = {}
        self._start = 0

    def begin(self, step: int, part: int, parts: int) -> range:
        """The places `part::parts` of a step, after checking that it is this step's turn.

        Raises:
            ValueError: `parts` does not divide the lanes, or the step is not the next.
        """
        if self.lanes % parts:
            raise ValueError(
                f"lanes must be a multiple of processes x accumulation = {parts}, got {self.lanes}; set --lanes {parts}"
            )
        expected = self._next.get((part, parts), self._start)
        if step != expected:
            raise ValueError(f"a stream must be read in order, from step {expected} on, got step {step}")
        self._next[part, parts] = step + 1
        return range(part, self.config.batch_size, parts)

    def pictures(self, step: int) -> np.ndarray:
        """bool (batch_size,): the places that hold pictures."""
        fraction = self.config.image_fraction
        return picture_places(fraction, step, self.config.batch_size, run=self.lanes)

    def take(self, name: str, step: int, place: int, part: int, parts: int) -> Item:
        """The next sample of "clips" or "pictures" for a place."""
        lane = (step * self.config.batch_size + place) % self.lanes
        first = part - part % self.config.accumulation
        key = (name, first if not parts % self.config.accumulation else part, parts)
        if key not in self._readers:
            self._readers[key] = self._open(name, key[1], parts)
        item = self._readers[key].take(lane)
        self._states[name][lane] = item.state
        return item

    def position(self) -> Position:
        """Where the lanes of this process stand, after what was taken so far; JSON-able."""
        step = max(self._next.values(), default=self._start)
        states = {name: self._own(name) for name in self._states}
        return {"step": step, "lanes": self.lanes, **states}

    def skipped(self) -> int:
        """Samples that this process left out so far, as corrupt or too short."""
        reports = [state["report"] for name in self._states for state in self._own(name).values()]
        return sum(report["corrupt"] + report["short"] for report in reports)

    def seek(self, position: Mapping[str, Any]) -> None:
        """Go on after a saved position, of this process or of all together (`merge_positions`).

        Raises:
            ValueError: it belongs to another number of lanes.
        """
        if position["lanes"] != self.lanes:
            raise ValueError(f"lanes must be {position['lanes']} as in the saved position, got {self.lanes}")
        self._start, self._next, self._readers = int(position["step"]), {}, {}
        for name in self.data:
            self._states[name] = {int(lane): state for lane, state in position.get(name, {}).items()}

    def _own(self, name: str) -> dict[str, State]:
        """Of the lanes, those of this process: after `seek` it may know of others."""
        states = self._states[name].items()
        return {
            str(lane): state
            for lane, state in states
            if not self._next or any(lane % parts == part for part, parts in self._next)
        }

    def _open(self, name: str, first: int, parts: int) -> LaneReader:
        config = self.config
        count = 1 if parts % config.accumulation else config.accumulation
        own = [lane for lane in range(self.lanes) if first <= lane % parts < first + count]
        maker = LaneMaker(self.data[name], self.lanes, config.seed, config.shuffle_buffer, config.max_corrupt)
        return LaneReader(maker, own, min(config.workers, len(own)), self._states[name])


def open_training_data(config: DataConfig) -> dict[str, OpenedData]:
    """The training split's "clips" and, where they are mixed in, "pictures"."""
    found = {}
    if not config.only_pictures:
        found["clips"] = open_clips_data(config, config.train_split)
    if config.image_data:
        found["pictures"] = open_pictures_data(config, config.train_split)
    return found


def merge_positions(positions: Iterable[Mapping[str, Any]]) -> Position:
    """The positions of several processes as one, for a run that goes on with another number of them.

    Raises:
        ValueError: there are none, or they are of different steps.
    """
    merged: Position = {}
    for position in positions:
        if merged and (position["step"], position["lanes"]) != (merged["step"], merged["lanes"]):
            raise ValueError(f"positions must be of one step, got {position['step']} and {merged['step']}")
        for name, value in position.items():
            merged[name] = {**merged.get(name, {}), **value} if isinstance(value, Mapping) else value
    if not merged:
        raise ValueError("positions must hold at least one, got none")
    return merged
