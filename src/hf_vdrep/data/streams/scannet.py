# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""ScanNet: depth and camera from RGB-D scans, as `.sens` recordings or as the SensReader exports them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ..clip_sampling import clip_indices
from ..sample_window import valid_depth
from .options import ReadOptions
from .report import NothingToSee
from .scan_export import ExportedScan
from .sensor_file import SensorFile
from .source import IndexedSource, Raw, read_table
from .windows import check_whole, window_starts

NEAREST, FARTHEST = 0.001, 10.0
"""Metres between which depth counts (papers.md sections 8.2 and 10)."""

_LISTS = {"train": "scannetv2_train.txt", "val": "scannetv2_val.txt", "test": "scannetv2_test.txt"}


class ScanNet(IndexedSource):
    """Clips side by side along every scan of the split list.

    Colour is resized to the depth map's size, whose intrinsics and camera the sample has: the two sensors sit a few
    millimetres apart. ScanNet counts pixels from their centres; 0.5 is added to its principal points. Clips in which
    tracking was lost (a pose that is not finite) are left out.
    """

    def prepare(self, **settings: Any) -> None:
        check_whole(self.spec.name, self.options)
        listed = self.find(_LISTS[self.theirs], f"Tasks/Benchmark/{_LISTS[self.theirs]}")
        with read_table(listed):
            self.scenes = listed.read_text(encoding="utf-8").split()
        folders = ("scans_test", "scans") if self.theirs == "test" else ("scans", "scannet_frames_25k")
        self.folder = self.find(*folders)

    def rows(self) -> Iterator[dict[str, Any]]:
        for scene in self.scenes:
            if not (self.folder / scene).is_dir():
                self.missing.append(scene)
                continue
            for start in self._starts(self.folder / scene):
                # A room was scanned up to three times: scene0000_00, scene0000_01.
                yield {"id": f"{scene}/{start:06d}", "group": scene.split("_")[0], "scene_id": scene, "start": start}

    def read(self, record: Mapping[str, Any], options: ReadOptions, rng: np.random.Generator) -> Iterator[Raw]:
        scan = _scan(self.folder / record["scene_id"])
        start = int(record["start"])
        (indices,) = clip_indices(min(len(scan) - start, options.sampling.span()), options.sampling, rng=rng)
        frames = [int(index) + start for index in indices]
        pose = np.stack([scan.pose(frame) for frame in frames])
        if not np.isfinite(pose).all():
            raise NothingToSee("the camera was lost in this clip")
        depth = torch.from_numpy(np.stack([scan.depth(frame) for frame in frames]))
        size = (depth.shape[1], depth.shape[2])
        intrinsics = torch.from_numpy(scan.intrinsics.copy())
        intrinsics[:2, 2] += 0.5
        yield {
            "video": torch.from_numpy(np.stack([scan.colour(frame, size) for frame in frames])),
            "depth": valid_depth(depth, NEAREST, FARTHEST),
            "pose": torch.from_numpy(pose[:, :3]),
            "intrinsics": intrinsics,
        }

    def _starts(self, folder: Path) -> list[int]:
        try:
            return list(window_starts(len(_scan(folder)), self.options))
        except (ValueError, OSError):
            return [0]  # found again, counted and named when the stream comes to it


@lru_cache(maxsize=8)
def _scan(folder: Path) -> SensorFile | ExportedScan:
    recording = folder / f"{folder.name}.sens"
    return SensorFile(recording) if recording.exists() else ExportedScan(folder)
