# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""The clips of a study: three splits of one world, rendered once, and their latents, encoded once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from ...data import ProbeWorld, ProbeWorldConfig
from ...features import FeatureArray, extract_features
from ..compare.splits import Split
from .cells import Reads, Source
from .config import StudyConfig
from .frame_order import reorder
from .systems import open_system

CHUNK = 512
BATCH = 16  # the tokenizer is fastest when a batch fits the cache


@dataclass(frozen=True)
class Clips:
    """The world of a study.

    Attributes:
        world: resolved settings.
        sizes: (split, clips) pairs.
        cache: folder of what can be made again.
        seed: of the noise.
    """

    world: ProbeWorldConfig
    sizes: tuple[tuple[str, int], ...]
    cache: Path
    seed: int

    @classmethod
    def of(cls, config: StudyConfig, cache: Path) -> Clips:
        """The clips that a config asks for."""
        wanted = ProbeWorldConfig(seed=config.seed, resolution=config.resolution)
        world = ProbeWorld("train", 1, wanted).config
        return cls(world, tuple(sorted(config.splits.items())), cache, config.seed)

    def split(self, name: str) -> Split:
        """ "train", "validation" or "test"."""
        return Split(name, dict(self.sizes)[name], self.world, self.cache)

    def ids(self, split: str, rows: Sequence[int], reads: Reads) -> list[str]:
        """Stable identifiers, which fix the noise; the same as the main comparison's."""
        ids = self.split(split).sample_ids(rows)
        return ids if reads == "clip" else [f"{sample_id}/middle" for sample_id in ids]

    def videos(self, split: str, rows: Sequence[int], reads: Reads, order: str) -> torch.Tensor:
        """uint8 (B, T, H, W, 3); T = 1, the middle frame, for images."""
        clips = torch.from_numpy(self.split(split).videos()[np.asarray(rows)])
        if reads == "image":
            middle = clips.shape[1] // 2
            return clips[:, middle : middle + 1]
        return reorder(clips, order, self.ids(split, rows, reads))


@dataclass(frozen=True)
class LatentJob:
    """One chunk of a split through a model's tokenizer."""

    clips: Clips
    source: Source
    split: str
    order: str
    start: int

    def run(self) -> int:
        """Fill the cache; returns the number of rows."""
        self.latents()
        return self.stop - self.start

    @property
    def stop(self) -> int:
        return min(self.start + CHUNK, self.clips.split(self.split).size)

    def latents(self) -> FeatureArray | None:
        """Clean latents of the chunk, None for a model without a tokenizer."""
        source, clips = self.source, self.clips
        tokenizer = open_system(source.backbone, source.reading, source.site).tokenizer
        if tokenizer is None:
            return None
        rows = range(self.start, self.stop)

        def read(positions: Sequence[int]) -> torch.Tensor:
            return clips.videos(self.split, [rows[place] for place in positions], source.reads, self.order)

        key = f"{clips.split(self.split).data_key}-{self.split}-{source.reads}-{self.order}"
        found = extract_features(
            tokenizer,
            read,
            clips.ids(self.split, rows, source.reads),
            layers=[0],
            timesteps=[None],
            cache_dir=clips.cache / "latents",
            data_fingerprint=key,
            batch_size=BATCH,
            dtype="float32",  # other models are fed from them; their rounding would become everyone's
            progress=False,
            rank=0,
            world_size=1,
        )
        return found[0, None]


def latent_jobs(clips: Clips, source: Source, split: str, order: str, rows: int) -> list[LatentJob]:
    """Jobs that cover the first `rows` clips; a chunk is always whole, so that it is reused."""
    return [LatentJob(clips, source, split, order, start) for start in range(0, rows, CHUNK)]
