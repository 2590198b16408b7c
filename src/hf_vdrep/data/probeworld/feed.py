# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Pixels in batches, scene graphs drawn ahead by worker processes.

A scene graph takes a core about a millisecond; a GPU draws a clip in less. Workers keep it busy.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from .scene import Scene

if TYPE_CHECKING:
    from .world import ProbeWorld


class SceneGraphs(Dataset):
    """The scene graphs of a world as a map-style data set.

    Args:
        world: only its scene graphs are used; nothing is rendered.
    """

    def __init__(self, world: ProbeWorld) -> None:
        # A twin on the CPU: worker processes must not touch another device.
        self.world = type(world)(world.split, world.size, world.config)

    def __len__(self) -> int:
        return len(self.world)

    def __getitem__(self, index: int) -> Scene:
        return self.world.scene(index)


def video_batches(
    world: ProbeWorld, indices: Sequence[int], batch_size: int, num_workers: int = 0
) -> Iterator[tuple[list[int], Tensor]]:
    """Batches of pixels in the order of `indices`, the last one possibly smaller.

    Args:
        num_workers: processes that draw scene graphs; 0 draws them in this one.

    Yields:
        the indices of a batch, and uint8 (B, T, H, W, 3) on the world's device.

    Raises:
        ValueError: batch_size below 1 or num_workers below 0.
    """
    if batch_size < 1 or num_workers < 0:
        raise ValueError(f"batch_size and num_workers must be at least 1 and 0, got {batch_size} and {num_workers}")
    batches = [[int(i) for i in indices[start : start + batch_size]] for start in range(0, len(indices), batch_size)]
    loader = DataLoader(SceneGraphs(world), batch_sampler=batches, num_workers=num_workers, collate_fn=list)
    for batch, scenes in zip(batches, loader, strict=True):
        yield batch, world.render_scenes(scenes).video
