# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Which head answers to which task, and loading a head by what its folder says."""

import os
from typing import Any

from ..models.configuration_walt import WaltConfig
from .box_tracking import WaltForBoxTracking
from .camera_pose import WaltForCameraPose
from .classification import WaltForImageClassification, WaltForVideoClassification
from .depth_estimation import WaltForDepthEstimation
from .point_tracking import WaltForPointTracking
from .readout_model import WaltWithReadout

HEADS: dict[str, type[WaltWithReadout]] = {
    "object": WaltForImageClassification,
    "scene": WaltForImageClassification,
    "fine": WaltForImageClassification,
    "action_coarse": WaltForVideoClassification,
    "action_many": WaltForVideoClassification,
    "action_motion": WaltForVideoClassification,
    "depth": WaltForDepthEstimation,
    "camera_pose": WaltForCameraPose,
    "point_tracks": WaltForPointTracking,
    "box_tracks": WaltForBoxTracking,
}


# Which of several configs is read; the rest of what `from_pretrained` takes is about the weights.
_PLACES = ("revision", "token", "cache_dir", "local_files_only", "force_download", "subfolder")


def head_for(task: str) -> type[WaltWithReadout]:
    """The head of a task.

    Raises:
        ValueError: no such task.
    """
    if task not in HEADS:
        raise ValueError(f"task must be one of {', '.join(sorted(HEADS))}, got {task!r}")
    return HEADS[task]


def load_head(name_or_path: str | os.PathLike, **kwargs: Any) -> WaltWithReadout:
    """The head of a folder or Hub repository, of the class that its config names.

    No auto class of transformers fits poses and tracks: this stands in for it, for all heads.

    Args:
        name_or_path: where a head was saved.
        kwargs: as of `from_pretrained`, such as `revision`.

    Raises:
        ValueError: what lies there has no head.
    """
    places = {name: kwargs[name] for name in _PLACES if name in kwargs}
    config = WaltConfig.from_pretrained(name_or_path, **places)
    known = {head.__name__: head for head in HEADS.values()}
    names = config.architectures or []
    found = next((known[name] for name in names if name in known), None)
    if found is None:
        raise ValueError(f"architectures must name one of {', '.join(sorted(known))}, got {', '.join(names) or 'none'}")
    return found.from_pretrained(name_or_path, **kwargs)
