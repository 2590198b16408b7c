# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Features and labels of a ProbeWorld split, as readouts take them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch

CHUNK = 32


@dataclass(frozen=True)
class ProbeParts:
    """What one probe is trained and judged on.

    Attributes:
        train, validation: `ProbeData`.
        options: of the readout, as far as the data decide them.
        classes: names in label order, where the data name their own.
        looks: names of the validation samples where several are looks at one video that is to be classified; else none.
    """

    train: Any
    validation: Any
    options: Mapping[str, Any] = field(default_factory=dict)
    classes: Sequence[str] = ()
    looks: Sequence[str] = ()


def open_probeworld(config: Any, task: Any) -> ProbeParts:
    """Both splits of ProbeWorld.

    Raises:
        ValueError: a `data_root`, which ProbeWorld has not.
    """
    if config.data_root is not None:
        raise ValueError(f"data must name the set that lies in data_root={config.data_root}, got {config.data!r}")
    train = open_split(config, task, "train", config.train_clips)
    return ProbeParts(train, open_split(config, task, "validation", config.eval_clips))


def open_split(config: Any, task: Any, split: str, size: int) -> Any:
    """`ProbeData` of a split: features extracted once into the cache, labels from the scene graph.

    Args:
        config: a `ProbeTrainConfig`.
        task: from the registry of probes.
        split: "train", "validation" or "test".
        size: clips.
    """
    from ..data.probeworld import ProbeWorld, ProbeWorldConfig
    from ..probes.probe_data import ProbeData
    from .pool import source_key

    world = ProbeWorld(split, size, ProbeWorldConfig(resolution=config.resolution))
    middle = world.config.num_frames // 2 if task.reads == "image" else None
    array = extract(
        config,
        lambda rows: _clips(world, rows, middle),
        [f"{split}-{index}" for index in range(size)],
        f"{split}-{size}-{task.reads}-{source_key(world)}",
    )
    frames = 1 if task.reads == "image" else world.config.num_frames
    labels = _labels(world, task.labels, size)
    if task.name == "fine":
        # The one task that leaves clips out; see `hf_vdrep.data.probeworld.selection`.
        members = np.array(world.task_indices(task.name))
        labels = {name: values[members] for name, values in labels.items()}
        return ProbeData(lambda rows: array[members[rows]], labels, array.frame_spans, frames, split)
    return ProbeData(lambda rows: array[rows], labels, array.frame_spans, frames, split)


def extract(config: Any, read: Callable[[Sequence[int]], torch.Tensor], ids: Sequence[str], fingerprint: str) -> Any:
    """The `FeatureArray` of the configured backbone, layer and noise level, from the cache where it has it."""
    from ..features import extract_features

    backbone = _open(config)
    features = extract_features(
        backbone,
        read,
        ids,
        layers=[_layer(config.layer)],
        timesteps=[config.timestep if backbone.uses_timestep else None],
        cache_dir=cache_folder(config),
        data_fingerprint=fingerprint,
        seed=config.seed,
    )
    return features[features.cells[0]]


def cache_folder(config: Any) -> Path:
    """Where features and decoded clips live."""
    return Path(config.cache_dir) if config.cache_dir else Path(config.output_dir).parent / "cache"


def _open(config: Any) -> Any:
    from ..backbones.registry import open_backbone

    reading = {} if config.reading == "auto" else {"video_as": config.reading}
    return open_backbone(config.backbone, **reading)


def _layer(layer: float) -> int | float:
    # YAML and flags give floats; 1.0 is the full depth, any other whole number a block.
    return int(layer) if layer == int(layer) and layer != 1.0 else layer


def _clips(world: Any, rows: Sequence[int], middle: int | None) -> torch.Tensor:
    clips = world.render_batch(list(rows))
    return clips if middle is None else clips[:, middle : middle + 1]


def _labels(world: Any, names: Sequence[str], size: int) -> dict[str, torch.Tensor]:
    from ..data.sample import stack_samples

    parts: dict[str, list[torch.Tensor]] = {name: [] for name in names}
    for start in range(0, size, CHUNK):
        batch = stack_samples(world.batch(range(start, min(start + CHUNK, size))))
        for name in names:
            parts[name].append(batch[name])
    return {name: torch.cat(values) for name, values in parts.items()}
