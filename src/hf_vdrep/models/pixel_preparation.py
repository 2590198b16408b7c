# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Pictures of any kind and size to what the models take, with torch alone (torchvision cannot be relied on)."""

from typing import Any

import numpy as np
import PIL.Image
import torch
import torch.nn.functional as F


def picture_to_tensor(picture: Any) -> torch.Tensor:
    """A picture to float (3, H, W) in [0, 1].

    Args:
        picture: a PIL image, or an array or tensor (H, W), (H, W, C) or (C, H, W) with C of 1, 3 or 4; integers count
            as 0-255 and floats as [0, 1]. Grey is repeated, alpha dropped.

    Raises:
        ValueError: another shape.
    """
    if isinstance(picture, PIL.Image.Image):
        picture = np.array(picture.convert("RGB"))
    tensor = torch.as_tensor(picture)
    scale = 1.0 if tensor.is_floating_point() else 255.0
    tensor = tensor.float() / scale
    if tensor.ndim == 2:
        tensor = tensor.unsqueeze(0)
    elif tensor.ndim == 3 and tensor.shape[-1] in (1, 3, 4) and tensor.shape[0] not in (1, 3, 4):
        tensor = tensor.permute(2, 0, 1)
    if tensor.ndim != 3 or tensor.shape[0] not in (1, 3, 4):
        raise ValueError(
            f"picture must be (H, W), (H, W, C) or (C, H, W) with C of 1, 3 or 4, got {tuple(tensor.shape)}"
        )
    return tensor.expand(3, -1, -1) if tensor.shape[0] == 1 else tensor[:3]


def fit(frames: torch.Tensor, size: tuple[int, int]) -> torch.Tensor:
    """Scale (N, 3, H, W) until `size` (height, width) is covered, then cut out the centre.

    Bicubic with antialiasing; values stay in [0, 1].
    """
    height, width = size
    scale = max(height / frames.shape[2], width / frames.shape[3])
    scaled = (max(height, round(frames.shape[2] * scale)), max(width, round(frames.shape[3] * scale)))
    if scaled != tuple(frames.shape[2:]):
        frames = F.interpolate(frames, size=scaled, mode="bicubic", antialias=True, align_corners=False).clamp(0, 1)
    top, left = (scaled[0] - height) // 2, (scaled[1] - width) // 2
    return frames[:, :, top : top + height, left : left + width]


def to_signed(pixels: torch.Tensor) -> torch.Tensor:
    """[0, 1] to [-1, 1], the range of the tokenizer."""
    return pixels * 2 - 1
