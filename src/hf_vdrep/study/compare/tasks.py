# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""The tasks as the study shows them: titles, units and label names."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ...probes.task import Task


@dataclass(frozen=True)
class StudyTask:
    """A task of the table.

    Attributes:
        name: in the registry of readouts.
        title: for readers.
        metric: short name of the primary metric, for readers.
        percent: the metric is a share and is shown in per cent.
        secondary: other values of the metric module that the results keep.
    """

    name: str
    title: str
    metric: str
    percent: bool
    secondary: tuple[str, ...]

    @property
    def probe(self) -> Task:
        """Readout, loss, predictions and metric."""
        from ...probes import get_task

        return get_task(self.name)

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the classes, in label order; empty where the task is no classification."""
        from ...data.probeworld import MOTION_NAMES, OBJECT_NAMES

        return {"object": OBJECT_NAMES, "action_motion": MOTION_NAMES}.get(self.name, ())

    @property
    def options(self) -> dict[str, Any]:
        """Arguments of the readout that the data set decides."""
        return {"num_classes": len(self.classes)} if self.classes else {}


STUDY_TASKS: dict[str, StudyTask] = {
    task.name: task
    for task in (
        StudyTask("object", "objects", "top-1", True, ("top_5",)),
        StudyTask("action_motion", "motion actions", "top-1", True, ("top_5",)),
        StudyTask("depth", "depth", "AbsRel", False, ("rmse", "delta_1")),
        StudyTask("point_tracks", "point tracks", "AJ", True, ("delta_avg", "occlusion_accuracy")),
    )
}
