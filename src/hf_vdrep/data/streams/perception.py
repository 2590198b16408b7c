# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Perception Test: point tracks at the video's rate, object tracks once a second."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import torch

from ..clip_sampling import clip_indices
from ..video_timeline import read_frames, read_timeline
from .options import ReadOptions
from .report import CorruptSample
from .source import IndexedSource, Raw, read_table


class PerceptionTest(IndexedSource):
    """One clip per video with annotations (more with `segments`).

    Settings: `kind` is "point_tracking" or "object_tracking". A track is visible, or an object present, in the frames
    that are annotated; an object that is masked (hidden under a cup) is not. Between annotations a position is that
    of the nearest annotated frame: finite, and never counted.
    """

    def prepare(self, **settings: Any) -> None:
        self.kind = str(settings["kind"])
        if self.kind == "object_tracking" and self.options.fps is not None:
            raise ValueError(f"fps must be None for {self.spec.name}: boxes are one a second, got {self.options.fps:g}")
        names = [f"{stem}_{self.theirs}.json" for stem in (self.kind, "all")] + ["sample.json"]
        path = self.find(*names, *(f"annotations/{name}" for name in names))
        with read_table(path):
            self.annotations = {
                name: entry
                for name, entry in json.loads(path.read_text(encoding="utf-8")).items()
                if entry["metadata"]["split"] == self.theirs and entry.get(self.kind)
            }
        self.videos = self.find("videos")

    def rows(self) -> Iterator[dict[str, Any]]:
        there = {path.stem for path in self.videos.iterdir()}
        for name in sorted(self.annotations):
            if name in there:
                yield {"id": name}
            else:
                self.missing.append(name)

    def read(self, record: Mapping[str, Any], options: ReadOptions, rng: np.random.Generator) -> Iterator[Raw]:
        tracks = self.annotations[record["id"]][self.kind]
        timeline = read_timeline(self.videos / f"{record['id']}.mp4")
        points = self.kind == "point_tracking"
        usable = np.arange(len(timeline)) if points else _annotated(tracks, len(timeline))
        rate = timeline.rate if points else None
        for indices in clip_indices(len(usable), options.sampling, rate=rate, rng=rng):
            frames = usable[indices]
            raw: Raw = {"video": torch.from_numpy(read_frames(timeline, frames))}
            raw.update(point_tracks(tracks, frames) if points else box_tracks(tracks, frames))
            yield raw


def point_tracks(tracks: Sequence[Mapping[str, Any]], frames: np.ndarray) -> Raw:
    """`tracks` (N, T, 2) x, y and `visible` (N, T) at some frames of the video.

    The files hold each track's rows y and x, in [0, 1].

    Raises:
        CorruptSample: points and frame numbers disagree.
    """
    found, seen = [], []
    for track in tracks:
        points = np.asarray(track["points"], dtype=np.float32)
        points = points.T if points.ndim == 2 and points.shape[0] == 2 else points
        values, known = _at(frames, track["frame_ids"], points, 2, track["id"])
        found.append(values[:, ::-1])
        seen.append(known)
    return {"tracks": torch.from_numpy(np.stack(found)), "visible": torch.from_numpy(np.stack(seen))}


def box_tracks(tracks: Sequence[Mapping[str, Any]], frames: np.ndarray) -> Raw:
    """`boxes` (K, T, 4) and `present` (K, T) at some frames of the video.

    Raises:
        CorruptSample: boxes and frame numbers disagree.
    """
    found, seen = [], []
    for track in tracks:
        boxes = np.asarray(track["bounding_boxes"], dtype=np.float32)
        values, known = _at(frames, track["frame_ids"], boxes, 4, track["id"])
        masked = dict(zip(track["frame_ids"], track.get("is_masked") or [], strict=False))
        found.append(values)
        seen.append(known & ~np.array([bool(masked.get(int(frame))) for frame in frames]))
    return {"boxes": torch.from_numpy(np.stack(found)), "present": torch.from_numpy(np.stack(seen))}


def _at(
    frames: np.ndarray, known: Sequence[int], values: np.ndarray, width: int, identifier: Any
) -> tuple[np.ndarray, np.ndarray]:
    places = np.asarray(known, dtype=np.int64)
    if values.shape != (len(places), width) or not len(places):
        raise CorruptSample(f"track {identifier} has {len(places)} frames and coordinates of shape {values.shape}")
    order = np.argsort(places)
    places, values = places[order], values[order]
    after = np.searchsorted(places, frames).clip(0, len(places) - 1)
    before = (after - 1).clip(0)
    nearer = np.where(np.abs(places[before] - frames) < np.abs(places[after] - frames), before, after)
    return np.ascontiguousarray(values[nearer]), places[nearer] == frames


def _annotated(tracks: Sequence[Mapping[str, Any]], count: int) -> np.ndarray:
    frames = sorted({int(frame) for track in tracks for frame in track["frame_ids"]})
    usable = np.array([frame for frame in frames if 0 <= frame < count], dtype=np.int64)
    if not len(usable):
        raise CorruptSample(f"no annotated frame lies within the video's {count}")
    return usable
