# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""From rendered frames and scene graphs to samples."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from ..sample import Sample
from .classes import action_coarse_class, action_many_class, fine_class, scene_class
from .config import ProbeWorldConfig
from .outlines import boxes
from .packing import pack
from .projection import intrinsics
from .render import Frames
from .scene import SLOTS, Scene
from .tracks import point_tracks
from .vocabulary import SPLITS

PANEL_SLOT = 1
_MIN_PIXELS = 4
_TRACKS_STREAM = 0x72AC5


def most_visible(scene: Scene, counts: np.ndarray) -> int:
    """Category of the solid with most pixels; the panel is furniture and does not compete.

    Args:
        counts: (K,) visible pixels per slot in the middle frame.
    """
    counts = counts.copy()
    counts[PANEL_SLOT] = -1
    return int(scene.kind[int(np.argmax(counts))])


def make_samples(scenes: Sequence[Scene], frames: Frames, config: ProbeWorldConfig) -> list[Sample]:
    """Samples of rendered scenes, in order."""
    length = config.num_frames
    rngs = [np.random.default_rng([config.seed, SPLITS.index(s.split), _TRACKS_STREAM, s.index]) for s in scenes]
    tracks = point_tracks(scenes, pack(scenes), frames.instance[:, 0].numpy(), config, rngs)
    samples: list[Sample] = []
    for index, scene in enumerate(scenes):
        instance = frames.instance[index]
        counts = np.stack([(instance == slot).sum((1, 2)).numpy() for slot in range(SLOTS)])
        samples.append(
            {
                "id": f"probeworld-{scene.split}-{scene.index}",
                "video": frames.video[index],
                "object": most_visible(scene, counts[:, length // 2]),
                "scene": scene_class(scene),
                "fine": fine_class(scene),
                "action_coarse": action_coarse_class(scene),
                "action_many": action_many_class(scene),
                "action_motion": int(scene.motion),
                "depth": frames.depth[index],
                "pose": torch.from_numpy(scene.pose.astype(np.float32)),
                "intrinsics": torch.from_numpy(intrinsics(config)),
                "tracks": torch.from_numpy(tracks.places[index]),
                "visible": torch.from_numpy(tracks.visible[index]),
                "boxes": torch.from_numpy(boxes(scene, config)),
                "present": torch.from_numpy(counts >= _MIN_PIXELS),
                "instance": instance,
            }
        )
    return samples
