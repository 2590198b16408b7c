# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Everything that decides what a ProbeWorld clip looks like."""

from __future__ import annotations

import dataclasses
from typing import Any

PRESETS: tuple[str, ...] = ("tiny", "base")


@dataclasses.dataclass(frozen=True)
class ProbeWorldConfig:
    """Configuration of the embedded world; JSON-able, hashable, and complete: equal configs give equal clips.

    Lengths on screen are fractions of the frame's height, lengths in the world are metres, angles are degrees.

    Attributes:
        num_frames: frames per clip, odd, so that a middle frame exists.
        resolution: height and width of a frame in pixels.
        fps: frames per second; a label only, the motion is defined over the clip.
        seed: seed of the whole world.
        focal: focal length in frame heights (1.06 is a field of view of 50 degrees).
        main_height: range of the main object's nominal projected height in the middle frame.
        travel: range of the main object's path length on screen over the clip.
        approach: range of the change in depth over the clip, as a fraction of the main object's depth.
        spin: range of the rotation of the two rotating classes over the clip.
        pan: range of the camera's turn of the two panning classes over the clip.
        camera_shift: range of the camera's own drift over the clip, all classes.
        camera_turn: largest drift of the camera's yaw over the clip, all classes; pitch and roll take half.
        distractor: probability of a fourth, small object far away.
        antialias: contrast to a neighbour, in [0, 1], from which a pixel is supersampled; 1 switches it off, and
            the lens alone softens edges.
        blur: the lens: share of each neighbour in a pixel, along both axes, in [0, 0.33].
        num_tracks: labelled surface points per clip.
        photographs: texture some surfaces with the photographs that scikit-image bundles; None means "if installed",
            and a `ProbeWorld` records what it resolved to.
    """

    num_frames: int = 17
    resolution: int = 64
    fps: float = 8.0
    seed: int = 0
    focal: float = 1.06
    main_height: tuple[float, float] = (0.35, 0.46)
    travel: tuple[float, float] = (0.28, 0.38)
    approach: tuple[float, float] = (0.30, 0.42)
    spin: tuple[float, float] = (90.0, 200.0)
    pan: tuple[float, float] = (11.0, 17.0)
    camera_shift: tuple[float, float] = (0.1, 0.26)
    camera_turn: float = 4.0
    distractor: float = 0.4
    antialias: float = 1.0
    blur: float = 0.25
    num_tracks: int = 64
    photographs: bool | None = None

    def __post_init__(self) -> None:
        if self.num_frames < 3 or self.num_frames % 2 == 0:
            raise ValueError(f"num_frames must be odd and at least 3, got {self.num_frames}")
        if self.resolution < 16:
            raise ValueError(f"resolution must be at least 16, got {self.resolution}")
        if self.seed < 0:
            raise ValueError(f"seed must not be negative, got {self.seed}")
        if self.fps <= 0 or self.focal <= 0:
            raise ValueError(f"fps and focal must be positive, got {self.fps} and {self.focal}")
        if self.num_tracks < 1:
            raise ValueError(f"num_tracks must be positive, got {self.num_tracks}")
        for name in ("distractor", "antialias"):
            if not 0.0 <= getattr(self, name) <= 1.0:
                raise ValueError(f"{name} must lie in [0, 1], got {getattr(self, name)}")
        if not 0.0 <= self.blur <= 0.33:
            raise ValueError(f"blur must lie in [0, 0.33], got {self.blur}")
        for name in ("main_height", "travel", "approach", "spin", "pan", "camera_shift"):
            self._check_range(name)

    def _check_range(self, name: str) -> None:
        low, high = getattr(self, name)
        if not 0.0 <= low <= high:
            raise ValueError(f"{name} must be an increasing range of non-negative numbers, got {(low, high)}")
        object.__setattr__(self, name, (float(low), float(high)))

    @classmethod
    def tiny(cls, **changes: Any) -> ProbeWorldConfig:
        """17 frames of 64 x 64, the default; `changes` are further fields."""
        return cls(**changes)

    @classmethod
    def base(cls, **changes: Any) -> ProbeWorldConfig:
        """The same clips as `tiny`, 17 frames of 128 x 128: scene graphs and labels in metres are equal."""
        return cls(**{"resolution": 128, **changes})

    @classmethod
    def preset(cls, name: str, **changes: Any) -> ProbeWorldConfig:
        """`tiny` or `base` by name.

        Raises:
            ValueError: unknown name.
        """
        if name not in PRESETS:
            raise ValueError(f"preset must be one of {PRESETS}, got {name!r}")
        return {"tiny": cls.tiny, "base": cls.base}[name](**changes)

    def to_dict(self) -> dict[str, Any]:
        """A plain dictionary that `ProbeWorldConfig(**...)` and `json` accept."""
        return dataclasses.asdict(self)
