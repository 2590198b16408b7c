# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""The one sample schema that every data set yields and every probe reads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypedDict

import torch
from torch import Tensor

# Labels of a `Sample` that are classes.
CLASS_LABELS = ("object", "scene", "fine", "action_coarse", "action_many", "action_motion")


class Sample(TypedDict, total=False):
    """One clip or image with whatever labels its source has; `id` and one of `video` and `image` are always there.

    Image coordinates are normalised to [0, 1]: the centre of column j of W pixels lies at (j + 0.5) / W.

    Attributes:
        id: stable name, unique within the data set.
        video: uint8 (T, H, W, 3), RGB.
        image: uint8 (H, W, 3), RGB, instead of `video`.
        object: class of the most visible object.
        scene: class of the place.
        fine: fine-grained class of the main object.
        action_coarse, action_many: class of what is done by whom where, from few and from many classes.
        action_motion: class of the motion; every class has its time-reverse in the set.
        depth: float32 (T, H, W), z-depth (along the optical axis) in metres, 0 = unknown.
        pose: float32 (T, 3, 4), camera-to-world; camera axes are x right, y down, z forward.
        intrinsics: float32 (3, 3), in pixels; the centre of the top left pixel is (0.5, 0.5).
        tracks: float32 (N, T, 2), x, y of surface points, normalised; outside [0, 1] when out of the frame.
        visible: bool (N, T), inside the frame and not occluded.
        boxes: float32 (K, T, 4), x1, y1, x2, y2 of whole objects, occluded parts included, clipped to the frame.
        present: bool (K, T), whether anything of the object can be seen.
        instance: uint8 (T, H, W), slot of the visible object, 255 for the background.
    """

    id: str
    video: Tensor
    image: Tensor
    object: int
    scene: int
    fine: int
    action_coarse: int
    action_many: int
    action_motion: int
    depth: Tensor
    pose: Tensor
    intrinsics: Tensor
    tracks: Tensor
    visible: Tensor
    boxes: Tensor
    present: Tensor
    instance: Tensor


def stack_samples(samples: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Samples as one batch: tensors stacked, integers as an int64 tensor, everything else as a list.

    Raises:
        ValueError: there are no samples, or they do not carry the same labels.
    """
    if not samples:
        raise ValueError("samples must hold at least one sample, got none")
    keys = set(samples[0])
    for sample in samples:
        if set(sample) != keys:
            raise ValueError(f"samples must carry the same labels, got {sorted(keys)} and {sorted(sample)}")
    return {key: _stack([sample[key] for sample in samples]) for key in samples[0]}


def _stack(values: list[Any]) -> Any:
    if isinstance(values[0], Tensor):
        return torch.stack(values)
    if isinstance(values[0], int):
        return torch.tensor(values, dtype=torch.int64)
    return values
