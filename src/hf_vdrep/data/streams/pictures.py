# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Pictures and clips from what a record carries: a path, or bytes."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..clip_sampling import clip_indices
from ..media_kind import MediaError, sniff
from ..video_timeline import Timeline, read_frames, read_photo, read_timeline
from .options import ReadOptions
from .report import CorruptSample

# A clip of a video of changing rate starts at multiples of this part of its own step.
_TICKS = 8


@contextmanager
def local_file(media: Mapping[str, Any] | None) -> Iterator[Path]:
    """A file with the content of `{"path", "bytes"}`: its path, or a temporary copy of its bytes.

    An address ("hf://...", "zip://a.jpg::...", as `datasets` streams what a Hub data set keeps as files) is copied too.

    Raises:
        CorruptSample: it has neither.
        OSError: an address cannot be reached, or the disk of temporary files is full.
    """
    data = (media or {}).get("bytes")
    path = (media or {}).get("path")
    if data is None and path is None:
        raise CorruptSample("holds no picture or video")
    if data is None and "://" not in str(path):
        yield Path(str(path))
        return
    with tempfile.TemporaryDirectory(prefix="hf-vdrep-") as folder:
        copy = Path(folder) / "media"  # the record's own name may be anything
        if data is None:
            _download(str(path), copy)
        else:
            copy.write_bytes(data)
        try:
            yield copy
        except MediaError as error:
            # The temporary name would tell the user nothing.
            raise CorruptSample(str(error).replace(str(copy), str(path or "embedded bytes"))) from error


def _download(address: str, copy: Path) -> None:
    from datasets.utils.file_utils import xopen

    with xopen(address, "rb") as source, copy.open("wb") as file:
        shutil.copyfileobj(source, file)


def picture_of(media: Mapping[str, Any] | None) -> Tensor:
    """uint8 (H, W, 3)."""
    with local_file(media) as path:
        return torch.from_numpy(np.array(read_photo(path)))


def clips_of(media: Mapping[str, Any] | None, options: ReadOptions, rng: np.random.Generator) -> Iterator[Tensor]:
    """The clips of a video: `options.segments` tensors, uint8 (T, H, W, 3)."""
    with local_file(media) as path:
        timeline = read_timeline(path)
        chosen = _chosen(timeline, options, rng)
        distinct = np.unique(np.concatenate(chosen))
        frames = torch.from_numpy(read_frames(timeline, distinct))
    for indices in chosen:
        yield frames[torch.from_numpy(np.searchsorted(distinct, indices))]


def _chosen(timeline: Timeline, options: ReadOptions, rng: np.random.Generator) -> list[np.ndarray]:
    """Frames of every clip; `fps` of a video of changing rate is kept in time, not in frames."""
    if options.fps is None or timeline.steady:
        return clip_indices(len(timeline), options.sampling, rate=timeline.rate, rng=rng)
    rate = _TICKS * options.fps
    ticks = int((timeline.times[-1] - timeline.times[0]) * rate) + 1
    return [timeline.shown(chosen / rate) for chosen in clip_indices(ticks, options.sampling, rate=rate, rng=rng)]


def seen_in(
    media: Mapping[str, Any] | None, options: ReadOptions, rng: np.random.Generator
) -> Iterator[dict[str, Tensor]]:
    """`image` of a photo, or `video` of every clip of a video: the content decides, not the name."""
    if is_picture(media):
        yield {"image": picture_of(media)}
        return
    for clip in clips_of(media, options, rng):
        yield {"video": clip}


def is_picture(media: Mapping[str, Any] | None) -> bool:
    """Whether the content is a photo rather than a video."""
    with local_file(media) as path:
        return sniff(path).isupper()
