# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""A data set as a stream of samples."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import torch

from ..sample import Sample
from .decode import Decoder
from .options import ReadOptions
from .report import SkipLimit, StreamReport
from .source import Source
from .spec import StreamSpec

if TYPE_CHECKING:
    import datasets

_LOG = logging.getLogger(__name__)


class SampleStream(torch.utils.data.IterableDataset):
    """Samples of one split, decoded one at a time; the same words give the same samples in the same order.

    Its state can be saved after any sample and restored in a fresh stream, which then gives exactly the rest. A
    `torch.utils.data.DataLoader` with workers splits the shards among them; counts are then kept in each worker, so
    read `report` with `num_workers=0`, or from `state_dict()` inside the worker.

    Attributes:
        spec: of the data set.
        source: the reader; `source.classes` names the labels.
        options: decoding and cropping.
        report: what was left out so far; also after the run.
        epoch: which order.
    """

    def __init__(
        self,
        spec: StreamSpec,
        source: Source,
        options: ReadOptions,
        *,
        shuffle: bool = False,
        seed: int = 0,
        epoch: int = 0,
        window: int | None = None,
        num_shards: int = 64,
        rank: int = 0,
        world_size: int = 1,
        repeat: bool = False,
        limit: SkipLimit | None = None,
    ) -> None:
        self.spec, self.source, self.options = spec, source, options
        self.seed, self.epoch, self.shuffle, self.repeat = seed, epoch, shuffle, repeat
        self._arrangement = {
            "window": source.window if window is None else window,
            "rank": rank,
            "world_size": world_size,
        }
        whole = -(-num_shards // max(1, world_size)) * max(1, world_size)
        self._records = source.records(num_shards=whole, mix=seed if shuffle else None)
        self._limit = limit or SkipLimit()
        self.report = StreamReport(missing=len(source.missing))
        if source.missing:
            _LOG.warning("%s lacks %d files: %s", spec.name, len(source.missing), ", ".join(source.missing[:5]))
        for key, names in source.classes.items():
            if spec.num_classes not in (None, len(names)):
                words = (spec.name, len(names), spec.num_classes, key)
                _LOG.warning("%s has %d of the %d published classes of %s", *words)
        self._resume: dict[str, Any] | None = None
        self._build()

    @property
    def classes(self) -> Mapping[str, tuple[str, ...]]:
        """Label key -> class names in label order."""
        return self.source.classes

    @property
    def dataset(self) -> datasets.IterableDataset:
        """The `datasets.IterableDataset` behind it, decoding included."""
        return self._dataset

    def set_epoch(self, epoch: int) -> None:
        """Start over, in the order of another epoch."""
        self.epoch, self._resume = epoch, None
        self._build()

    def __iter__(self) -> Iterator[Sample]:
        """The samples; from the beginning, or once from where `load_state_dict` left off."""
        if self._resume is None:
            self._build()
        self._resume = None
        while True:
            yield from cast(Iterator[Sample], iter(self._dataset))
            self.report.finish()
            if not self.repeat:
                return
            if not self.report.given:
                raise ValueError(f"repeat must be False for a stream without samples, got {self.report}")
            self.set_epoch(self.epoch + 1)

    def state_dict(self) -> dict[str, Any]:
        """Where the stream is: epoch, place and counts; JSON-able."""
        state = self._resume or self._dataset.state_dict()
        return {"epoch": self.epoch, "place": state, "report": self.report.to_dict(), "last": self._decoder.last}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on after the sample at which the state was taken, with the next `iter`."""
        self.epoch = int(state["epoch"])
        self._build()
        self._dataset.load_state_dict(state["place"])
        self.report.__dict__.update(StreamReport.from_dict(dict(state["report"])).__dict__)
        self._decoder.last = self._decoder.resumed = state["last"]
        self._resume = dict(state["place"])

    def _build(self) -> None:
        from .records import arrange

        self._decoder = Decoder(self.source, self.options, self.report, self._limit, seed=self.seed, epoch=self.epoch)
        records = arrange(self._records, shuffle=self.shuffle, seed=self.seed, epoch=self.epoch, **self._arrangement)
        names = [name for name in self._records.features or () if name != "id"]
        self._dataset = records.map(self._decoder, batched=True, batch_size=1, remove_columns=names)
        if self.shuffle:  # without it a later epoch would still permute the shards
            self._dataset.set_epoch(self.epoch)


def open_stream(
    name: str | StreamSpec,
    root: str | Path | None = None,
    *,
    split: str = "validation",
    columns: Mapping[str, str] | None = None,
    shuffle: bool = False,
    seed: int = 0,
    epoch: int = 0,
    window: int | None = None,
    num_shards: int = 64,
    rank: int = 0,
    world_size: int = 1,
    repeat: bool = False,
    limit: SkipLimit | None = None,
    **options: Any,
) -> SampleStream:
    """Open a data set.

    Args:
        name: of a spec (`list_streams()`), or a spec.
        root: folder of the local copy, in the published layout; a Hub id for the spec "hub". None streams from the
            Hub where the owners publish the set there.
        split: "train", "validation" or "test" as published; "train/fit" and "train/select" are 95 % and 5 % of the
            training set, split by a hash of the id, for choices that must not be made on the published test.
        columns: their column -> our key, over the spec's own.
        shuffle: permute, differently in every epoch.
        seed: of order, jitter and random crops.
        epoch: which order.
        window: records permuted together, all held in memory; 1000 by default, and 100 of tables and tars, whose
            records hold the files themselves.
        num_shards: parts that processes and workers share, rounded up to a multiple of `world_size`; a multiple of
            the number of all workers is best. Files of tables and tars are the parts, where there are such.
        rank: this process, in [0, world_size).
        world_size: processes. Their numbers of samples may differ by a few: in training use `repeat` and count steps.
        repeat: begin the next epoch at the end, for ever.
        limit: corrupt samples that are borne; 5 % by default.
        **options: fields of `ReadOptions`: `resolution`, `num_frames`, `stride`, `segments`, `views`, `crop`, ...

    Returns:
        The stream.

    Raises:
        ValueError: an unknown name, split or option, or a root that does not hold the set; the message says what is
            missing.
    """
    from .registry import get_spec

    spec = name if isinstance(name, StreamSpec) else get_spec(name)
    chosen = ReadOptions.of(spec, **options)
    source = open_source(spec, root, split, chosen, dict(columns or {}))
    if hasattr(source, "__len__") and not len(source):
        raise ValueError(f"split must hold samples, got {split!r}: none of {root} fall into it")
    return SampleStream(
        spec,
        source,
        chosen,
        shuffle=shuffle,
        seed=seed,
        epoch=epoch,
        window=window,
        num_shards=num_shards,
        rank=rank,
        world_size=world_size,
        repeat=repeat,
        limit=limit,
    )


def open_source(
    spec: StreamSpec, root: str | Path | None, split: str, options: ReadOptions, columns: dict[str, str]
) -> Source:
    """The reader of one split.

    Raises:
        ValueError: an unknown split, or a root that does not hold the set; the message says what is missing.
    """
    from .hub_rows import HubRows, holds_parquet
    from .tar_shards import TarShards

    spec.their_split(split)
    reader = spec.reader()
    if reader is TarShards and root is not None:
        return TarShards(spec, str(root), split, columns)
    if reader is HubRows or (root is None and spec.hub) or (root is not None and spec.hub and holds_parquet(root)):
        if root is None and not spec.hub:
            raise ValueError(f"root must name a folder or a Hub data set for {spec.name}, got None")
        return HubRows(spec, str(root) if root is not None else None, split, columns)
    if root is None:
        raise ValueError(f"root must be the folder of {spec.name}, got None. How to get it: {spec.obtain}")
    folder = Path(root).expanduser()
    if not folder.is_dir():
        raise ValueError(f"root must be the folder of {spec.name}, got {root}: no such folder")
    settings = {**spec.settings, "columns": columns} if columns else dict(spec.settings)
    return cast(Any, reader)(spec, folder, split, options, **settings)
