# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""How well checkpoints generate: denoising loss on held-out clips, and distances of their samples from real ones."""

from __future__ import annotations

import dataclasses
import functools
import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ...backbones.noise import sample_noise
from ...features.precision import autocast, autocast_name
from ..compare.rows import config_hash, package_versions
from .cells import Skipped, Source, specs_of
from .config import StudyConfig
from .measure import FORMAT, describe, fingerprint_of
from .rows import StudyRow, write_shard
from .run import Outcome, Workshop, encode_sources
from .systems import open_pipeline, open_system
from .world import BATCH, Clips, latent_jobs

LOSS = "v_loss"
_LEVELS = (25, 100, 200, 300, 400, 600, 800)
_DISTANCES = {"frechet_distance": False, "kernel_distance": False, "precision": True, "recall": True}


def run(config: StudyConfig, shop: Workshop, outcome: Outcome) -> None:
    """Measure every checkpoint that no row answers yet; one shard each."""
    clips = Clips.of(config, shop.cache)
    shop.render(clips)
    jobs = [QualityJob(config, clips, spec, shop.folder) for spec in specs_of(config)]
    shop.list_cells(config.name, (job.key for job in jobs))
    known = {row.config_hash for row in shop.rows() if row.study == config.name}
    missing = [job for job in jobs if job.key not in known][shop.share.rank :: shop.share.world_size]
    sources = {job.source for job in missing}
    encode_sources(
        [job for source in sources for job in latent_jobs(clips, source, "validation", "forward", missing[0].count)],
        shop,
        config.name,
    )
    with shop.bar(len(missing), f"{config.name}: checkpoints", "model") as bar:
        for _, failed in shop.pool.map(QualityJob.attempt, missing):
            if failed:
                outcome.skipped.setdefault(config.name, []).append(failed)
            bar.update()
    outcome.measured[config.name], outcome.found[config.name] = len(missing), len(jobs) - len(missing)


@dataclass(frozen=True)
class QualityJob:
    """One model: its loss on held-out clips, and how far its samples are from real ones."""

    config: StudyConfig
    clips: Clips
    spec: str
    folder: Path

    @property
    def source(self) -> Source:
        """Clips for a model of videos, frames for one of images: each in its own objective."""
        objective = getattr(open_system(self.spec), "transformer").config.objective  # noqa: B009
        return Source(self.spec, None, "block", 0, "clip" if objective == "video" else "image")

    @property
    def count(self) -> int:
        """Held-out clips."""
        return min(int(self.config.options.get("clips", 192)), dict(self.clips.sizes)["validation"])

    @property
    def key(self) -> str:
        """Hash of everything that decides the values."""
        return config_hash(
            {
                "format": FORMAT,
                "world": self.clips.split("validation").data_key,
                "splits": self.clips.sizes,
                "model": fingerprint_of(self.source),
                "options": self.config.options,
                "network": _network_key(str(self.config.options.get("network", "probeworld"))),
                "seed": self.clips.seed,
                "torch": package_versions()["torch"],
            }
        )

    def attempt(self) -> Skipped | None:
        """Run; a model that cannot do this is left out."""
        try:
            self.run()
        except (ValueError, RuntimeError) as error:
            return Skipped(self.spec, " ".join(str(error).split())[:300])
        return None

    def run(self) -> None:
        """Write the rows."""
        begin = time.perf_counter()
        losses = self._losses()
        row = self._row(LOSS, float(losses.mean()), len(losses), False, primary=True)
        rows = [dataclasses.replace(row, per_sample=losses, wall_time=round(time.perf_counter() - begin, 3))]
        for kind in self.config.options.get("samples", ["image"]):
            if kind == "video" and self.source.reads == "image":
                continue
            rows += self._distances(kind)
        write_shard(self.folder, rows, f"{self.config.name}-{self.key}")

    def _losses(self) -> np.ndarray:
        """Mean squared error of the velocity of each held-out clip, mean over noise levels, no self-condition."""
        backbone: Any = open_system(self.spec)
        found = []
        with torch.inference_mode(), autocast(autocast_name("auto", backbone.device), backbone.device):
            for job in latent_jobs(self.clips, self.source, "validation", "forward", self.count):
                latents = job.latents()
                assert latents is not None
                for start in range(0, min(len(latents), self.count - job.start), BATCH):
                    rows = range(start, min(start + BATCH, len(latents), self.count - job.start))
                    clean = latents[rows].permute(0, 4, 1, 2, 3).contiguous()
                    ids = self.clips.ids("validation", [job.start + row for row in rows], self.source.reads)
                    found.append(self._loss(backbone, clean, ids))
        return torch.cat(found).double().numpy()

    def _loss(self, backbone: Any, clean: torch.Tensor, ids: list[str]) -> torch.Tensor:
        """(B,)."""
        levels = []
        for timestep in _LEVELS:
            noise = sample_noise(clean.shape, seed=self.clips.seed, sample_ids=ids, timestep=timestep)
            level = torch.full((len(clean),), timestep)
            noisy = backbone.scheduler.add_noise(clean, noise, level)
            target = backbone.scheduler.get_velocity(clean, noise, level)
            predicted = backbone.transformer(noisy, level).sample
            levels.append((predicted.float() - target).square().flatten(1).mean(1))
        return torch.stack(levels).mean(0)

    def _distances(self, kind: str) -> list[StudyRow]:
        """Samples of the checkpoint against clips of the test split."""
        from ..generation.quality import measure

        options = self.config.options
        begin = time.perf_counter()
        found = measure(
            self._pipeline(),
            kind,
            str(options.get("network", "probeworld")),
            int(options.get("num", 128)),
            self.clips.seed,
            int(options.get("sampling_steps", 20)),
        )
        seconds = round(time.perf_counter() - begin, 3)
        rows = []
        for name, higher in _DISTANCES.items():
            about = {**found[name], "kind": kind, "network": found["network"], "floor": found["floor"][name]["value"]}
            row = self._row(f"{kind}_{name}", found[name]["value"], found["num"], higher, primary=False)
            rows.append(dataclasses.replace(row, wall_time=seconds, other=json.dumps(about)))
        return rows

    def _pipeline(self) -> Any:
        pipeline = open_pipeline(self.spec)
        pipeline.set_progress_bar_config(disable=True)
        return pipeline

    def _row(self, metric: str, value: float, n: int, higher: bool, *, primary: bool) -> StudyRow:
        return StudyRow(
            study=self.config.name,
            kind="quality",
            task="generation",
            dataset=f"probeworld-{self.clips.split('validation').data_key}",
            split="validation" if metric == LOSS else "test",
            **{**describe(self.source, None), "timestep": None},
            metric=metric,
            value=value,
            n=n,
            config_hash=self.key,
            higher_is_better=higher,
            primary=primary,
            frame_order="forward",
        )


@functools.cache
def _network_key(name: str) -> str:
    """Distances follow the weights that samples are seen with."""
    from ..generation.networks import open_network

    return open_network(name).key
