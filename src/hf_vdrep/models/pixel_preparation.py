# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Pictures of any kind and size to what the models take, with torch alone (torchvision cannot be relied on)."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import PIL.Image
import torch
import torch.nn.functional as F

_MODES = {
    PIL.Image.Resampling.NEAREST: "nearest-exact",
    PIL.Image.Resampling.BILINEAR: "bilinear",
    PIL.Image.Resampling.BICUBIC: "bicubic",
    PIL.Image.Resampling.BOX: "area",
}


def picture_to_tensor(picture: Any, rescale_factor: float = 1 / 255, channels: str | None = None) -> torch.Tensor:
    """A picture to float (3, H, W) in [0, 1].

    Args:
        picture: a PIL image, or an array or tensor (H, W), (H, W, C) or (C, H, W) with C of 1, 3 or 4; integers count
            as 0-255 and floats as [0, 1]. Grey is repeated, alpha dropped.
        rescale_factor: of integers.
        channels: "channels_first" or "channels_last" where the shape leaves it open.

    Raises:
        ValueError: another shape.
    """
    if isinstance(picture, PIL.Image.Image):
        picture, channels = np.array(picture.convert("RGB")), "channels_last"
    tensor = torch.as_tensor(picture)
    scale = 1.0 if tensor.is_floating_point() else rescale_factor
    tensor = tensor.float() * scale
    if tensor.ndim == 2:
        tensor = tensor.unsqueeze(0)
    elif tensor.ndim == 3 and _channels_are_last(tensor, channels):
        tensor = tensor.permute(2, 0, 1)
    if tensor.ndim != 3 or tensor.shape[0] not in (1, 3, 4):
        raise ValueError(
            f"picture must be (H, W), (H, W, C) or (C, H, W) with C of 1, 3 or 4, got {tuple(tensor.shape)}"
        )
    return tensor.expand(3, -1, -1) if tensor.shape[0] == 1 else tensor[:3]


def _channels_are_last(tensor: torch.Tensor, channels: str | None) -> bool:
    if channels is not None:
        return str(getattr(channels, "value", channels)) == "channels_last"
    return tensor.shape[-1] in (1, 3, 4) and tensor.shape[0] not in (1, 3, 4)


def fit(
    frames: torch.Tensor,
    size: tuple[int, int],
    *,
    crop: bool = True,
    resample: int = PIL.Image.Resampling.BICUBIC,
) -> torch.Tensor:
    """Bring (N, 3, H, W) to `size` (height, width); values stay in [0, 1].

    Args:
        frames: pictures of one size.
        size: of the result.
        crop: scale until the size is covered and cut out the centre; else squeeze the whole picture into it.
        resample: filter, in PIL's numbers.
    """
    target = covering(frames.shape[2:], size) if crop else size
    if target != tuple(frames.shape[2:]):
        frames = resize_tensors(frames, target, resample)
    return cut_centre(frames, size)


def covering(size: Sequence[int], target: tuple[int, int]) -> tuple[int, int]:
    """The size of the same aspect that just covers `target`."""
    scale = max(target[0] / size[0], target[1] / size[1])
    return max(target[0], round(size[0] * scale)), max(target[1], round(size[1] * scale))


def cut_centre(frames: torch.Tensor, size: tuple[int, int]) -> torch.Tensor:
    """The centre of (N, 3, H, W).

    Raises:
        ValueError: the pictures are smaller.
    """
    if frames.shape[2] < size[0] or frames.shape[3] < size[1]:
        raise ValueError(f"pictures must be at least {size} to be cropped to it, got {tuple(frames.shape[2:])}")
    top, left = (frames.shape[2] - size[0]) // 2, (frames.shape[3] - size[1]) // 2
    return frames[:, :, top : top + size[0], left : left + size[1]]


def resize_tensors(frames: torch.Tensor, size: tuple[int, int], resample: int) -> torch.Tensor:
    """Scale (N, 3, H, W) in [0, 1] with torch, antialiased.

    Raises:
        ValueError: a filter that torch does not have.
    """
    if resample not in _MODES:
        known = ", ".join(f"{mode.value} ({mode.name.lower()})" for mode in _MODES)
        raise ValueError(f"resample must be one of {known}, got {int(resample)}")
    mode = _MODES[PIL.Image.Resampling(resample)]
    if mode in ("nearest-exact", "area"):
        return F.interpolate(frames, size=size, mode=mode)
    return F.interpolate(frames, size=size, mode=mode, antialias=True, align_corners=False).clamp(0, 1)
