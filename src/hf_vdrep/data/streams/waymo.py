# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Waymo Open (v2, parquet): 2-D boxes of the front camera."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import torch
from PIL import Image

from ..clip_sampling import clip_indices
from ..crop_policy import center_window
from ..sample_window import clip_boxes
from .options import ReadOptions
from .presence import PresenceRules, objects_of
from .report import CorruptSample, NothingToSee
from .source import IndexedSource, Raw
from .windows import check_whole

FRONT = 1
_SIZE = (1280, 1920)
_TIME, _CAMERA, _OBJECT = "key.frame_timestamp_micros", "key.camera_name", "key.camera_object_id"
_IMAGE = "[CameraImageComponent].image"
_BOX = [f"[CameraBoxComponent].box.{part}" for part in ("center.x", "center.y", "size.x", "size.y")]
_WIDTH, _HEIGHT = "[CameraCalibrationComponent].width", "[CameraCalibrationComponent].height"


class Waymo(IndexedSource):
    """Clips of every segment in which some objects stay long enough (`presence.PresenceRules`).

    Which objects count is decided on the centre crop at the output's aspect, where boxes of less than 0.5 % of it are
    absent. `stride=2` halves the 10 frames a second.
    """

    def prepare(self, **settings: Any) -> None:
        check_whole(self.spec.name, self.options)
        self.images = self.find(f"{self.theirs}/camera_image", f"camera_image/{self.theirs}")
        self.boxes = self.find(f"{self.theirs}/camera_box", f"camera_box/{self.theirs}")
        self.calibration = self.images.with_name("camera_calibration")
        self.rules = PresenceRules(least_area=self.options.min_box_area, most_objects=self.options.max_boxes)

    def rows(self) -> Iterator[dict[str, Any]]:
        for path in sorted(self.images.glob("*.parquet")):
            if not (self.boxes / path.name).exists():
                self.missing.append(path.name)
                continue
            for start in self._starts(path):
                yield {"id": f"{path.stem}/{start:04d}", "group": path.stem, "segment": path.name, "start": start}

    def read(self, record: Mapping[str, Any], options: ReadOptions, rng: np.random.Generator) -> Iterator[Raw]:
        path = self.images / record["segment"]
        segment = _segment(path, self.boxes / path.name, self.calibration / path.name)
        (indices,) = clip_indices(options.sampling.span(), options.sampling, rng=rng)
        frames = indices + int(record["start"])
        video = _pictures(path, segment.times[frames])
        if video.shape[1:3] != segment.size:
            raise CorruptSample(f"pictures must be {segment.size} pixels, as calibrated, got {video.shape[1:3]}")
        chosen = objects_of(self._seen(segment)[:, frames], self.rules)
        if chosen is None:
            raise NothingToSee("no object stays in the crop")
        boxes = normalised(segment.boxes[chosen][:, frames], segment.size)
        yield {
            "video": torch.from_numpy(video),
            "boxes": torch.from_numpy(boxes),
            "present": torch.from_numpy(segment.annotated[chosen][:, frames]),
        }

    def _starts(self, path: Path) -> Iterator[int]:
        try:
            segment = read_segment(path, self.boxes / path.name, self.calibration / path.name)
        except CorruptSample:
            yield 0  # found again, counted and named when the stream comes to it
            return
        seen = self._seen(segment)
        span, step = self.options.sampling.span(), self.rules.apart * self.options.stride
        for start in range(0, len(segment.times) - span + 1, step):
            frames = np.arange(start, start + span, self.options.stride)
            if objects_of(seen[:, frames], self.rules) is not None:
                yield start

    def _seen(self, segment: Segment) -> np.ndarray:
        window = center_window(segment.size, self.options.size, self.options.share)
        boxes = window.boxes(torch.from_numpy(normalised(segment.boxes, segment.size)))
        return clip_boxes(boxes, torch.from_numpy(segment.annotated), self.rules.least_area)[1].numpy()


class Segment:
    """Boxes of one camera over a segment.

    Attributes:
        times: int64 (F,), microseconds, rising.
        boxes: float32 (K, F, 4), x1, y1, x2, y2 in pixels.
        annotated: bool (K, F).
        size: (height, width) of the pictures.
    """

    def __init__(self, times: np.ndarray, count: int, size: tuple[int, int]) -> None:
        self.times, self.size = times, size
        self.boxes = np.zeros((count, len(times), 4), dtype=np.float32)
        self.annotated = np.zeros((count, len(times)), dtype=bool)


def read_segment(images: Path, boxes: Path, calibration: Path, camera: int = FRONT) -> Segment:
    """Frames and boxes of one camera; the pictures stay on disk.

    Raises:
        CorruptSample: a file that is no parquet of the published columns.
    """
    chosen = [(_CAMERA, "=", camera)]
    try:
        stamps = pq.read_table(images, columns=[_TIME], filters=chosen).column(0).to_numpy()
        table = pq.read_table(boxes, columns=[_TIME, _OBJECT, *_BOX], filters=chosen)
        size = _size(calibration, camera)
    except (OSError, ValueError, LookupError) as error:
        raise CorruptSample(f"{images.name}: no camera_image, camera_box and calibration ({error})") from error
    times = np.unique(stamps)
    objects = {name: row for row, name in enumerate(dict.fromkeys(table.column(_OBJECT).to_pylist()))}
    segment = Segment(times, len(objects), size)
    columns = np.where(np.isin(table.column(_TIME).to_numpy(), times), 1, 0).astype(bool)
    places = np.searchsorted(times, table.column(_TIME).to_numpy()[columns])
    rows = np.array([objects[name] for name in table.column(_OBJECT).to_pylist()], dtype=np.int64)[columns]
    x, y, width, height = (table.column(name).to_numpy().astype(np.float32)[columns] for name in _BOX)
    segment.boxes[rows, places] = np.stack([x - width / 2, y - height / 2, x + width / 2, y + height / 2], axis=-1)
    segment.annotated[rows, places] = True
    return segment


def normalised(boxes: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Pixels to shares of (height, width)."""
    return (boxes / np.array([size[1], size[0], size[1], size[0]], dtype=np.float32)).astype(np.float32)


@lru_cache(maxsize=4)
def _segment(images: Path, boxes: Path, calibration: Path) -> Segment:
    return read_segment(images, boxes, calibration)


def _size(calibration: Path, camera: int) -> tuple[int, int]:
    if not calibration.exists():
        return _SIZE
    table = pq.read_table(calibration, columns=[_WIDTH, _HEIGHT], filters=[(_CAMERA, "=", camera)])
    return int(table.column(_HEIGHT)[0].as_py()), int(table.column(_WIDTH)[0].as_py())


def _pictures(path: Path, times: np.ndarray) -> np.ndarray:
    chosen = [(_CAMERA, "=", FRONT), (_TIME, "in", sorted({int(time) for time in times}))]
    table = pq.read_table(path, columns=[_TIME, _IMAGE], filters=chosen)
    found = {}
    for time, data in zip(table.column(_TIME).to_pylist(), table.column(_IMAGE).to_pylist(), strict=True):
        try:
            with Image.open(io.BytesIO(data), formats=["JPEG"]) as image:
                found[time] = np.asarray(image.convert("RGB"))
        except (OSError, SyntaxError, TypeError) as error:
            raise CorruptSample(f"the picture at {time} microseconds is damaged ({error})") from error
    return np.stack([found[int(time)] for time in times])
