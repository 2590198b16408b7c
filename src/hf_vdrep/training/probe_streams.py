# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Features and labels of a published data set, as readouts take them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..data.multi_view import clip_of, mean_softmax
from ..data.sample import CLASS_LABELS
from ..data.streams.registry import get_spec
from ..data.streams.stored import StoredClips, default_split, store_clips
from .probe_features import ProbeParts, cache_folder, extract

if TYPE_CHECKING:
    import torch

    from ..probes.probe_data import ProbeData


def open_published(config: Any, task: Any) -> ProbeParts:
    """Both parts of a published set: samples decoded once, features extracted once, both below the cache folder.

    Args:
        config: a `ProbeTrainConfig` with `data` from `hf-vdrep data list`.
        task: from the registry of probes.

    Raises:
        ValueError: no such set, or one without the task's labels; the message lists the tasks that it serves.
    """
    spec = get_spec(config.data)
    if spec.tasks and task.name not in spec.tasks:
        raise ValueError(
            f"task must be one that {spec.name} has labels for ({', '.join(spec.tasks)}), got {task.name!r}"
        )
    train = _stored(config, task, config.train_split, config.train_clips)
    train_data = _probe_data(config, task, train, "train")
    judged = config.eval_split or default_split(spec.name)
    validation = _stored(config, task, judged, config.eval_clips, **config.eval_data_options)
    validation_data = _probe_data(config, task, validation, "validation")
    if task.labels[0] not in CLASS_LABELS:
        return ProbeParts(train_data, validation_data)
    # A few samples need not show all classes that are published.
    names = train.classes.get(task.labels[0], ())
    count = len(names) or spec.num_classes
    ids = validation.sample_ids
    looks = ids if any(clip_of(name) != name for name in ids) else ()
    return ProbeParts(train_data, validation_data, {"num_classes": count} if count else {}, names, looks)


def _stored(config: Any, task: Any, split: str, size: int, **more: Any) -> StoredClips:
    options = {"resolution": config.resolution, **config.data_options, **more}
    folder = cache_folder(config) / "clips"
    clips = store_clips(
        config.data, config.data_root, split=split, size=size, folder=folder, seed=config.seed, **options
    )
    missing = [name for name in task.labels if name not in clips.arrays]
    if missing:
        raise ValueError(f"data must have the labels of task {task.name!r}, got {config.data} without {missing}")
    return clips


def _probe_data(config: Any, task: Any, clips: StoredClips, part: str) -> ProbeData:
    """Features and labels of the part ("train" or "validation") that samples play in the training."""
    from ..probes.probe_data import ProbeData

    middle = clips.num_frames // 2 if task.reads == "image" else None
    if task.reads == "clip" and clips.num_frames == 1:
        raise ValueError(f"task must read pictures for data={config.data}, which has no clips, got {task.name!r}")

    def read(rows: Sequence[int]) -> torch.Tensor:
        videos = clips.videos(rows)
        return videos if middle is None else videos[:, middle : middle + 1]

    array = extract(config, read, clips.sample_ids, f"{clips.fingerprint}-{task.reads}")
    labels = {name: clips.label(name) for name in task.labels}
    frames = clips.num_frames if middle is None else 1
    return ProbeData(lambda rows: array[rows], labels, array.frame_spans, frames, part)


def per_video(columns: dict[str, np.ndarray], ids: Sequence[str]) -> dict[str, np.ndarray]:
    """Columns of a classification with one row for each video: the mean over all looks at it."""
    videos, answers = mean_softmax(np.log(np.maximum(columns["predictions"], 1e-30)), ids)
    truth = {clip_of(name): label for name, label in zip(ids, columns["references"], strict=True)}
    return {"predictions": answers, "references": np.array([truth[video] for video in videos])}
