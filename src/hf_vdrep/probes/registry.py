# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""The tasks by name."""

from .box_task import box_task
from .classify_task import classify_task
from .depth_task import depth_task
from .pose_task import pose_task
from .task import Task
from .track_task import track_task

TASKS: dict[str, Task] = {
    task.name: task
    for task in (
        *(classify_task(name, reads="image", label=name) for name in ("object", "scene", "fine")),
        *(classify_task(name, reads="clip", label=name) for name in ("action_coarse", "action_many", "action_motion")),
        depth_task(),
        pose_task(),
        track_task(),
        box_task(),
    )
}


def get_task(name: str) -> Task:
    """The task of a name.

    Raises:
        ValueError: no such task.
    """
    if name not in TASKS:
        raise ValueError(f"task must be one of {sorted(TASKS)}, got {name!r}")
    return TASKS[name]
