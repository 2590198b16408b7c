# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""The ten tasks as the study shows them: titles, units and label names."""

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
        cost: of one training step of its readout, relative to the cheapest; the costly start first.
        vocabulary: name in `hf_vdrep.data.probeworld` of the class names; None where the task is no classification.
    """

    name: str
    title: str
    metric: str
    percent: bool
    secondary: tuple[str, ...]
    cost: float = 1.0
    vocabulary: str | None = None

    @property
    def probe(self) -> Task:
        """Readout, loss, predictions and metric."""
        from ...probes import get_task

        return get_task(self.name)

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the classes, in label order; empty where the task is no classification."""
        from ...data import probeworld

        return getattr(probeworld, self.vocabulary) if self.vocabulary else ()

    @property
    def options(self) -> dict[str, Any]:
        """Arguments of the readout that the data set decides."""
        return {"num_classes": len(self.classes)} if self.classes else {}


STUDY_TASKS: dict[str, StudyTask] = {
    task.name: task
    for task in (
        StudyTask("object", "objects", "top-1", True, ("top_5",), 1, "OBJECT_NAMES"),
        StudyTask("scene", "scenes", "top-1", True, ("top_5",), 1, "SCENE_NAMES"),
        StudyTask("fine", "fine-grained", "top-1", True, ("top_5",), 1, "FINE_NAMES"),
        StudyTask("action_coarse", "coarse actions", "top-1", True, ("top_5",), 2, "ACTION_COARSE_NAMES"),
        StudyTask("action_many", "many actions", "top-1", True, ("top_5",), 2, "ACTION_MANY_NAMES"),
        StudyTask("action_motion", "motion actions", "top-1", True, ("top_5",), 2, "MOTION_NAMES"),
        StudyTask("depth", "depth", "AbsRel", False, ("rmse", "delta_1"), 10),
        StudyTask("camera_pose", "camera pose", "EPE m", False, ("rotation", "translation"), 2),
        StudyTask("point_tracks", "point tracks", "AJ", True, ("delta_avg", "occlusion_accuracy"), 14),
        StudyTask("box_tracks", "box tracks", "mIoU", True, ("iou_after_occlusion",), 12),
    )
}
