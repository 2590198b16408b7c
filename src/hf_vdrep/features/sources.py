# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Data sets that features are extracted from, by name: ProbeWorld, published sets, folders of pictures and videos."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol, cast

import numpy as np
import torch

from ..data import ProbeWorld, ProbeWorldConfig, read_clip
from ..data.streams.registry import list_streams
from ..data.streams.stored import default_split, store_clips

MEDIA_SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".gif", ".mp4", ".mov", ".webm", ".mkv", ".avi")
SPLITS = ("train", "validation", "test")


class Source(Protocol):
    """What `extract_features` needs to know of a data set."""

    @property
    def sample_ids(self) -> Sequence[str]:
        """N stable identifiers."""
        ...

    @property
    def fingerprint(self) -> str:
        """Changes with the content."""
        ...

    def videos(self, positions: Sequence[int]) -> torch.Tensor:
        """uint8 (b, T, H, W, 3)."""
        ...


@dataclass(frozen=True)
class ProbeWorldSource:
    """The first `size` clips of a split."""

    split: str
    size: int
    config: ProbeWorldConfig

    @cached_property
    def _world(self) -> ProbeWorld:
        return ProbeWorld(self.split, self.size, self.config)

    @property
    def sample_ids(self) -> Sequence[str]:
        return [f"probeworld-{self.split}-{index}" for index in range(self.size)]

    @cached_property
    def fingerprint(self) -> str:
        # The first clip stands for the renderer's code, which has no version number of its own.
        digest = hashlib.blake2b(repr(self._world.config).encode(), digest_size=16)
        digest.update(self._world.render_batch([0]).numpy().tobytes())
        return digest.hexdigest()

    def videos(self, positions: Sequence[int]) -> torch.Tensor:
        return self._world.render_batch(positions)


@dataclass(frozen=True)
class MediaSource:
    """All pictures and videos below a folder, in the order of their names; a picture is repeated over the clip.

    Attributes:
        folder: where.
        num_frames: of every clip.
        fps: frames a second that videos are read at.
        resolution: side of the frames, pixels.
    """

    folder: Path
    num_frames: int
    fps: float
    resolution: int

    @cached_property
    def _files(self) -> list[Path]:
        found = (path for path in self.folder.rglob("*") if path.suffix.lower() in MEDIA_SUFFIXES and path.is_file())
        return sorted(found)

    @cached_property
    def sample_ids(self) -> Sequence[str]:  # type: ignore[override]
        return [path.relative_to(self.folder).as_posix() for path in self._files]

    @cached_property
    def fingerprint(self) -> str:
        digest = hashlib.blake2b(f"{self.num_frames} {self.fps} {self.resolution}".encode(), digest_size=16)
        for path in self._files:
            with path.open("rb") as file:
                digest.update(hashlib.file_digest(file, "blake2b").digest())
        return digest.hexdigest()

    def videos(self, positions: Sequence[int]) -> torch.Tensor:
        options = {"resolution": self.resolution, "short": "repeat"}
        clips = [read_clip(self._files[place], self.num_frames, self.fps, **options) for place in positions]
        return torch.from_numpy(np.stack([clip.numpy() for clip in clips]))


def open_source(
    name: str,
    *,
    size: int | None = None,
    num_frames: int = 17,
    fps: float | None = None,
    resolution: int = 64,
    split: str | None = None,
    cache_dir: str | Path = "runs/features",
) -> Source:
    """A data set by name.

    Args:
        name: "probeworld" (its test split), "probeworld:SPLIT", "SET:ROOT" with a set of `hf-vdrep data list` and the
            folder where it lies, or a folder of pictures and videos.
        size: clips of ProbeWorld or records of a published set, 256 by default; a folder is taken whole.
        num_frames: of a clip; pictures of a published set are clips of one frame.
        fps: frames a second that videos are read at: 8 by default, a published set has its own stride.
        resolution: side of the frames, pixels.
        split: of a published set; validation by default, or test where no other is published.
        cache_dir: gets `clips/`, where the samples of a published set are decoded to, once.

    Raises:
        ValueError: no such data set, or a folder without pictures and videos.
    """
    kind, _, rest = name.partition(":")
    if kind in list_streams() and rest:
        read: dict[str, Any] = {"resolution": resolution, "num_frames": num_frames} | ({"fps": fps} if fps else {})
        folder = Path(cache_dir) / "clips"
        clips = store_clips(kind, rest, split=split or default_split(kind), size=size or 256, folder=folder, **read)
        return cast(Source, clips)
    if split is not None:
        raise ValueError(f"split must go with data SET:ROOT of a published set, got {split!r} with {name!r}")
    split = rest
    if kind == "probeworld":
        split = split or "test"
        if split not in SPLITS:
            raise ValueError(f"data must be probeworld:SPLIT with a split of {', '.join(SPLITS)}, got {name!r}")
        config = ProbeWorldConfig(num_frames=num_frames, resolution=resolution)
        return ProbeWorldSource(split, size or 256, config)
    folder = Path(name)
    if not folder.is_dir():
        raise ValueError(
            f"data must be probeworld, probeworld:SPLIT, SET:ROOT or a folder of pictures and videos, got {name!r}"
        )
    source = MediaSource(folder, num_frames, fps or 8.0, resolution)
    if not source.sample_ids:
        raise ValueError(f"data must hold pictures or videos ({', '.join(MEDIA_SUFFIXES)}), got none in {folder}")
    return source
