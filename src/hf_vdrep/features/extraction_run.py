# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""The loop that fills the missing shards."""

import errno
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from huggingface_hub.utils import are_progress_bars_disabled
from tqdm.auto import tqdm

from ..backbones.base import Backbone
from ..backbones.feature_map import FeatureMap
from .cell import Cell
from .estimate import check_pool
from .feature_set import FeatureArray, FeatureSet
from .level_plan import LevelPlan
from .options import ExtractionOptions
from .precision import autocast
from .shard_file import ShardWriter
from .stacking import FEWEST_BATCHES, LevelReader
from .storage_dtype import StoredRows, encode

_GB = 1e9
_POLL_S = 0.1


@dataclass
class ExtractionRun:
    """One pass over the samples whose shards are missing.

    Args:
        backbone: the frozen model.
        videos: positions -> uint8 (b, T, H, W, 3).
        sample_ids: all N identifiers.
        cells: what to fill; they share samples, arithmetic and shard size.
        options: batch size, seed, share of this process, progress.
        open_latents: gives the features of the backbone's tokenizer, which then replace `videos`.
    """

    backbone: Backbone
    videos: Callable[[Sequence[int]], torch.Tensor | np.ndarray]
    sample_ids: Sequence[str]
    cells: Sequence[Cell]
    options: ExtractionOptions
    open_latents: Callable[[], FeatureSet] | None = None
    _latents: FeatureArray | None = None
    _room_checked: bool = False
    _plan: LevelPlan = field(init=False)

    def run(self) -> bool:
        """Fill every missing shard, or see others fill it; whether there was anything to do."""
        first = self.cells[0]
        missing = {shard: self._missing(shard) for shard in range(first.num_shards)}
        missing = {shard: cells for shard, cells in missing.items() if cells}
        if not missing:
            return False
        batches = sum(-(-len(first.rows(shard)) // self.options.batch_size) for shard in missing)
        with writing(first.folder.parent):
            self._plan = LevelPlan(
                self.cells,
                self.options.stacking,
                can_stack=self.backbone.can_stack,
                worth_a_trial=batches >= FEWEST_BATCHES,
            )
        self._latents = self.open_latents()[0, None] if self.open_latents is not None else None
        rows_to_do = sum(len(first.rows(shard)) * len(cells) for shard, cells in missing.items())
        bar = tqdm(
            total=sum(len(first.rows(shard)) for shard in missing),
            desc=f"features of {self.backbone.name}",
            unit="sample",
            disable=not self.options.progress or self.options.share.rank > 0 or are_progress_bars_disabled(),
        )
        with bar:
            for shard in self._turns(missing):
                # Another process may have filled it meanwhile.
                still = [cell for cell in missing[shard] if not cell.is_complete(shard)]
                self._fill(shard, still, rows_to_do, bar)
        return True

    def _turns(self, missing: dict[int, list[Cell]]) -> Iterator[int]:
        """This process's shards, then those that no other has begun; waits for what is being written elsewhere."""
        own, others = self.options.share.split(missing)
        yield from own
        while others:
            free = (shard for shard in others if not any(cell.is_being_written(shard) for cell in missing[shard]))
            shard = next(free, None)
            if shard is None:
                time.sleep(_POLL_S)
                continue
            others.remove(shard)
            yield shard

    def _missing(self, shard: int) -> list[Cell]:
        return [cell for cell in self.cells if not cell.is_complete(shard)]

    def _fill(self, shard: int, cells: list[Cell], rows_to_do: int, bar: tqdm) -> None:
        """Write one shard of each of `cells`, or nothing at all."""
        rows = self.cells[0].rows(shard)
        if not cells:
            bar.update(len(rows))
            return
        writers: list[ShardWriter] = []
        try:
            for start in range(rows.start, rows.stop, self.options.batch_size):
                batch = range(start, min(start + self.options.batch_size, rows.stop))
                for position, (cell, features) in enumerate(self._forward(batch, cells)):
                    block = _stored(features, cell.key.dtype)
                    with writing(cell.folder.parent):
                        if len(writers) == position:
                            self._check_room(cell, block.nbytes // len(block) * rows_to_do)
                            writers.append(cell.writer(shard, features))
                        writers[position].append(block)
                bar.update(len(batch))
            with writing(cells[0].folder.parent):
                for writer in writers:
                    writer.commit()
        finally:
            for writer in writers:
                writer.abort()

    def _forward(self, batch: range, cells: list[Cell]) -> Iterator[tuple[Cell, FeatureMap]]:
        """Features of a batch for each of `cells`; one tokenizer pass, at most one forward per noise level."""
        precision, reader = cells[0].key.autocast, LevelReader(self.backbone, self.options.seed)
        with torch.inference_mode(), autocast(precision, self.backbone.device):
            inputs = self._inputs(batch)
        ids = [self.sample_ids[position] for position in batch]
        if undecided := self._plan.undecided:
            # Also where they are to go together: a pass that has no room must not be noted.
            tell = reader.read if self.options.stacking == "on" else reader.prefers_one_pass
            with torch.inference_mode(), autocast(precision, self.backbone.device):
                together = bool(tell(inputs, ids, _layers(undecided), _levels(undecided)))
            with writing(cells[0].folder.parent):
                self._plan.settle(together)
        for levels, group in self._plan.passes(cells):
            with torch.inference_mode(), autocast(precision, self.backbone.device):
                maps = reader.read(inputs, ids, _layers(group), levels)
            found = {(features.layer, features.timestep): features for features in maps}
            for cell in group:
                yield cell, _pooled(found[cell.key.layer, cell.key.timestep], cell.key.pool)

    def _inputs(self, batch: range) -> Any:
        if self._latents is not None:
            return self.backbone.inputs_from(self._latents.feature_map(batch))
        return self.backbone.prepare(self._read(batch))

    def _read(self, batch: range) -> torch.Tensor:
        videos = torch.as_tensor(self.videos(batch))
        if len(videos) != len(batch):
            raise ValueError(f"videos must return the {len(batch)} samples asked for, got {len(videos)}")
        return videos

    def _check_room(self, cell: Cell, needed: int) -> None:
        if self._room_checked:
            return
        self._room_checked = True
        free = shutil.disk_usage(cell.folder).free
        if needed > free:
            raise OSError(errno.ENOSPC, f"needs {needed / _GB:.3g} GB, {free / _GB:.3g} GB are free")


@contextmanager
def writing(cache_dir: Path) -> Iterator[None]:
    """Says of an OSError within that the cache could not be written, and what that means."""
    try:
        yield
    except OSError as error:
        raise OSError(
            error.errno,
            f"cache_dir must take the features, but writing failed ({error.strerror or error}); complete shards are "
            f"kept, and the same call goes on from them: {cache_dir}",
        ) from error


def _layers(cells: Sequence[Cell]) -> list[int]:
    return list(dict.fromkeys(cell.key.layer for cell in cells))


def _levels(cells: Sequence[Cell]) -> list[int | None]:
    return list(dict.fromkeys(cell.key.timestep for cell in cells))


def _pooled(features: FeatureMap, pool: int) -> FeatureMap:
    if pool == 1:
        return features
    values = features.values
    check_pool((values.shape[2], values.shape[3]), pool)
    images = values.flatten(0, 1).permute(0, 3, 1, 2).float()
    pooled = F.avg_pool2d(images, pool).permute(0, 2, 3, 1).unflatten(0, values.shape[:2])
    return replace(features, values=pooled, stride=features.stride * pool)


def _stored(features: FeatureMap, dtype: str) -> StoredRows:
    try:
        return encode(features.values, dtype)
    except ValueError as error:
        raise ValueError(f"features at layer {features.layer}, timestep {features.timestep} {error}") from error
