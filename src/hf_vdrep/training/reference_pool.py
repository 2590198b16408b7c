# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Rendered ProbeWorld clips with the labels of all ten tasks, in chunks on disk, read by row."""

from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from tqdm.auto import tqdm

from ..data.media_write import atomic_output
from ..data.probeworld import ProbeWorld
from ..data.sample import CLASS_LABELS
from .pool import source_key

Batch = dict[str, torch.Tensor]

LABELS = ("video", *CLASS_LABELS, "fine_counts", "depth", "pose", "tracks", "visible", "boxes", "present")
IMAGE_LABELS = ("object", "scene", "fine")
CHUNK, GROUP = 96, 16


class ReferencePool:
    """Clips 0..size-1 of a world; rendered once, by chunks, so that a stopped rendering goes on where it was.

    Args:
        folder: of the chunks; their names carry a hash of everything that decides the pixels.
        world: ProbeWorld of one split.

    Raises:
        ValueError: a chunk lacks a label, having been written by an older version.
    """

    def __init__(self, folder: Path, world: ProbeWorld) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.size, self.num_frames = len(world), world.config.num_frames
        key = source_key(world)
        belongs = frozenset(world.task_indices("fine"))
        self.chunks: list[Any] = []
        for start in tqdm(range(0, self.size, CHUNK), desc=f"render {world.split}", disable=None):
            rows = range(start, min(start + CHUNK, self.size))
            path = folder / f"{world.split}-{key}-{rows.start:06d}-{rows.stop:06d}.safetensors"
            if not path.exists():
                with atomic_output(path) as temporary:
                    save_file(render(world, rows, belongs), temporary)
            chunk = safe_open(path, "pt")
            if missing := sorted(set(LABELS) - set(chunk.keys())):
                raise ValueError(f"{path} must hold the labels {list(LABELS)}, missing {missing}; remove it")
            self.chunks.append(chunk)

    def __len__(self) -> int:
        return self.size

    def read(self, rows: list[int]) -> Batch:
        """A batch of samples, in the order of `rows`."""
        found = [[self.chunks[row // CHUNK].get_slice(name)[row % CHUNK] for row in rows] for name in LABELS]
        return {name: torch.stack(values) for name, values in zip(LABELS, found, strict=True)}

    def read_images(self, rows: list[int], frames: list[int]) -> Batch:
        """One frame of each row, (B, H, W, 3) under "image", and its labels, without reading the clips."""
        found: dict[str, list[torch.Tensor]] = {name: [] for name in ("image", *IMAGE_LABELS)}
        for row, frame in zip(rows, frames, strict=True):
            chunk, place = self.chunks[row // CHUNK], row % CHUNK
            found["image"].append(chunk.get_slice("video")[place, frame])
            for name in IMAGE_LABELS:
                found[name].append(chunk.get_slice(name)[place])
        return {name: torch.stack(values) for name, values in found.items()}


def render(world: ProbeWorld, rows: range, belongs: frozenset[int]) -> Batch:
    """Samples of the world, stacked; depth in half precision (relative error below 5e-4).

    Args:
        world: the source.
        rows: indices.
        belongs: clips of the fine-grained task, which leaves some out (`fine_counts`).
    """
    samples = list(world.samples(rows, GROUP))
    stacked = {
        name: torch.stack([torch.as_tensor(sample[name]) for sample in samples])  # type: ignore[literal-required]
        for name in LABELS
        if name != "fine_counts"
    }
    counts = torch.tensor([row in belongs for row in rows])
    return {**stacked, "depth": stacked["depth"].half(), "fine_counts": counts}
