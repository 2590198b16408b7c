# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Encoding a data set once, shard by shard, by as many processes as there are."""

import errno
import math
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from huggingface_hub.utils import are_progress_bars_disabled
from tqdm.auto import tqdm

from ..data.streams import SampleStream, SkipLimit
from ..features.process_share import ProcessShare
from ..features.quota import bytes_in
from ..features.storage_dtype import StoredRows, encode, num_stored_bytes
from .data_lanes import Item, Lane, frames_of, labels_of
from .data_sources import OpenedData
from .latent_encoding import Encoder
from .latent_store import LatentStore

if TYPE_CHECKING:
    from .walt_config import WaltTrainConfig

SAMPLES_PER_SHARD = 256
_POLL_S = 0.2
_GB = 1e9


def shards_of(data: OpenedData) -> int:
    """Shards of a cache: 256 samples each where the records are known, else one for each file of the stream."""
    return data.num_shards if data.size is None else math.ceil(data.size / SAMPLES_PER_SHARD)


class LatentFiller:
    """Fills the missing shards of a store.

    Args:
        store: where to.
        data: what is encoded.
        encoder: the tokenizer.
        config: limits of corrupt samples and of disk space.
        share: of this process.
    """

    def __init__(
        self,
        store: LatentStore,
        data: OpenedData,
        encoder: Encoder,
        config: "WaltTrainConfig",
        share: ProcessShare | None = None,
    ) -> None:
        self.store, self.data, self.encoder, self.config = store, data, encoder, config
        self.share = share or ProcessShare()

    def run(self) -> None:
        """Fill every missing shard, or see other processes fill it.

        Raises:
            OSError: the disk or the quota has no room.
            ValueError: too many samples are corrupt, or there are none.
        """
        missing = [shard for shard in range(self.store.num_shards) if not self.store.is_complete(shard)]
        if missing:
            check_room(self.data, self.store, len(missing), self._row_shape(), self.config)
        quiet = are_progress_bars_disabled() or self.share.rank > 0 or not missing
        with tqdm(total=len(missing), desc=f"latents of {self.data.name}", unit="shard", disable=quiet) as bar:
            for shard in self._turns(missing):
                if not self.store.is_complete(shard):
                    self._fill(shard)
                bar.update()
        with _writing(self.store.folder.parent):
            self.store.finish()
        if not len(self.store):
            raise ValueError(f"data must hold samples, got none in {self.data.name}")

    def _turns(self, missing: list[int]) -> Iterator[int]:
        """This process's shards, then those that no other has begun; waits for what is being written elsewhere."""
        own, others = self.share.split(missing)
        for shard in own:
            if self.store.is_claimed(shard):  # by one that was through with its own
                others.append(shard)
            else:
                yield shard
        while others:
            free = next((shard for shard in others if not self.store.is_claimed(shard)), None)
            if free is None:
                time.sleep(_POLL_S)
                continue
            others.remove(free)
            yield free

    def _fill(self, shard: int) -> None:
        stream = SampleStream(
            self.data.spec,
            Lane(self.data.source, shard, self.store.num_shards),
            self.data.options,
            num_shards=self.store.num_shards,
            limit=SkipLimit(share=self.config.max_corrupt),
        )
        blocks, ids, labels, batch = [], [], [], []
        with _writing(self.store.folder.parent), self.store.claim(shard) as mark:
            for sample in stream:
                batch.append(Item(str(sample["id"]), frames_of(sample), 0, {}))
                ids.append(batch[-1].id)
                labels.append(labels_of(sample))
                if len(batch) == self.encoder.batch_size:
                    blocks.append(self._encoded(batch))
                    batch = []
                    mark.touch()
            if batch or not blocks:
                blocks.append(self._encoded(batch))
            report = stream.report
            facts = {"ids": ids, "labels": labels, "skipped": report.corrupt + report.short}
            self.store.write(shard, blocks, facts)

    def _encoded(self, items: list[Item]) -> StoredRows:
        if not items:  # a shard whose samples were all left out: one row that no id names
            return encode(torch.zeros(1, *self._row_shape()), self.store.key["dtype"])
        if self.store.key["kind"] == "pictures":
            rows = self.encoder.pictures(items).transpose(0, 2, 1, 3, 4)
        else:
            clips = self.encoder.clips(items).transpose(0, 2, 1, 3, 4)
            rows = np.concatenate([clips, self.encoder.frames(items)[:, :, :, 0]], axis=1)
        return encode(torch.from_numpy(np.ascontiguousarray(rows)), self.store.key["dtype"])

    def _row_shape(self) -> tuple[int, ...]:
        channels, count, height, width = self.encoder.shape
        return (1 if self.store.key["kind"] == "pictures" else 2 * count, channels, height, width)


def check_room(
    data: OpenedData, store: LatentStore, missing: int, row: tuple[int, ...], config: "WaltTrainConfig"
) -> None:
    """Refuse a filling that the quota or the disk cannot hold; nothing is written before.

    The estimate is exact but for corrupt samples where the records are known, and 0 where only files are.

    Raises:
        OSError: no room.
    """
    samples = min(data.size or 0, missing * SAMPLES_PER_SHARD)
    needed = num_stored_bytes((samples, *row), store.key["dtype"])
    place = store.folder.parent
    place.mkdir(parents=True, exist_ok=True)
    used, quota = bytes_in(place) if config.latent_quota else 0, config.latent_quota * _GB
    if quota and used + needed > quota:
        raise OSError(
            errno.EDQUOT,
            f"latent_quota must leave room: {used / _GB:.4g} GB lie in cache_dir, {needed / _GB:.4g} GB of latents are "
            f"to come, got {config.latent_quota:.4g} GB: {place}",
        )
    free = shutil.disk_usage(place).free
    if needed > free:
        raise OSError(
            errno.ENOSPC, f"latents need {needed / _GB:.4g} GB, {free / _GB:.4g} GB are free in cache_dir: {place}"
        )


class _writing:
    """Say what a full disk means here."""

    def __init__(self, place: Path) -> None:
        self.place = place

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES):
            raise OSError(
                error.errno,
                f"cache_dir must take the latents, but writing failed ({error.strerror}); complete shards are kept, "
                f"and the same run goes on from them: {self.place}",
            ) from error
