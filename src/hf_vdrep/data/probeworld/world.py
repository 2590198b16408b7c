# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""ProbeWorld as a data set: clips by index, any order, any batch, any machine."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from .config import ProbeWorldConfig
from .layout import sample_layout, sample_materials, sample_palette, sample_room
from .motions import sample_paths
from .render import render
from .scene import Scene
from .textures import photograph_folder, texture_library
from .vocabulary import MOTION_NAMES, OBJECT_NAMES, SPLITS

_BLOCK = len(OBJECT_NAMES) * len(MOTION_NAMES)


class ProbeWorld:
    def __init__(self, split: str, size: int, config: ProbeWorldConfig | None = None) -> None:
        if split not in SPLITS:
            raise ValueError(f"split must be one of {SPLITS}, got {split!r}")
        if size < 1:
            raise ValueError(f"size must be positive, got {size}")
        config = config or ProbeWorldConfig()
        if config.photographs is None:
            config = dataclasses.replace(config, photographs=photograph_folder() is not None)
        self.split, self.size, self.config = split, size, config
        self.library = texture_library(config.seed, split, bool(config.photographs))
        self._texels = tuple(torch.from_numpy(plane) for plane in self.library.texels)

    def __len__(self) -> int:
        return self.size

    def _classes(self, index: int) -> tuple[int, int]:
        """Category and motion of a clip: every block of 192 clips holds each pair once, shuffled."""
        block, place = divmod(index, _BLOCK)
        order = np.random.default_rng([self.config.seed, SPLITS.index(self.split), 0xC1A55, block]).permutation(_BLOCK)
        return divmod(int(order[place]), len(MOTION_NAMES))

    def scene(self, index: int) -> Scene:
        """The scene graph of clip `index`."""
        if not 0 <= index < self.size:
            raise IndexError(f"index must lie in [0, {self.size - 1}], got {index}")
        main, motion = self._classes(index)
        rng = np.random.default_rng([self.config.seed, SPLITS.index(self.split), 0x5CE4E, index])
        layout = sample_layout(self.config, main, rng)
        palette = sample_palette(rng)
        room = sample_room(palette, self.library, rng)
        materials = sample_materials(layout.kind, palette, self.library, rng)
        lean = rng.uniform(0.25, 0.6) * (1 if rng.random() < 0.5 else -1)
        light = np.array([lean, 1.0, 0.5])
        paths = sample_paths(motion, self.config, layout, rng)
        return Scene(
            split=self.split,
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
            materials=materials,
            room=room,
        )

    def render_batch(self, indices: Sequence[int]) -> Tensor:
        """Pixels alone, the fast path: uint8 (B, T, H, W, 3)."""
        return render([self.scene(int(index)) for index in indices], self.config, self._texels).video
