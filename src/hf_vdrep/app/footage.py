# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""What is compared on: clips and photos from the examples, from visitors, and from the embedded world."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F

from ..data.untrusted import UploadError, UploadLimits, read_untrusted
from .choices import whole_number

FRAMES, SEEN, SHOWN, FPS = 17, 64, 256, 8.0
"""Frames of a clip; side of what the models see and of what the visitor sees, pixels; frames a second."""
WORLD_CLIPS = 100_000
"""Clips of the embedded world that can be asked for."""

_BUILT_IN = {
    "hourglass": "Hourglass and ball",
    "brick-wall": "Brick wall",
    "pan": "Cat",
    "astronaut": "Astronaut (photo)",
}
_MOST_BOXES, _LEAST_AREA = 2, 0.004
_HOURGLASS = 61  # of ProbeWorld's test split: two solids come together before a striped wall
_ENDINGS = (".jpg", ".jpeg", ".png", ".webp", ".gif", ".mp4", ".mov", ".webm", ".mkv")


@dataclass(frozen=True)
class Footage:
    """A clip or photo, ready to be compared on.

    Attributes:
        key: stable name of the pixels; it fixes the noise.
        title: for readers.
        frames: uint8 (T, 64, 64, 3), what the models see.
        pictures: uint8 (T, H, W, 3), the same frames for the eyes.
        fps: frames a second.
        note: what happened to it on the way, a sentence; "" if nothing.
        truth: labels of the embedded world, by task; empty for anything else.
    """

    key: str
    title: str
    frames: torch.Tensor
    pictures: torch.Tensor
    fps: float = FPS
    note: str = ""
    truth: Mapping[str, Any] = field(default_factory=dict)

    @property
    def is_photo(self) -> bool:
        """One frame."""
        return len(self.frames) == 1


def example_titles(folder: Path | None = None) -> dict[str, str]:
    """Example -> title: the built-in ones, then the photos and videos of `folder`."""
    found = sorted(folder.iterdir()) if folder is not None and folder.is_dir() else []
    files = {path.name: path.stem.replace("-", " ").capitalize() for path in found if path.suffix in _ENDINGS}
    return {**_BUILT_IN, **files}


def open_example(name: Any, folder: Path | None = None) -> Footage:
    """An example.

    Raises:
        ValueError: there is none of that name.
    """
    titles = example_titles(folder)
    if not isinstance(name, str) or name not in titles:
        raise ValueError(f"The example must be one of {', '.join(titles)}.")
    if name in _BUILT_IN:
        return _built_in(name)
    assert folder is not None
    return _example_file(folder / name, titles[name])


@lru_cache(maxsize=16)
def open_world(index: int) -> Footage:
    """A clip of ProbeWorld's test split, with its labels.

    Raises:
        ValueError: `index` is not in [0, 99999].
    """
    from ..data.probeworld import ProbeWorld, ProbeWorldConfig

    index = whole_number(index, "number of the clip", 0, WORLD_CLIPS - 1)
    seen, shown = (
        ProbeWorld("test", index + 1, ProbeWorldConfig(num_frames=FRAMES, resolution=side, fps=FPS))
        for side in (SEEN, 3 * SEEN)
    )
    sample: Any = seen.batch([index])[0]
    truth = {name: sample[name] for name in ("object", "action_motion", "depth")}
    truth["boxes"] = _followed_boxes(sample["boxes"], sample["present"])
    return Footage(f"probeworld-{index}", f"ProbeWorld, clip {index}", sample["video"],
                   shown.render_batch([index])[0], truth=truth)  # fmt: skip


def open_upload(path: Any, max_megabytes: int, folder: str | Path | None = None) -> Footage:
    """A visitor's photo or video, decoded in a process of its own that can reach nothing.

    Args:
        path: where the server keeps the upload.
        max_megabytes: largest file.
        folder: where uploads live; a path that leads elsewhere is refused.

    Raises:
        UploadError: it cannot be shown; the message is for the visitor.
    """
    if not isinstance(path, str) or not path:
        raise UploadError("no_upload", "Choose a photo or a video first.")
    limits = UploadLimits(max_bytes=max_megabytes * 1_000_000)
    pictures = read_untrusted(path, num_frames=FRAMES, resolution=SHOWN, fps=FPS, limits=limits, folder=folder)
    note = ""
    if 1 < len(pictures) < FRAMES:
        note = f"The video is short: {len(pictures)} of {FRAMES} frames. The readouts need all of them."
    return _from_pictures(f"upload-{_digest(pictures)}", "Your upload", pictures, note)


def _followed_boxes(boxes: torch.Tensor, present: torch.Tensor) -> torch.Tensor:
    """float32 (K, T, 4), x1, y1, x2, y2 in [0, 1] of the largest objects that show in frame 0."""
    sides = (boxes[:, 0, 2:] - boxes[:, 0, :2]).clamp_min(0)
    area = sides.prod(-1) * present[:, 0]
    order = area.argsort(descending=True)[:_MOST_BOXES]
    return boxes[order[area[order] > _LEAST_AREA]]


@lru_cache(maxsize=8)
def _built_in(name: str) -> Footage:
    if name == "hourglass":
        found = open_world(_HOURGLASS)
        return Footage(name, _BUILT_IN[name], found.frames, found.pictures, truth=found.truth)
    if name == "astronaut":
        from skimage import data

        picture = torch.from_numpy(data.astronaut())
        return _from_pictures(name, _BUILT_IN[name], _shrink(picture[None], SHOWN))
    from ..study.inspect_examples import make_example

    return _from_pictures(name, _BUILT_IN[name], make_example(name, FRAMES, FPS, SHOWN).frames)


@lru_cache(maxsize=8)
def _example_file(path: Path, title: str) -> Footage:
    from ..data.media import load_clip

    return _from_pictures(path.name, title, load_clip(path, FRAMES, FPS, resolution=SHOWN).frames)


def _from_pictures(key: str, title: str, pictures: torch.Tensor, note: str = "") -> Footage:
    return Footage(key, title, _shrink(pictures, SEEN), pictures, note=note)


def _shrink(pictures: torch.Tensor, side: int) -> torch.Tensor:
    """uint8 (T, H, H, 3) to (T, side, side, 3): means of what falls into each pixel."""
    planes = pictures.permute(0, 3, 1, 2).float()
    return F.interpolate(planes, size=(side, side), mode="area").round().to(torch.uint8).permute(0, 2, 3, 1)


def _digest(pictures: torch.Tensor) -> str:
    return hashlib.blake2b(pictures.numpy().tobytes(), digest_size=16).hexdigest()
