# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Features of a system on a split, in chunks that several processes extract side by side."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from ...backbones.base import Backbone
from ...backbones.floors import LatentBackbone
from ...features import FeatureArray, FeatureSet, extract_features
from .setting import Reads, Setting
from .splits import Split

CHUNK = 512
_BATCH = 16  # the tokenizer is fastest when a batch fits the cache


@dataclass(frozen=True)
class Source:
    """A backbone and what it is shown."""

    system: str
    reading: str | None
    reads: Reads


@dataclass(frozen=True)
class ExtractJob:
    """Rows [start, stop) of a split through one backbone, at several noise levels and blocks."""

    setting: Setting
    source: Source
    split: Split
    start: int
    stop: int
    layers: tuple[int, ...]
    timesteps: tuple[int | None, ...]

    def run(self) -> int:
        """Fill the cache; returns the number of rows."""
        self.extract()
        return self.stop - self.start

    def extract(self) -> FeatureSet:
        """The features, from the cache where it has them."""
        setting, source = self.setting, self.source
        backbone: Backbone = setting.backbone(source.system, source.reading)
        read: Callable[[Sequence[int]], torch.Tensor] = self._videos
        if source.reads == "clip" and source.system != "latents":
            backbone, read = self._through_latents(backbone)
        return self._extract(backbone, read)

    def _through_latents(self, backbone: Backbone) -> tuple[Backbone, Callable[[Sequence[int]], torch.Tensor]]:
        """Feed `backbone` from the latents that are extracted anyway, where it would make the same ones itself."""
        from .shared_latents import FromLatents, shares_latents

        latents = self.setting.backbone("latents")
        if not shares_latents(backbone, latents):  # type: ignore[arg-type]
            return backbone, self._videos
        clean = self._extract(latents, self._videos, (0,), (None,))[0, None]
        num_frames = self.split.videos().shape[1]
        return FromLatents(backbone, num_frames), clean.__getitem__  # type: ignore[arg-type]

    def _extract(
        self,
        backbone: Backbone,
        read: Callable[[Sequence[int]], torch.Tensor],
        layers: tuple[int, ...] | None = None,
        timesteps: tuple[int | None, ...] | None = None,
    ) -> FeatureSet:
        ids = self.split.sample_ids(range(self.start, self.stop))
        return extract_features(
            backbone,
            read,
            ids if self.source.reads == "clip" else [f"{sample_id}/middle" for sample_id in ids],
            layers=self.layers if layers is None else layers,
            timesteps=self.timesteps if timesteps is None else timesteps,
            cache_dir=self.setting.cache / "features",
            data_fingerprint=f"{self.split.data_key}-{self.split.name}-{self.source.reads}",
            seed=self.setting.config.seed,
            batch_size=_BATCH,
            # Latents feed other models; their rounding would become everyone's.
            dtype="float32" if isinstance(backbone, LatentBackbone) else "float16",
            progress=False,
        )

    def _videos(self, positions: Sequence[int]) -> torch.Tensor:
        videos = self.split.videos()
        clips = videos[np.asarray(positions) + self.start]
        if self.source.reads == "image":
            middle = clips.shape[1] // 2
            clips = clips[:, middle : middle + 1]
        return torch.from_numpy(clips)


class FeatureRows:
    """Features of the first rows of a split at one cell, read by row number."""

    def __init__(self, chunks: Sequence[FeatureArray]) -> None:
        self.chunks = chunks
        self.frame_spans = chunks[0].frame_spans

    def __call__(self, rows: np.ndarray) -> torch.Tensor:
        """float32 (n, T', H', W', C) of row numbers (n,)."""
        found = torch.empty(len(rows), *self.chunks[0].shape[1:])
        for number in np.unique(rows // CHUNK):
            here = np.flatnonzero(rows // CHUNK == number)
            found[torch.from_numpy(here)] = self.chunks[number][rows[here] % CHUNK]
        return found


def extract_jobs(
    setting: Setting,
    source: Source,
    split: Split,
    rows: int,
    layers: Sequence[int],
    timesteps: Sequence[int | None],
) -> list[ExtractJob]:
    """Jobs that together cover the first `rows` clips of a split; a chunk is always whole, so that it is reused."""
    return [
        ExtractJob(setting, source, split, start, min(start + CHUNK, split.size), tuple(layers), tuple(timesteps))
        for start in range(0, rows, CHUNK)
    ]


def open_rows(
    setting: Setting, source: Source, split: Split, rows: int, layer: int, timestep: int | None
) -> FeatureRows:
    """The first `rows` clips of a split at one cell."""
    jobs = extract_jobs(setting, source, split, rows, (layer,), (timestep,))
    return FeatureRows([job.extract()[layer, timestep] for job in jobs])
