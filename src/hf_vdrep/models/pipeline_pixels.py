# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Pictures and films that a caller gives, as pixels of the tokenizer."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import PIL.Image
import torch
from diffusers.video_processor import VideoProcessor

Picture = PIL.Image.Image | np.ndarray | torch.Tensor
Film = Sequence[PIL.Image.Image] | np.ndarray | torch.Tensor


def image_pixels(
    image: Picture | Sequence[Picture], processor: VideoProcessor, height: int | None, width: int | None
) -> torch.Tensor:
    """One picture or several as (N, 3, 1, H, W) in [-1, 1]; sizes of None keep the picture's.

    Args:
        image: PIL, NumPy (H, W, 3) or (N, H, W, 3) in [0, 1], torch (3, H, W) or (N, 3, H, W) in [0, 1] or [-1, 1],
            or a list of those.
        processor: of the pipeline.
        height, width: pixels.
    """
    return processor.preprocess(image, height, width).unsqueeze(2)  # type: ignore[arg-type]


def video_pixels(
    video: Film | Sequence[Film], processor: VideoProcessor, height: int | None, width: int | None
) -> torch.Tensor:
    """One film or several as (N, 3, T, H, W) in [-1, 1].

    Args:
        video: a list of PIL frames, NumPy (T, H, W, 3) or (N, T, H, W, 3) in [0, 1], torch (T, 3, H, W) or
            (N, T, 3, H, W) in [0, 1], or a list of films.
        processor: of the pipeline.
        height, width: pixels.
    """
    return processor.preprocess_video(video, height, width)  # type: ignore[arg-type]


def check_one_given(**given: Any) -> str:
    """The name of the one argument that is not None.

    Raises:
        ValueError: none or several.
    """
    names = [name for name, value in given.items() if value is not None]
    if len(names) != 1:
        raise ValueError(f"give exactly one of {', '.join(given)}, got {', '.join(names) or 'none'}")
    return names[0]


def check_sides(name: str, value: Any, ratio: int) -> None:
    """Raise ValueError where sides are no multiples of `ratio`: the processor would shrink the picture in silence."""
    first = value
    while isinstance(first, (list, tuple)):
        first = first[0]
    height, width = (first.height, first.width) if isinstance(first, PIL.Image.Image) else _sides(first)
    if height % ratio or width % ratio:
        raise ValueError(f"{name} must have sides that are multiples of {ratio}, got {height} x {width}")


def _sides(value: np.ndarray | torch.Tensor) -> tuple[int, int]:
    shape = value.shape
    return tuple(shape[-2:] if isinstance(value, torch.Tensor) else shape[-3:-1])  # type: ignore[return-value]
