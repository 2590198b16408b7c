# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""CKA between layers and between the twins, on the test clips."""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..compare.rows import config_hash, package_versions
from .cells import Skipped, Source
from .cka import gram, jackknife
from .config import CHOSEN, StudyConfig
from .feature_maps import extract_maps
from .measure import FORMAT, describe, fingerprint_of
from .rows import StudyRow, write_shard
from .run import Outcome, Workshop
from .systems import open_system, reads_images
from .world import Clips

_GROUPS = 16


@dataclass(frozen=True)
class Place:
    """Where features are taken: a model, its noise level and a block."""

    source: Source
    layer: int

    @property
    def words(self) -> str:
        """For readers and for the rows."""
        backbone = open_system(self.source.backbone, self.source.reading, self.source.site)
        return f"{self.source.backbone} {self.layer + 1}" if backbone.num_layers > 1 else self.source.backbone


def run(config: StudyConfig, shop: Workshop, outcome: Outcome) -> None:
    """Measure every pair of places at each noise level; one shard a level."""
    clips = Clips.of(config, shop.cache)
    shop.render(clips)
    known = {row.config_hash for row in shop.rows() if row.study == config.name}
    count = int(config.options.get("clips", 256))
    outcome.measured[config.name] = outcome.found[config.name] = 0
    jobs = [CkaJob(config, clips, timestep, count, shop.folder) for timestep in config.timesteps]
    shop.list_cells(config.name, (job.key for job in jobs))
    jobs = jobs[shop.share.rank :: shop.share.world_size]
    missing = [job for job in jobs if job.key not in known]
    outcome.found[config.name] = len(jobs) - len(missing)
    with shop.bar(len(missing), f"{config.name}: pairs of layers", "level") as bar:
        for _, skipped in shop.pool.map(CkaJob.run, missing):
            outcome.skipped.setdefault(config.name, []).extend(skipped)
            bar.update()
    outcome.measured[config.name] = len(missing)


@dataclass(frozen=True)
class CkaJob:
    """All pairs of places at one noise level."""

    config: StudyConfig
    clips: Clips
    timestep: int
    count: int
    folder: Path

    def __hash__(self) -> int:
        return hash((self.config.name, self.timestep))

    @property
    def key(self) -> str:
        """Hash of everything that decides the values."""
        models = [[spec, fingerprint_of(self._source(spec))] for spec in self.config.backbones if _opens(spec) is None]
        return config_hash(
            {
                "format": FORMAT,
                "world": self.clips.split("test").data_key,
                "splits": self.clips.sizes,
                "models": models,
                "layers": self.config.layers,
                "timestep": self.timestep,
                "clips": self.count,
                "seed": self.clips.seed,
                "torch": package_versions()["torch"],
            }
        )

    def run(self) -> list[Skipped]:
        """Write the rows; returns the models that were left out."""
        begin, skipped = time.perf_counter(), []
        products: dict[Place, np.ndarray] = {}
        for spec in self.config.backbones:
            reason = _opens(spec)
            if reason:
                skipped.append(Skipped(spec, reason))
                continue
            products |= self._products(spec)
        pairs = list(itertools.combinations_with_replacement(products, 2))
        seconds = (time.perf_counter() - begin) / max(1, len(pairs))
        rows = [self._row(one, other, products[one], products[other], seconds) for one, other in pairs]
        write_shard(self.folder, rows, f"{self.config.name}-{self.key}")
        return skipped

    def _source(self, spec: str) -> Source:
        names = [name for name in self.config.readings if name != CHOSEN] or ["stack"]
        level = self.timestep if open_system(spec).uses_timestep else None
        return Source(spec, names[0] if reads_images(spec) else None, "block", level, "clip")

    def _products(self, spec: str) -> dict[Place, np.ndarray]:
        """Gram matrices of whole feature maps, all steps and cells side by side (Kornblith et al. 2019, section 2)."""
        source = self._source(spec)
        layers = list(dict.fromkeys(open_system(spec).resolve_layers(self.config.layers)))
        maps = extract_maps(self.clips, source, layers, "test", min(self.count, dict(self.clips.sizes)["test"]))
        return {Place(source, layer): gram(found.values.flatten(1).numpy()) for layer, found in maps.items()}

    def _row(self, one: Place, other: Place, first: np.ndarray, second: np.ndarray, seconds: float) -> StudyRow:
        value, pseudo = jackknife(first, second, _GROUPS)
        return StudyRow(
            study=self.config.name,
            kind="cka",
            task="cka",
            dataset=f"probeworld-{self.clips.split('test').data_key}",
            split="test",
            **{**describe(one.source, one.layer), "timestep": self.timestep},
            metric=f"cka of {one.words} and {other.words}",
            value=value,
            n=len(first),
            config_hash=self.key,
            reading=one.source.reading,
            frame_order="forward",
            seed=self.clips.seed,
            wall_time=round(seconds, 3),
            other=json.dumps({"first": one.words, "second": other.words, "pseudo_values": _GROUPS}),
            per_sample=pseudo,
        )


def _opens(spec: str) -> str | None:
    """None, or why a model cannot be opened."""
    try:
        open_system(spec)
    except (OSError, ValueError, ImportError) as error:
        return " ".join(str(error).split())[:300]
    return None


def places_of(rows: Sequence[StudyRow]) -> list[str]:
    """Names of the places in the order in which they were measured."""
    pairs = [json.loads(row.other) for row in rows]
    return list(dict.fromkeys(name for pair in pairs for name in (pair["first"], pair["second"])))
