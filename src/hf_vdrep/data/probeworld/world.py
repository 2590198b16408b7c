# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""ProbeWorld as a data set: clips by index, any order, any batch, any machine."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from ..sample import Sample
from .config import ProbeWorldConfig
from .labels import make_samples
from .layout import sample_layout
from .motions import sample_paths
from .palettes import PALETTES
from .render import Frames, render, surfaces_of
from .scene import Scene
from .surfaces import sample_materials, sample_palette, sample_room
from .textures import photograph_folder, texture_library
from .vocabulary import MOTION_NAMES, OBJECT_NAMES, SPLITS

if TYPE_CHECKING:
    import datasets

_BLOCK = len(OBJECT_NAMES) * len(MOTION_NAMES)


class ProbeWorld(torch.utils.data.Dataset):
    """Clips of a procedural 3-D world with exact labels; a clip is a pure function of (config, split, index).

    Any slice of 192 aligned indices holds every pair of category and motion once. A map-style PyTorch data set; use
    `batch` or `render_batch` where speed matters.

    Args:
        split: "train", "validation" or "test"; splits share neither seeds nor photograph pixels.
        size: number of clips.
        config: the world; its `photographs` is resolved to what this installation has.
        device: where pixels are drawn. Labels, depth and instances always come from the CPU, so that they are the
            same for every device; pixels differ by rounding, at most 1/255 in all but one of a thousand.

    Raises:
        ValueError: unknown split, or size below 1.
    """

    def __init__(
        self,
        split: str,
        size: int,
        config: ProbeWorldConfig | None = None,
        *,
        device: str | torch.device = "cpu",
    ) -> None:
        if split not in SPLITS:
            raise ValueError(f"split must be one of {SPLITS}, got {split!r}")
        if size < 1:
            raise ValueError(f"size must be positive, got {size}")
        config = config or ProbeWorldConfig()
        if config.photographs is None:
            config = dataclasses.replace(config, photographs=photograph_folder() is not None)
        self.split, self.size, self.config, self.device = split, size, config, torch.device(device)
        self.__setstate__(self.__getstate__())

    def __getstate__(self) -> dict[str, Any]:
        # Textures are megabytes, and every process can draw them itself.
        return {"split": self.split, "size": self.size, "config": self.config, "device": self.device}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self.library = texture_library(self.config.seed, self.split, bool(self.config.photographs))
        self._texels = tuple(torch.from_numpy(plane).to(self.device) for plane in self.library.texels)

    def __len__(self) -> int:
        return self.size

    def __iter__(self) -> Iterator[Sample]:
        return self.samples(range(self.size))

    def _classes(self, index: int) -> tuple[int, int]:
        """Category of the main object and motion: every block of 192 clips holds each pair once, shuffled."""
        block, place = divmod(index, _BLOCK)
        order = np.random.default_rng([self.config.seed, SPLITS.index(self.split), 0xC1A55, block]).permutation(_BLOCK)
        return divmod(int(order[place]), len(MOTION_NAMES))

    def scene(self, index: int) -> Scene:
        """The scene graph of clip `index`.

        Raises:
            IndexError: the index lies outside [0, size - 1].
        """
        if not 0 <= index < self.size:
            raise IndexError(f"index must lie in [0, {self.size - 1}], got {index}")
        main, motion = self._classes(index)
        rng = np.random.default_rng([self.config.seed, SPLITS.index(self.split), 0x5CE4E, index])
        return sample_scene(self, index, main, motion, rng)

    def render_scenes(self, scenes: Sequence[Scene]) -> Frames:
        """Draw scene graphs, those of this world or changed ones, on the world's device."""
        return render(scenes, self.config, self._texels)

    def render_batch(self, indices: Sequence[int]) -> Tensor:
        """Pixels alone, the fast path: uint8 (B, T, H, W, 3) on the world's device."""
        return self.render_scenes([self.scene(int(index)) for index in indices]).video

    def video_batches(
        self, indices: Sequence[int], batch_size: int, num_workers: int = 0
    ) -> Iterator[tuple[list[int], Tensor]]:
        """`render_batch` over many clips, scene graphs drawn ahead by `num_workers` processes; see `feed`."""
        from .feed import video_batches

        return video_batches(self, indices, batch_size, num_workers)

    def batch(self, indices: Sequence[int]) -> list[Sample]:
        """Samples with all labels, rendered together; `hf_vdrep.data.sample.stack_samples` makes one batch of them."""
        scenes = [self.scene(int(index)) for index in indices]
        frames = self.render_scenes(scenes)
        if self.device.type != "cpu":
            frames = Frames(frames.video.cpu(), *surfaces_of(scenes, self.config))
        return make_samples(scenes, frames, self.config)

    def __getitem__(self, index: int) -> Sample:
        return self.batch([index])[0]

    def samples(self, indices: Sequence[int], group: int = 16) -> Iterator[Sample]:
        """Samples one by one, rendered `group` at a time."""
        for start in range(0, len(indices), group):
            yield from self.batch(indices[start : start + group])

    def task_indices(self, task: str, size: int | None = None) -> list[int]:
        """The clips of this world that belong to a task: all of them, but for "fine", see `selection`.

        Args:
            task: one of the ten.
            size: how many; None means all in the world.

        Raises:
            ValueError: unknown task, or the world holds fewer than `size`.
        """
        from .selection import task_indices

        return task_indices(self, task, size)

    def to_iterable_dataset(self, num_shards: int | None = None) -> datasets.IterableDataset:
        """A sharded, resumable `datasets.IterableDataset` of the same samples, arrays as NumPy; see `stream`."""
        from .stream import to_iterable_dataset

        return to_iterable_dataset(self, num_shards)


def sample_scene(world: ProbeWorld, index: int, main: int, motion: int, rng: np.random.Generator) -> Scene:
    """Draw everything about a clip but its two classes; twins of a motion pair draw the same numbers.

    Raises:
        ValueError: `main` or `motion` is no class.
    """
    for name, value, names in (("main", main, OBJECT_NAMES), ("motion", motion, MOTION_NAMES)):
        if not 0 <= value < len(names):
            raise ValueError(f"{name} must lie in [0, {len(names) - 1}], got {value}")
    config = world.config
    layout = sample_layout(config, main, rng)
    chosen = sample_palette(rng)
    palette = PALETTES[chosen]
    room = sample_room(palette, world.library, rng)
    materials = sample_materials(layout.kind, palette, world.library, rng)
    lean = rng.uniform(0.25, 0.6) * (1 if rng.random() < 0.5 else -1)
    light = np.array([lean, 1.0, 0.5])
    paths = sample_paths(motion, config, layout, rng)
    return Scene(
        split=world.split,
        index=index,
        motion=motion,
        kind=layout.kind,
        active=layout.active,
        scale=layout.scale,
        rotation=paths.rotation,
        position=paths.position,
        camera_rotation=paths.camera_rotation,
        camera_position=paths.camera_position,
        light=light / np.linalg.norm(light),
        palette=chosen,
        materials=materials,
        room=room,
    )
