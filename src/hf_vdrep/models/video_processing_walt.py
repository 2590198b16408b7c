# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Clips to `pixel_values_videos`, in the form of a transformers video processor."""

from collections.abc import Mapping, Sequence
from os import PathLike, fspath
from typing import Any

from transformers.image_processing_utils import BatchFeature
from transformers.video_processing_utils import VideoProcessorMixin

from .pixel_processor import PixelProcessorMixin


class WaltVideoProcessor(PixelProcessorMixin, VideoProcessorMixin):
    """Take `num_frames` frames evenly, cover the model's size, cut out the centre, and bring to [-1, 1].

    Needs no torchvision; files are decoded by PyAV.

    Args:
        size: `{"height": ..., "width": ...}` in pixels, or one number, or two.
        num_frames: frames to take, 1 + 4k; a shorter clip repeats frames. None keeps all.
        do_sample_frames: False keeps all frames.
        do_resize, resample, do_center_crop, do_rescale, rescale_factor, do_normalize, image_mean, image_std: as of
            `WaltImageProcessor`.
    """

    model_input_names = ["pixel_values_videos"]
    # Without a default on the class, transformers would not write down an explicit None.
    num_frames: int | None = 17

    def __init__(
        self,
        size: Mapping[str, int] | int | Sequence[int] | None = None,
        num_frames: int | None = 17,
        do_sample_frames: bool = True,
        do_resize: bool = True,
        resample: int = 3,
        do_center_crop: bool = True,
        do_rescale: bool = True,
        rescale_factor: float = 1 / 255,
        do_normalize: bool = True,
        image_mean: float | Sequence[float] | None = None,
        image_std: float | Sequence[float] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.num_frames, self.do_sample_frames = num_frames, do_sample_frames
        self._set_options(
            size,
            do_resize=do_resize,
            resample=resample,
            do_center_crop=do_center_crop,
            do_rescale=do_rescale,
            rescale_factor=rescale_factor,
            do_normalize=do_normalize,
            image_mean=image_mean,
            image_std=image_std,
        )

    def __call__(self, videos: Any, return_tensors: str | None = "pt", **kwargs: Any) -> BatchFeature:
        """One clip or several to `pixel_values_videos` (B, T, 3, H, W).

        Args:
            videos: a clip or a list of clips; a clip is a path or URL, a list of pictures, or one array (T, H, W, C) or
                (T, C, H, W), integers in 0-255 or floats in [0, 1].
            return_tensors: "pt", "np" or None.
            kwargs: options of the constructor for this call, and `input_data_format`; others are ignored, for the
                callers of transformers.

        Raises:
            ValueError: no frames, or clips of different lengths where `num_frames` is None.
        """
        return self.preprocess(videos, return_tensors=return_tensors, **kwargs)

    def preprocess(self, videos: Any, return_tensors: str | None = "pt", **kwargs: Any) -> BatchFeature:
        """As `__call__`."""
        import torch

        clips = [self._prepare(clip, kwargs) for clip in _as_clips(videos)]
        if len({len(clip) for clip in clips}) > 1:
            raise ValueError(f"videos must have equally many frames, got {[len(clip) for clip in clips]}")
        return BatchFeature({"pixel_values_videos": torch.stack(clips)}, tensor_type=return_tensors)

    def _prepare(self, clip: Any, given: Mapping[str, Any]) -> Any:
        """(T, 3, H, W)."""
        # None is a choice here, and not the absence of one.
        num_frames = given.get("num_frames", self.num_frames)
        if not self._option("do_sample_frames", given):
            num_frames = None
        if isinstance(clip, str | PathLike):
            frames = _decode(fspath(clip), num_frames)
        else:
            if len(clip) == 0:
                raise ValueError("videos must hold at least one frame each, got none")
            frames = [clip[pick] for pick in even_frames(len(clip), num_frames)]
        return self._pixels(frames, given)

    @classmethod
    def register_for_auto_class(cls, auto_class: str | type = "AutoVideoProcessor") -> None:
        """Nothing to do: a saved folder names the package's own classes, and copied code would not import."""


def even_frames(total: int, num_frames: int | None) -> list[int]:
    """Indices of `num_frames` of `total` frames, from the first to the last; all where it is None."""
    if num_frames is None:
        return list(range(total))
    if num_frames < 1:
        raise ValueError(f"num_frames must be at least 1, got {num_frames}")
    step = (total - 1) / max(1, num_frames - 1)
    return [round(step * index) for index in range(num_frames)]


def _decode(path: str, num_frames: int | None) -> Any:
    import numpy as np
    from transformers.video_utils import load_video

    def picks(metadata: Any, **kwargs: Any) -> Any:
        return np.unique(even_frames(metadata.total_num_frames, num_frames))

    frames, metadata = load_video(path, backend="pyav", sample_indices_fn=picks)
    # A short clip repeats frames, which a decoder gives only once.
    wanted = even_frames(metadata.total_num_frames, num_frames)
    have = {int(index): frame for index, frame in zip(metadata.frames_indices, frames, strict=True)}
    return [have[index] for index in wanted]


def _as_clips(videos: Any) -> list[Any]:
    """A clip is a file or a sequence of pictures; a batch is a sequence of clips."""
    if isinstance(videos, str | PathLike):
        return [videos]
    first = videos[0] if len(videos) else None
    dimensions = getattr(videos, "ndim", None)
    of_clips = isinstance(first, list | tuple | str | PathLike) or getattr(first, "ndim", 0) == 4
    if dimensions == 5 or (dimensions is None and of_clips):
        return [clip for each in videos for clip in _as_clips(each)]
    return [videos]
