# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Surface points followed through a clip: moved rigidly with their body, visibility by re-casting the exact ray."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
import torch

from .config import ProbeWorldConfig
from .packing import Packed
from .passes import cast
from .projection import to_camera, to_screen
from .render import NO_SOLID
from .scene import Scene

# A point is seen if nothing lies more than this before it, in parts of its depth.
TOLERANCE = 2e-3


@dataclasses.dataclass(eq=False)
class Tracks:
    """Points of B clips.

    Attributes:
        places: float32 (B, N, T, 2), x, y normalised to [0, 1].
        visible: bool (B, N, T), inside the frame and not occluded.
        slot: uint8 (B, N), the body that carries the point, 255 for the room.
    """

    places: np.ndarray
    visible: np.ndarray
    slot: np.ndarray


def _choose_pixels(instance: np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray:
    """Flat pixel indices (count,) in a first frame (H, W): half on the main object, a fifth on others, the rest walls.

    What is not visible passes its share on.
    """
    flat = instance.reshape(-1)
    groups = [
        np.flatnonzero(flat == 0),
        np.flatnonzero((flat > 0) & (flat != NO_SOLID)),
        np.flatnonzero(flat == NO_SOLID),
    ]
    # A sliver is not worth half of the points.
    main = min(count // 2, 2 * len(groups[0]))
    others = min((count * 2 if main < count // 2 else count) // 5, 2 * len(groups[1]))
    shares = [main, others, count - main - others]
    if len(groups[2]) == 0:
        shares = [0, count, 0] if len(groups[0]) == 0 else [count, 0, 0]
    rolls = rng.random(count)
    picks = [
        group[(roll * len(group)).astype(np.int64)]
        for group, roll in zip(groups, np.split(rolls, np.cumsum(shares)[:2]), strict=True)
        if len(roll)
    ]
    return rng.permutation(np.concatenate(picks))


def _cast_screen(
    packed: Packed, frame: np.ndarray, screen: np.ndarray, config: ProbeWorldConfig
) -> tuple[np.ndarray, np.ndarray]:
    """Depth (R,) and slot (R,) of what is seen at normalised positions (R, 2) of the given frames (R,)."""
    direction = torch.from_numpy(((screen - 0.5) / config.focal).astype(np.float32))
    dx, dy = direction[:, 0].contiguous(), direction[:, 1].contiguous()
    room, solids = cast(packed, torch.from_numpy(frame.astype(np.int32)), dx, dy)
    slot = solids.slot.masked_fill(solids.depth >= room.depth, NO_SOLID)
    return torch.minimum(solids.depth, room.depth).numpy().astype(np.float64), slot.numpy()


def _follow(
    scene: Scene, screen: np.ndarray, depth: np.ndarray, slot: np.ndarray, config: ProbeWorldConfig
) -> np.ndarray:
    """World positions (T, N, 3) of the points first seen at `screen` (N, 2) with z-depth (N,) on `slot` (N,)."""
    ray = np.concatenate([(screen - 0.5) / config.focal, np.ones((len(screen), 1))], 1)
    start = scene.camera_position[0] + (ray * depth[:, None]) @ scene.camera_rotation[0].T
    world = np.broadcast_to(start, (len(scene.position), *start.shape)).copy()
    for index in range(scene.position.shape[1]):
        chosen = slot == index
        local = (start[chosen] - scene.position[0, index]) @ scene.rotation[0, index]
        world[:, chosen] = local @ scene.rotation[:, index].transpose(0, 2, 1) + scene.position[:, None, index]
    return world


@torch.no_grad()
def point_tracks(
    scenes: Sequence[Scene],
    packed: Packed,
    instance: np.ndarray,
    config: ProbeWorldConfig,
    rngs: Sequence[np.random.Generator],
) -> Tracks:
    """Tracks of `config.num_tracks` points per clip that are visible in the first frame.

    Args:
        scenes: B clips; packed: tables of the same clips.
        instance: uint8 (B, H, W), what their first frames show.
        rngs: every clip's own generator for tracks.
    """
    side, count, clips, frames = config.resolution, config.num_tracks, len(scenes), config.num_frames
    screen = np.empty((clips, count, 2))
    for place, shown, rng in zip(screen, instance, rngs, strict=True):
        pixels = _choose_pixels(shown, count, rng)
        place[:] = (np.stack([pixels % side, pixels // side], 1) + rng.uniform(0.05, 0.95, (count, 2))) / side
    first = np.repeat(np.arange(clips) * frames, count)
    depth, slot = (part.reshape(clips, count) for part in _cast_screen(packed, first, screen.reshape(-1, 2), config))
    world = [_follow(s, screen[i], depth[i], slot[i], config) for i, s in enumerate(scenes)]
    camera = np.stack([to_camera(s, points) for s, points in zip(scenes, world, strict=True)])
    places = to_screen(camera, config)
    frame = np.repeat(np.arange(clips * frames), count)
    seen = _cast_screen(packed, frame, places.reshape(-1, 2), config)[0].reshape(clips, frames, count)
    inside = ((places >= 0.0) & (places < 1.0)).all(-1) & (camera[..., 2] > 1e-3)
    visible = (camera[..., 2] <= seen * (1.0 + TOLERANCE)) & inside
    visible[:, 0] = True
    return Tracks(
        places.transpose(0, 2, 1, 3).astype(np.float32), np.ascontiguousarray(visible.transpose(0, 2, 1)), slot
    )
