# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""ProbeWorld splits, rendered once: videos and each label in a file of its own, mapped when read."""

from __future__ import annotations

import dataclasses
import hashlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import torch
from tqdm.auto import tqdm

from ...data import ProbeWorld, ProbeWorldConfig
from ...data.probeworld.selection import in_fine, membership_digest
from ...data.sample import CLASS_LABELS
from .pool import WorkPool

LABELS = (*CLASS_LABELS, "depth", "pose", "tracks", "visible", "boxes", "present")
_MEMBERS = "in_fine"  # the one task that leaves clips out; see `hf_vdrep.data.probeworld.selection`
_FILES = ("video", *LABELS, _MEMBERS)
# Half precision keeps depth to 0.05 %, far below any readout's error, at half the size.
_DTYPES = {"depth": np.float16, **dict.fromkeys(CLASS_LABELS, np.int64)}
_CHUNK = 32
# The rule of membership that is not written into keys, so that what was rendered and measured under it stays found.
_KNOWN_MEMBERS = "763fcc8effd4116cdfa1a962c01f44072d3fc3c00a9b422183bbd8af30c52585"


@dataclass(frozen=True)
class Split:
    """A split on disk.

    Attributes:
        name: "train", "validation" or "test".
        size: clips.
        world: what they are rendered from.
        folder: of the caches; the split lies in a folder of its own below.
    """

    name: str
    size: int
    world: ProbeWorldConfig
    folder: Path

    @property
    def data_key(self) -> str:
        """Changes with the world's settings and with what its code renders; equal for the splits of one world."""
        return world_key(self.world)

    @property
    def path(self) -> Path:
        return self.folder / f"probeworld-{self.data_key}-{self.name}-{self.size}"

    @property
    def is_rendered(self) -> bool:
        return all((self.path / f"{name}.npy").exists() for name in _FILES)

    def sample_ids(self, rows: Sequence[int]) -> list[str]:
        """Stable identifiers of clips."""
        return [f"probeworld-{self.name}-{row}" for row in rows]

    def videos(self) -> np.ndarray:
        """uint8 (N, T, H, W, 3)."""
        return read_array(self.path / "video.npy")

    def labels(self, names: Sequence[str]) -> dict[str, np.ndarray]:
        """The labels asked for, N rows each; no other file is opened."""
        return {name: read_array(self.path / f"{name}.npy") for name in names}

    def rows(self, task: str, count: int) -> np.ndarray:
        """Which of the first `count` clips belong to a task, in rising order.

        Raises:
            ValueError: none of them.
        """
        if task != "fine":
            return np.arange(count)
        found = np.flatnonzero(read_array(self.path / f"{_MEMBERS}.npy")[:count])
        if not len(found):
            raise ValueError(f"{self.name}_size must be larger for the task 'fine', which has none of {count} clips")
        return found

    def render(self, pool: WorkPool, bar: tqdm) -> None:
        """Render what is not there yet; all files appear together, at the end."""
        if self.is_rendered:
            bar.update(self.size)
            return
        self.path.mkdir(parents=True, exist_ok=True)
        with _Writer(self) as writer:
            jobs = [(self, start, min(start + _CHUNK, self.size)) for start in range(0, self.size, _CHUNK)]
            for index, rows in pool.map(_render_rows, jobs):
                writer.write(jobs[index][1], rows)
                bar.update(jobs[index][2] - jobs[index][1])


class _Writer:
    """Arrays under temporary names, renamed when all rows are there."""

    def __init__(self, split: Split) -> None:
        self.split = split
        self.arrays: dict[str, np.memmap] = {}

    def __enter__(self) -> _Writer:
        return self

    def write(self, start: int, rows: dict[str, np.ndarray]) -> None:
        for name, values in rows.items():
            if name not in self.arrays:
                shape = (self.split.size, *values.shape[1:])
                self.arrays[name] = np.lib.format.open_memmap(self._part(name), "w+", values.dtype, shape)
            self.arrays[name][start : start + len(values)] = values

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        for name, array in self.arrays.items():
            array.flush()
            if kind is None:
                os.replace(self._part(name), self.split.path / f"{name}.npy")
            else:
                self._part(name).unlink(missing_ok=True)

    def _part(self, name: str) -> Path:
        return self.split.path / f".{name}.{os.getpid()}.npy"


def read_array(path: Path) -> np.ndarray:
    """A file of a split, mapped into memory; writing to it changes no file. Every read of a split passes here."""
    return np.load(path, mmap_mode="c")


@cache
def world_key(config: ProbeWorldConfig) -> str:
    """Ten hex digits of the world's settings, its code and which clips each task holds.

    The first training clip stands for the renderer's code.
    """
    sample = ProbeWorld("train", 1, config)[0]
    digest = hashlib.sha256(repr(sorted(dataclasses.asdict(config).items())).encode())
    for name in ("video", *LABELS):
        digest.update(np.ascontiguousarray(sample[name]).tobytes())  # type: ignore[literal-required]
    members = membership_digest()
    if members != _KNOWN_MEMBERS:
        digest.update(members.encode())
    return digest.hexdigest()[:10]


@cache
def _world(name: str, size: int, config: ProbeWorldConfig) -> ProbeWorld:
    return ProbeWorld(name, size, config)


def _render_rows(job: tuple[Split, int, int]) -> dict[str, np.ndarray]:
    split, start, stop = job
    world, rows = _world(split.name, split.size, split.world), range(start, stop)
    members = [in_fine(world.scene(row), world.config.seed, bool(world.config.photographs)) for row in rows]
    return {**dict(_columns(world.batch(rows))), _MEMBERS: np.array(members)}


def _columns(samples: Sequence) -> Iterator[tuple[str, np.ndarray]]:
    for name in ("video", *LABELS):
        column = np.stack([np.asarray(torch.as_tensor(sample[name])) for sample in samples])
        yield name, column.astype(_DTYPES.get(name, column.dtype), copy=False)
