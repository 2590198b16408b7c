# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Sets of images or clips that are compared: ProbeWorld, and folders of photos and videos."""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Sequence
from functools import cached_property, lru_cache
from pathlib import Path

import numpy as np
import torch

from ...data import ProbeWorld, ProbeWorldConfig
from ...data.media import load_clip
from ...data.media_kind import MediaError, sniff
from ..compare.splits import world_key

KINDS = ("image", "video")


class ClipSet(ABC):
    """A finite set of clips of one shape.

    Attributes:
        name: for tables.
        kind: "image" or "video".
        size: clips.
    """

    name: str
    kind: str
    size: int

    @property
    @abstractmethod
    def key(self) -> str:
        """Changes with anything that the clips depend on, `size` left out: a longer set begins as a shorter one."""

    @abstractmethod
    def clips(self, indices: Sequence[int]) -> torch.Tensor:
        """uint8 (B, T, H, W, 3); images have T = 1."""

    @property
    def shape(self) -> tuple[int, int, int]:
        """(T, H, W) of a clip."""
        frames, height, width = self.clips([0]).shape[1:4]
        return frames, height, width


class WorldSet(ClipSet):
    """Clips of ProbeWorld, or of each clip one frame, chosen at random by the clip's index.

    Args:
        kind: "image" or "video".
        size: clips.
        split: "train", "validation" or "test".
        resolution: side of a frame in pixels.
        first: index of the first clip in the split.
    """

    def __init__(
        self, kind: str, size: int, *, split: str = "test", resolution: int = 64, first: int = 0, num_frames: int = 17
    ) -> None:
        check_kind(kind)
        self.kind, self.size, self.split, self.first = kind, size, split, first
        frames = num_frames if kind == "video" else ProbeWorldConfig().num_frames
        self.config = ProbeWorldConfig(resolution=resolution, num_frames=frames)
        self.name = f"ProbeWorld {split}"

    @property
    def key(self) -> str:
        return f"world-{world_key(self.config)}-{self.kind}-{self.split}-{self.first}"

    def clips(self, indices: Sequence[int]) -> torch.Tensor:
        rows = [self.first + int(index) for index in indices]
        videos = _world(self.split, self.first + self.size, self.config).render_batch(rows)
        if self.kind == "video":
            return videos
        chosen = [int(np.random.default_rng(row).integers(videos.shape[1])) for row in rows]
        return videos[torch.arange(len(rows)), chosen][:, None]


class FolderSet(ClipSet):
    """The photos and videos of a folder, in the order of their names.

    Args:
        folder: its files of other kinds are passed over; folders in it too.
        kind: "image" takes the first picture of every file, "video" a clip of every video.
        num_frames, fps, resolution: of a clip, as of `load_clip`.
        size: at most so many; None for all.

    Raises:
        ValueError: nothing there to read.
    """

    def __init__(
        self,
        folder: str | Path,
        kind: str,
        *,
        num_frames: int = 17,
        fps: float | None = 8.0,
        resolution: int | tuple[int, int] = 64,
        size: int | None = None,
    ) -> None:
        check_kind(kind)
        self.kind, self.folder = kind, Path(folder)
        self.num_frames, self.fps, self.resolution = 1 if kind == "image" else num_frames, fps, resolution
        if not self.folder.is_dir():
            raise ValueError(f"folder must be a folder of photos or videos, got {folder}")
        self.files = [file for file in sorted(self.folder.iterdir()) if _is_media(file)][:size]
        if not self.files:
            raise ValueError(f"folder must hold photos or videos, got {folder} without any")
        self.size, self.name = len(self.files), self.folder.name

    @cached_property
    def key(self) -> str:
        digest = hashlib.sha256(f"{self.kind} {self.num_frames} {self.fps} {self.resolution}".encode())
        for file in self.files:
            with file.open("rb") as stream:
                digest.update(hashlib.file_digest(stream, "sha256").digest())
        return f"folder-{digest.hexdigest()[:20]}"

    def clips(self, indices: Sequence[int]) -> torch.Tensor:
        found = []
        for index in indices:
            file = self.files[index]
            clip = load_clip(file, self.num_frames, self.fps, resolution=self.resolution, short="repeat")
            if self.kind == "video" and clip.repeated >= self.num_frames - 1:
                raise ValueError(f"{file} must be a video, got a single picture")
            found.append(clip.frames)
        return torch.stack(found)


def check_kind(kind: str) -> None:
    """Raise ValueError unless `kind` is "image" or "video"."""
    if kind not in KINDS:
        raise ValueError(f'kind must be "image" or "video", got {kind!r}')


@lru_cache(maxsize=8)
def _world(split: str, size: int, config: ProbeWorldConfig) -> ProbeWorld:
    return ProbeWorld(split, size, config)


def _is_media(file: Path) -> bool:
    try:
        sniff(file)
    except MediaError:
        return False
    return True
