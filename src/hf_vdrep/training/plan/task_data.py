# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Sizes of the ten tasks' data sets, about as their owners publish them, or as they are cut into clips."""

from dataclasses import dataclass


@dataclass(frozen=True)
class TaskData:
    """A data set as the study reads it.

    Attributes:
        task: that it serves.
        name: as in `hf-vdrep data list`.
        train, test: samples to fit and to score on.
        frames: of a sample, as it is read; 1 is an image.
        stored: bytes of a sample on disk, about (assumed).
        how: where the counts come from.
    """

    task: str
    name: str
    train: int
    test: int
    frames: int
    stored: int
    how: str

    @property
    def samples(self) -> int:
        """All of them."""
        return self.train + self.test


_CLIP = 17
_SCANS = "published scans; 2.5 M views in clips of 17, every 5th frame"
_POINTS = "published: videos with point tracks, of 2,184 and 5,900"
_FRONT = "published segments of 20 s; 16-frame windows at 5 fps from the front camera, 3 frames apart (28 a segment)"

TASK_DATA: dict[str, TaskData] = {
    data.name: data
    for data in (
        TaskData("object", "imagenet-1k", 1_281_167, 50_000, 1, 110_000, "published"),
        TaskData("scene", "places365", 1_803_460, 36_500, 1, 14_000, "published; the 256 x 256 archives"),
        TaskData("fine", "inaturalist-2018", 437_513, 24_426, 1, 260_000, "published"),
        TaskData("action_coarse", "kinetics-400", 241_000, 19_900, _CLIP, 1_700_000, "published, about"),
        TaskData("action_many", "kinetics-700", 536_000, 33_900, _CLIP, 1_700_000, "published, about"),
        TaskData("action_motion", "something-something-v2", 168_913, 24_777, _CLIP, 90_000, "published"),
        TaskData("depth", "scannet", 23_500, 6_100, _CLIP, 17 * 120_000, _SCANS),
        TaskData("camera_pose", "realestate10k", 71_500, 7_700, _CLIP, 2_500_000, "published, about"),
        TaskData("point_tracks", "perception-test", 28, 73, _CLIP, 12_000_000, _POINTS),
        TaskData("box_tracks", "waymo", 798 * 28, 202 * 28, _CLIP, 1_200_000, _FRONT),
    )
}


def find_data(name: str) -> TaskData:
    """A data set by its name or its task's.

    Raises:
        ValueError: none of them.
    """
    for data in TASK_DATA.values():
        if name in (data.name, data.task):
            return data
    raise ValueError(f"data must be all, probeworld, or one of {', '.join(TASK_DATA)}, got {name!r}")
