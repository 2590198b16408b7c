# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Clips to `pixel_values_videos`, in the form of a transformers video processor."""

from collections.abc import Mapping
from typing import Any

from transformers.image_processing_utils import BatchFeature
from transformers.video_processing_utils import VideoProcessorMixin


class WaltVideoProcessor(VideoProcessorMixin):
    """Take `num_frames` frames evenly, cover the model's size, cut out the centre, and bring to [-1, 1].

    Args:
        size: `{"height": ..., "width": ...}` in pixels.
        num_frames: frames to take, 1 + 4k; a shorter clip repeats frames. None keeps all.
    """

    model_input_names = ["pixel_values_videos"]
    # Without a default on the class, transformers would not write down an explicit None.
    num_frames: int | None = 17

    def __init__(self, size: Mapping[str, int] | None = None, num_frames: int | None = 17, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.size = dict(size or {"height": 128, "width": 128})
        self.num_frames = num_frames

    def __call__(self, videos: Any, return_tensors: str | None = "pt", **kwargs: Any) -> BatchFeature:
        """One clip or several to `pixel_values_videos` (B, T, 3, H, W) in [-1, 1].

        Args:
            videos: a clip or a list of clips; a clip is a list of pictures or one array (T, H, W, C) or (T, C, H, W),
                integers in 0-255 or floats in [0, 1].
            return_tensors: "pt", "np" or None.
            kwargs: `num_frames` for this call; others are ignored, for the callers of transformers.

        Raises:
            ValueError: no frames, or clips of different lengths where `num_frames` is None.
        """
        return self.preprocess(videos, return_tensors=return_tensors, **kwargs)

    def preprocess(self, videos: Any, return_tensors: str | None = "pt", **kwargs: Any) -> BatchFeature:
        """As `__call__`."""
        import torch

        num_frames = kwargs.get("num_frames", self.num_frames)
        clips = [self._prepare(clip, num_frames) for clip in _as_clips(videos)]
        if len({len(clip) for clip in clips}) > 1:
            raise ValueError(f"videos must have equally many frames, got {[len(clip) for clip in clips]}")
        return BatchFeature({"pixel_values_videos": torch.stack(clips)}, tensor_type=return_tensors)

    def _prepare(self, clip: Any, num_frames: int | None) -> Any:
        """(T, 3, H, W) in [-1, 1]."""
        import torch

        from .pixel_preparation import fit, picture_to_tensor, to_signed

        if len(clip) == 0:
            raise ValueError("videos must hold at least one frame each, got none")
        picks = list(range(len(clip)))
        if num_frames is not None:
            picks = torch.linspace(0, len(clip) - 1, num_frames).round().long().tolist()
        size = (self.size["height"], self.size["width"])
        return to_signed(torch.cat([fit(picture_to_tensor(clip[pick])[None], size) for pick in picks]))


def _as_clips(videos: Any) -> list[Any]:
    """A clip is a sequence of pictures; a batch is a sequence of clips."""
    first = videos[0] if len(videos) else None
    dimensions = getattr(videos, "ndim", None)
    if dimensions == 5 or (dimensions is None and (isinstance(first, list | tuple) or getattr(first, "ndim", 0) == 4)):
        return list(videos)
    return [videos]
