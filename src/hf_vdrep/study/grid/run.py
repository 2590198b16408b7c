# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Running analyses: what the rows hold already is not measured again, and a killed run goes on where it was."""

from __future__ import annotations

import dataclasses
import importlib
import json
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from huggingface_hub.utils import are_progress_bars_disabled
from tqdm.auto import tqdm

from ...features.process_share import ProcessShare
from ...training.config import save_config
from ..compare.config import check_output
from ..compare.pool import WorkPool
from .cells import Cell, Skipped, Source, cost, expand, grouped
from .config import StudyConfig
from .measure import GroupJob, cell_hash
from .rows import SHARDS_NAME, StudyRow, read_rows, write_shard
from .systems import checkpoint_of, open_system
from .world import Clips, LatentJob, latent_jobs

SKIPPED_NAME, TIMES_NAME, CELLS_NAME = "skipped.json", "times.json", "cells.json"
_MODULES = {"cka": "similarity", "quality": "quality", "pictures": "pictures", "compare": "with_compare"}
_LAYERS_AT_ONCE = 3  # bounds a worker's memory, and spreads a sweep over layers among workers


@dataclass
class Outcome:
    """What a run did.

    Attributes:
        measured: study -> cells measured now.
        found: study -> cells that were there.
        skipped: study -> models left out, and why.
        seconds: study -> wall time of this run.
        noted: studies whose time is kept beside the rows, or is not that of their measurement.
    """

    measured: dict[str, int] = field(default_factory=dict)
    found: dict[str, int] = field(default_factory=dict)
    skipped: dict[str, list[Skipped]] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    noted: set[str] = field(default_factory=set)


@dataclass
class Workshop:
    """What every kind of analysis works with.

    Attributes:
        folder: of the study.
        pool: processes.
        share: this process's part, under a launcher.
        quiet: no bars.
        compare: folder of a finished comparison, None to run one where needed.
    """

    folder: Path
    pool: WorkPool
    share: ProcessShare
    quiet: bool
    compare: Path | None = None

    @property
    def cache(self) -> Path:
        """Folder of what can be made again."""
        return self.folder / "cache"

    def rows(self) -> list[StudyRow]:
        """All rows so far."""
        try:
            return read_rows(self.folder)
        except ValueError:
            return []

    def list_cells(self, study: str, hashes: Iterable[str]) -> None:
        """Keep which hashes an analysis consists of: a report leaves older ones out and says what is not there yet."""
        found = sorted(set(hashes))
        if found and self.share.rank == 0:
            _merge(self.folder / CELLS_NAME, {study: found})

    def render(self, clips: Clips) -> None:
        """Render the splits that are not there yet."""
        splits = [split for name, _ in clips.sizes if not (split := clips.split(name)).is_rendered]
        if splits:
            with self.bar(sum(split.size for split in splits), "render", "clip") as bar:
                for split in splits:
                    split.render(self.pool, bar)

    def bar(self, total: int, name: str, unit: str) -> tqdm:
        """A progress bar on stderr."""
        return tqdm(total=total, desc=f"{name:<28}", unit=unit, disable=self.quiet, file=sys.stderr, smoothing=0.1)

    @contextmanager
    def counting_shards(self, total: int, name: str) -> Iterator[None]:
        """A bar that follows the files which workers write."""
        before, done = self._shards(), threading.Event()
        with self.bar(total, name, "cell") as bar:

            def follow() -> None:
                while not done.wait(1.0):
                    bar.update(min(total, self._shards() - before) - bar.n)

            thread = threading.Thread(target=follow, daemon=True)
            thread.start()
            try:
                yield
            finally:
                done.set()
                thread.join()
                bar.update(min(total, self._shards() - before) - bar.n)

    def _shards(self) -> int:
        return sum(1 for _ in (self.folder / SHARDS_NAME).glob("*.parquet"))


def run_studies(
    configs: Sequence[StudyConfig],
    folder: Path,
    *,
    workers: int = 0,
    quiet: bool = False,
    compare: Path | None = None,
    minutes: float | None = None,
) -> Outcome:
    """Run analyses one after the other.

    Args:
        configs: what to run, in this order.
        folder: gets rows, configs and cache.
        workers: processes; 0 is one per core. Under `torchrun` or `accelerate launch` each of its processes takes its
            share of the cells, and one worker each is meant.
        quiet: no progress bars.
        compare: output folder of `hf-vdrep compare`, whose rows become the study "main".
        minutes: no analysis begins after so much wall time.

    Returns:
        What was measured, found and skipped. Equal settings give equal rows, whatever the number of processes.

    Raises:
        ValueError: a setting that cannot be run, found before any work.
    """
    for config in configs:
        config.check()
    check_output(folder)
    outcome, begin, share = Outcome(), time.monotonic(), ProcessShare.of(None, None)
    with WorkPool(workers if share.world_size == 1 else max(1, workers)) as pool:
        shop = Workshop(folder, pool, share, quiet or are_progress_bars_disabled(), compare)
        for config in configs:
            if minutes is not None and time.monotonic() - begin > 60 * minutes:
                break
            started = time.monotonic()
            _runner(config.kind)(config, shop, outcome)
            outcome.seconds[config.name] = time.monotonic() - started
            if share.rank == 0:
                save_config(config, folder / "configs" / f"{config.name}.yaml")
                _remember(folder, outcome)
    return outcome


def _runner(kind: str) -> Callable[[StudyConfig, Workshop, Outcome], None]:
    if kind == "probe":
        return run_grid
    return importlib.import_module(f".{_MODULES[kind]}", __package__).run


def run_grid(config: StudyConfig, shop: Workshop, outcome: Outcome) -> None:
    """Measure the cells of a probe grid that no row answers yet."""
    clips = Clips.of(config, shop.cache)
    cells, skipped = expand(config, chosen_readings(shop.rows()))
    if cells:
        shop.render(clips)
    _list_cells(config, clips, cells, skipped, shop)
    missing = keep_known(config, clips, cells, shop)
    outcome.found[config.name] = len(cells) - len(missing)
    jobs = plan_jobs(config, clips, missing, shop)
    encode(jobs, shop, config.name)
    wanted = sum(len(job.cells) for job in jobs)
    with shop.counting_shards(wanted, f"{config.name}: readouts"):
        done = [found for _, found in shop.pool.map(_attempt, jobs)]
    outcome.measured[config.name] = sum(count for count, _ in done)
    failed = [entry for _, entry in done if entry]
    if failed:
        skipped += failed
        _list_cells(config, clips, cells, skipped, shop)
    outcome.skipped[config.name] = list(dict.fromkeys(skipped))


def plan_jobs(config: StudyConfig, clips: Clips, cells: list[Cell], shop: Workshop) -> list[GroupJob]:
    """Jobs of this process: a source and a few of its layers each, the costly first."""
    jobs = []
    for source, group in grouped(cells).items():
        layers = sorted({cell.layer for cell in group})
        for start in range(0, len(layers), _LAYERS_AT_ONCE):
            these = layers[start : start + _LAYERS_AT_ONCE]
            part = tuple(cell for cell in group if cell.layer in these)
            jobs.append(GroupJob(config.name, clips, source, part, shop.folder))
    jobs.sort(key=lambda job: cost(list(job.cells)), reverse=True)
    return jobs[shop.share.rank :: shop.share.world_size]


def keep_known(config: StudyConfig, clips: Clips, cells: list[Cell], shop: Workshop) -> list[Cell]:
    """Cells without rows; rows that another analysis has measured are copied under this one's name."""
    known: dict[str, list[StudyRow]] = {}
    for row in shop.rows():
        known.setdefault(row.config_hash, []).append(row)
    missing = []
    for cell in cells:
        hashes = [cell_hash(clips, cell, order) for order in cell.frame_orders]
        if not all(found in known for found in hashes):
            missing.append(cell)
            continue
        rows = [row for found in hashes for row in known[found]]
        if any(row.study == config.name for row in rows):
            continue
        # The same weights may go by two names: a twin, and the last checkpoint of its training.
        named = {"backbone": cell.source.backbone, **checkpoint_of(cell.source.backbone)}
        copies = {row.config_hash + row.metric: dataclasses.replace(row, study=config.name, **named) for row in rows}
        if shop.share.rank == 0:
            write_shard(shop.folder, list(copies.values()), f"{config.name}-{hashes[0]}")
    return missing


def encode(jobs: Sequence[GroupJob], shop: Workshop, name: str) -> None:
    """Fill the cache of latents that jobs will ask for."""
    encode_sources([latent for job in jobs for latent in _latents(job)], shop, name)


def encode_sources(latents: Sequence[LatentJob], shop: Workshop, name: str) -> None:
    """Fill the cache of latents, each chunk of each tokenizer once."""
    wanted: dict[tuple, LatentJob] = {}
    for latent in latents:
        tokenizer = _tokenizer_name(latent.source)
        if tokenizer is not None:
            place = (tokenizer, latent.source.reads, latent.split, latent.order, latent.start)
            wanted.setdefault(place, latent)
    if not wanted:
        return
    todo = list(wanted.values())
    with shop.bar(sum(job.stop - job.start for job in todo), f"{name}: latents", "clip") as bar:
        for _, rows in shop.pool.map(LatentJob.run, todo):
            bar.update(rows)


def chosen_readings(rows: Sequence[StudyRow]) -> dict[str, str]:
    """Task -> how I-WALT reads clips, as validation chose in the main comparison."""
    return {row.task: row.reading for row in rows if row.study == "main" and row.twin == "i-walt" and row.reading}


def _latents(job: GroupJob) -> Iterator[LatentJob]:
    sizes = dict(job.clips.sizes)
    train = max(cell.train_size for cell in job.cells)
    for split, rows in (("train", train), ("validation", sizes["validation"])):
        yield from latent_jobs(job.clips, job.source, split, "forward", rows)
    for order in dict.fromkeys(order for cell in job.cells for order in cell.frame_orders):
        yield from latent_jobs(job.clips, job.source, "test", order, sizes["test"])


def _tokenizer_name(source: Source) -> str | None:
    return _tokenizer(source.backbone, source.reading)


@lru_cache(maxsize=512)
def _tokenizer(spec: str, reading: str | None) -> str | None:
    tokenizer = open_system(spec, reading).tokenizer
    return tokenizer.fingerprint if tokenizer is not None else None


def _attempt(job: GroupJob) -> tuple[int, Skipped | None]:
    """Run a job; what its model cannot do is a reason to leave it out, not to stop the others."""
    try:
        return job.run(), None
    except (ValueError, RuntimeError) as error:
        return 0, Skipped(job.source.backbone, " ".join(str(error).split())[:300])


def _list_cells(config: StudyConfig, clips: Clips, cells: list[Cell], skipped: list[Skipped], shop: Workshop) -> None:
    """Keep which hashes a grid consists of; what was measured while a model could still be opened stays part of it."""
    without = {entry.backbone for entry in skipped}
    kept = [cell for cell in cells if cell.source.backbone not in without]
    wanted = {cell_hash(clips, cell, order) for cell in kept for order in cell.frame_orders}
    wanted |= {row.config_hash for row in shop.rows() if row.study == config.name and row.backbone in without}
    shop.list_cells(config.name, wanted)


def _remember(folder: Path, outcome: Outcome) -> None:
    """Keep times and what was left out beside the rows, for the report; a run that goes on adds to what it took."""
    before = _read(folder / TIMES_NAME)
    times = {
        name: round(seconds + (before.get(name, 0.0) if outcome.found.get(name) else 0.0), 1)
        for name, seconds in outcome.seconds.items()
        if outcome.measured.get(name) and name not in outcome.noted
    }
    _merge(folder / TIMES_NAME, times)
    outcome.noted |= set(times)
    _merge(
        folder / SKIPPED_NAME,
        {name: [dataclasses.asdict(entry) for entry in found] for name, found in outcome.skipped.items()},
    )


def _read(path: Path) -> dict[str, Any]:
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}


def _merge(path: Path, values: Mapping[str, Any]) -> None:
    from ...data import atomic_output

    before = _read(path)
    with atomic_output(path) as temporary:
        temporary.write_text(json.dumps({**before, **values}, indent=1, sort_keys=True) + "\n", encoding="utf-8")
