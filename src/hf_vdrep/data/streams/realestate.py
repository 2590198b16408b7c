# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""RealEstate10k: camera files, with frames by time stamp or whole videos beside them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ..clip_sampling import clip_indices
from ..media_kind import MediaError
from ..video_timeline import Timeline, read_frames, read_photo, read_timeline
from .options import ReadOptions
from .report import CorruptSample
from .source import IndexedSource, Raw

_COLUMNS = 19
_LATE = 0.1  # seconds by which a video's frame may miss a camera's time stamp


class RealEstate10k(IndexedSource):
    """One clip per camera file (more with `segments`).

    A file holds the video's address and then, for each frame, its time in microseconds, the intrinsics in units of
    width and height, two zeros, and the world-to-camera matrix by rows; the sample's pose is its inverse. The
    translations are in the units of each reconstruction, not in metres.
    """

    def prepare(self, **settings: Any) -> None:
        self.cameras = self.find(f"RealEstate10K/{self.theirs}", self.theirs)
        self.frames = next(
            (self.root / name for name in (f"frames/{self.theirs}", "frames") if (self.root / name).is_dir()), None
        )
        self.videos = self.find("videos") if self.frames is None else self.root / "videos"

    def rows(self) -> Iterator[dict[str, Any]]:
        there = {path.stem: path.name for path in self.videos.iterdir()} if self.videos.is_dir() else {}
        for path in sorted(self.cameras.glob("*.txt")):
            if self.frames is not None and (self.frames / path.stem).is_dir():
                media = str((self.frames / path.stem).relative_to(self.root))
            else:
                name = there.get(_video_of(path))
                if name is None:
                    self.missing.append(path.stem)
                    continue
                media = f"videos/{name}"
            group = _video_of(path) or path.stem  # a video gives several camera files
            yield {"id": path.stem, "group": group, "cameras": str(path.relative_to(self.root)), "files": media}

    def read(self, record: Mapping[str, Any], options: ReadOptions, rng: np.random.Generator) -> Iterator[Raw]:
        table = read_cameras(self.root / record["cameras"])
        rate = 1e6 * (len(table) - 1) / max(1.0, table[-1, 0] - table[0, 0]) if len(table) > 1 else None
        for indices in clip_indices(len(table), options.sampling, rate=rate, rng=rng):
            rows = table[indices]
            video = _pictures(self.root / record["files"], rows[:, 0])
            yield {
                "video": torch.from_numpy(video),
                "pose": camera_to_world(rows[:, 7:]),
                "intrinsics": _intrinsics(rows[0, 1:5], video.shape[1:3]),
            }


def read_cameras(path: Path) -> np.ndarray:
    """float64 (frames, 19): microseconds, fx, fy, cx, cy, two zeros, world-to-camera (3, 4) by rows.

    Raises:
        CorruptSample: no frames, or a line of another length.
    """
    try:
        lines = [line.split() for line in path.read_text(encoding="utf-8").splitlines()[1:] if line.strip()]
        table = np.array([[float(word) for word in line] for line in lines], dtype=np.float64)
    except (OSError, ValueError) as error:
        raise CorruptSample(f"{path} must hold one line of {_COLUMNS} numbers per frame ({error})") from error
    if table.ndim != 2 or table.shape[1] != _COLUMNS or not np.isfinite(table).all():
        raise CorruptSample(f"{path} must hold {_COLUMNS} finite numbers per frame, got an array {table.shape}")
    return table


def camera_to_world(rows: np.ndarray) -> torch.Tensor:
    """float32 (T, 3, 4) from world-to-camera matrices (T, 12): [R | t] to [R' | -R' t]."""
    matrices = rows.reshape(-1, 3, 4)
    rotation = matrices[:, :, :3].transpose(0, 2, 1)
    centre = -rotation @ matrices[:, :, 3:]
    return torch.from_numpy(np.concatenate([rotation, centre], axis=2).astype(np.float32))


def _intrinsics(values: np.ndarray, size: tuple[int, int]) -> torch.Tensor:
    (fx, fy, cx, cy), (height, width) = values, size
    rows = [[fx * width, 0.0, cx * width], [0.0, fy * height, cy * height], [0.0, 0.0, 1.0]]
    return torch.tensor(rows, dtype=torch.float32)


def _video_of(path: Path) -> str:
    with path.open(encoding="utf-8", errors="replace") as file:
        return file.readline().strip().rpartition("v=")[2].partition("&")[0]


def _pictures(path: Path, stamps: np.ndarray) -> np.ndarray:
    if path.is_dir():
        names = [
            next((path / f"{int(stamp)}{end}" for end in (".jpg", ".png") if _there(path, stamp, end)), None)
            for stamp in stamps
        ]
        if None in names:
            raise CorruptSample(f"{path} lacks the frame at {int(stamps[names.index(None)])} microseconds")
        return np.stack([read_photo(name) for name in names if name is not None])
    timeline = _timeline(path)
    indices = timeline.nearest(stamps / 1e6)
    late = np.abs(timeline.times[indices] - stamps / 1e6).max()
    if late > _LATE:
        raise MediaError(path, f"has no frame within {_LATE} s of a camera's time stamp ({late:.2f} s off)")
    return read_frames(timeline, indices)


@lru_cache(maxsize=64)
def _timeline(path: Path) -> Timeline:
    """A video of minutes serves a dozen clips."""
    return read_timeline(path)


def _there(path: Path, stamp: float, end: str) -> bool:
    return (path / f"{int(stamp)}{end}").exists()
