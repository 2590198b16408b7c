# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Features and labels of a published data set, as readouts take them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..data.multi_view import clip_of, mean_softmax
from ..data.sample import CLASS_LABELS
from ..data.streams.registry import get_spec
from ..data.streams.stored import StoredClips, default_split, store_clips
from .probe_features import cache_folder, extract


def stored(config: Any, task: Any, split: str, size: int) -> StoredClips:
    """Decoded samples of a part, made at the first call.

    Args:
        config: a `ProbeTrainConfig` with `data` from `hf-vdrep data list`.
        task: from the registry of probes.
        split: "train" or "validation", the part that samples play in the training.
        size: records.

    Raises:
        ValueError: no such set, or one without the task's labels; the message lists the tasks that it serves.
    """
    spec = get_spec(config.data)
    if spec.tasks and task.name not in spec.tasks:
        raise ValueError(
            f"task must be one that {spec.name} has labels for ({', '.join(spec.tasks)}), got {task.name!r}"
        )
    options = {"resolution": config.resolution, **config.data_options}
    if split == "train":
        theirs = config.train_split
    else:
        theirs = config.eval_split or default_split(spec.name)
        options |= config.eval_data_options
    folder = cache_folder(config) / "clips"
    clips = store_clips(
        spec.name, config.data_root, split=theirs, size=size, folder=folder, seed=config.seed, **options
    )
    missing = [name for name in task.labels if name not in clips.arrays]
    if missing:
        raise ValueError(f"data must have the labels of task {task.name!r}, got {spec.name} without {missing}")
    return clips


def open_stream_split(config: Any, task: Any, split: str, size: int) -> Any:
    """`ProbeData` of a part: samples decoded once, features extracted once, both below the cache folder."""
    from ..probes.probe_data import ProbeData

    clips = stored(config, task, split, size)
    middle = clips.num_frames // 2 if task.reads == "image" else None
    if task.reads == "clip" and clips.num_frames == 1:
        raise ValueError(f"task must read pictures for data={config.data}, which has no clips, got {task.name!r}")

    def read(rows: Sequence[int]) -> Any:
        videos = clips.videos(rows)
        return videos if middle is None else videos[:, middle : middle + 1]

    array = extract(config, read, clips.sample_ids, f"{clips.fingerprint}-{task.reads}")
    labels = {name: clips.label(name) for name in task.labels}
    frames = clips.num_frames if middle is None else 1
    return ProbeData(lambda rows: array[rows], labels, array.frame_spans, frames, split)


def class_names(config: Any, task: Any) -> tuple[str, ...]:
    """Names of the classes, in label order; none where the task is no classification or the set names none."""
    if task.labels[0] not in CLASS_LABELS:
        return ()
    return tuple(stored(config, task, "train", config.train_clips).classes.get(task.labels[0], ()))


def class_options(config: Any, task: Any) -> dict[str, Any]:
    """The number of classes that the set publishes, which a few samples need not show."""
    if task.labels[0] not in CLASS_LABELS:
        return {}
    count = len(class_names(config, task)) or get_spec(config.data).num_classes
    return {"num_classes": count} if count else {}


def per_video(columns: dict[str, np.ndarray], ids: Sequence[str]) -> dict[str, np.ndarray]:
    """Columns of a classification with one row for each video: the mean over all looks at it."""
    videos, answers = mean_softmax(np.log(np.maximum(columns["predictions"], 1e-30)), ids)
    truth = {clip_of(name): label for name, label in zip(ids, columns["references"], strict=True)}
    return {"predictions": answers, "references": np.array([truth[video] for video in videos])}


def looks(config: Any, task: Any) -> tuple[str, ...]:
    """Names of the evaluated samples where several are looks at one video that is to be classified; else none."""
    if task.labels[0] not in CLASS_LABELS:
        return ()
    ids = stored(config, task, "validation", config.eval_clips).sample_ids
    return ids if any(clip_of(name) != name for name in ids) else ()
