# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""How a stream decodes and crops."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from ..clip_sampling import ClipSampling
from ..crop_policy import center_window, random_window, view_windows, whole_window
from ..crop_window import CropWindow
from ..sample_window import MIN_BOX_AREA
from .spec import StreamSpec


@dataclass(frozen=True)
class ReadOptions:
    """From files to samples.

    Attributes:
        resolution: side of the square, or (height, width), in pixels.
        num_frames: frames of a clip; the causal tokenizer takes 1 + 4k.
        stride: source frames from one to the next.
        fps: frames a second instead of `stride`.
        segments: clips per video, spread over its length.
        views: crops per clip, spread along its longer side.
        jitter: random starts, for training.
        anchor: where a single clip starts without jitter: "center" or "start".
        short: a video shorter than the clip: "repeat" its last frame, "error", or "skip" and count it.
        crop: "center", "random" (resized crop) or "whole" (all of it, squeezed).
        share: of the largest centred crop's sides that is kept; 0.875 is "resize 256, crop 224".
        scale: least and largest share of the area, for "random".
        aspect: least and largest relative width over height, for "random".
        flip: mirror half of the clips; refused where mirroring changes labels.
        max_tracks: tracks of a clip: those visible in its first frame, padded with invisible ones.
        max_boxes: boxes of a clip: those present in its first frame, padded with absent ones.
        min_box_area: boxes with a smaller share of the crop are absent.
    """

    resolution: int | tuple[int, int] = 128
    num_frames: int = 17
    stride: int = 1
    fps: float | None = None
    segments: int = 1
    views: int = 1
    jitter: bool = False
    anchor: Literal["center", "start"] = "center"
    short: Literal["repeat", "error", "skip"] = "repeat"
    crop: Literal["center", "random", "whole"] = "center"
    share: float = 1.0
    scale: tuple[float, float] = (0.08, 1.0)
    aspect: tuple[float, float] = (3 / 4, 4 / 3)
    flip: bool = False
    max_tracks: int = 64
    max_boxes: int = 25
    min_box_area: float = MIN_BOX_AREA

    def __post_init__(self) -> None:
        for name in ("views", "max_tracks", "max_boxes"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, got {getattr(self, name)}")
        if self.crop not in ("center", "random", "whole"):
            raise ValueError(f"crop must be 'center', 'random' or 'whole', got {self.crop!r}")
        if self.views > 1 and self.crop != "center":
            raise ValueError(f"views={self.views} needs crop='center', got {self.crop!r}")
        if min(self.size) < 1:
            raise ValueError(f"resolution must be at least 1 pixel, got {self.resolution}")
        self.sampling  # noqa: B018 - checks its own arguments

    @classmethod
    def of(cls, spec: StreamSpec, **given: Any) -> ReadOptions:
        """The general options, changed by the spec's defaults and then by what is given.

        Raises:
            ValueError: an unknown option, or flip where mirroring changes labels.
        """
        names = {field.name for field in dataclasses.fields(cls)}
        unknown = sorted(set(given) - names)
        if unknown:
            raise ValueError(f"options must be among {sorted(names)}, got {unknown}")
        options = cls(**{**spec.defaults, **given})
        if options.flip and not spec.mirror:
            raise ValueError(f"flip must be False for {spec.name}: a mirrored clip shows another class")
        return options

    @property
    def size(self) -> tuple[int, int]:
        """(height, width) of the output."""
        if isinstance(self.resolution, int):
            return self.resolution, self.resolution
        return int(self.resolution[0]), int(self.resolution[1])

    @property
    def sampling(self) -> ClipSampling:
        """The part about time."""
        names = ("num_frames", "stride", "fps", "segments", "jitter", "anchor", "short")
        return ClipSampling(**{name: getattr(self, name) for name in names})

    def windows(self, source: tuple[int, int], rng: np.random.Generator) -> list[CropWindow]:
        """The crops of one clip of (height, width) `source`."""
        if self.crop == "random":
            return [random_window(source, self.size, rng, scale=self.scale, aspect=self.aspect, flip=self.flip)]
        if self.crop == "whole":
            windows = [whole_window(source, self.size)]
        elif self.views > 1:
            windows = view_windows(source, self.size, self.views, self.share)
        else:
            windows = [center_window(source, self.size, self.share)]
        mirrored = self.flip and rng.random() < 0.5
        return [window.mirrored() for window in windows] if mirrored else windows
