# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""From videos to what a vision encoder takes: frames, size, scale, and the arguments of its forward pass."""

import dataclasses
import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F

from .encoder_families import EncoderFamily
from .encoder_layout import patch_size, tubelet_size

IMAGENET_MEAN, IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


@dataclass(frozen=True)
class EncoderInputs:
    """What `EncoderBackbone.extract` takes.

    Attributes:
        pixels: float (B, T, 3, H, W), normalised, the frames that are read.
        frame_spans: int64 (T', 2), first and last + 1 input frame of each feature step.
        size: height and width of the original frames.
    """

    pixels: torch.Tensor
    frame_spans: torch.Tensor
    size: tuple[int, int]


@dataclass(frozen=True)
class Preprocessing:
    """Resize to `size` (height, width; None keeps the frame's), scale to [0, 1], subtract `mean`, divide by `std`.

    The whole frame is kept and squeezed where its proportions differ, so that a cell of the grid stays where it is. For
    the same reason, sides that patches of `multiple` pixels do not divide become the nearest that they do.
    """

    size: tuple[int, int] | None = None
    mean: Sequence[float] = IMAGENET_MEAN
    std: Sequence[float] = IMAGENET_STD
    multiple: int = dataclasses.field(default=1, repr=False)

    def for_model(self, config: Any, family: EncoderFamily) -> "Preprocessing":
        """With the model's own size where none is given.

        Raises:
            ValueError: a size that the model cannot take.
        """
        own = _own_size(config)
        if self.size and family.square and own and self.size != own:
            raise ValueError(f"resolution must be {own[0]} for a {config.model_type}, got {self.size[0]}")
        if own and (self.size is None or self.size == own):
            return dataclasses.replace(self, size=own)
        multiple = patch_size(config) if family.layout in ("tokens", "videoprism") else 1
        size = None if self.size is None else _nearest(self.size, multiple)
        return dataclasses.replace(self, size=size, multiple=multiple)

    def __call__(self, videos: torch.Tensor) -> torch.Tensor:
        """uint8 (B, T, H, W, 3) -> float32 (B, T, 3, H, W)."""
        frames = videos.flatten(0, 1).permute(0, 3, 1, 2).float().div_(255.0)
        size = self.size or _nearest((frames.shape[2], frames.shape[3]), self.multiple)
        if tuple(frames.shape[2:]) != tuple(size):
            frames = F.interpolate(frames, size, mode="bicubic", antialias=True).clamp_(0.0, 1.0)
        mean, std = (torch.tensor(part, device=frames.device).view(3, 1, 1) for part in (self.mean, self.std))
        return ((frames - mean) / std).unflatten(0, videos.shape[:2])


def preprocessing_of(
    path: str | os.PathLike[str], resolution: int | None = None, revision: str | None = None
) -> Preprocessing:
    """Mean and scale of the image processor that lies beside a model; ImageNet's where none does."""
    from transformers.image_processing_base import ImageProcessingMixin

    size = (resolution, resolution) if resolution else None
    try:
        found, _ = ImageProcessingMixin.get_image_processor_dict(path, revision=revision)
    except (OSError, ValueError):
        return Preprocessing(size)
    return Preprocessing(size, found.get("image_mean") or IMAGENET_MEAN, found.get("image_std") or IMAGENET_STD)


def sample_frames(count: int, config: Any, family: EncoderFamily) -> tuple[torch.Tensor, torch.Tensor]:
    """Which of `count` frames are read, and the (T', 2) spans of the feature steps.

    Frames between those that are picked belong to the step before, so that the spans cover the whole clip.
    """
    if not family.video:
        frames = torch.arange(count)
        return frames, torch.stack([frames, frames + 1], dim=1)
    tubelet = tubelet_size(config)
    wanted = getattr(config, family.frames) if family.frames else max(tubelet, count - count % tubelet)
    frames = torch.linspace(0, count - 1, wanted).round().long()
    starts = frames[::tubelet]
    ends = torch.maximum(torch.cat([starts[1:], torch.tensor([count])]), starts + 1)
    return frames, torch.stack([starts, ends], dim=1)


def call_arguments(pixels: torch.Tensor, config: Any, family: EncoderFamily) -> dict[str, Any]:
    """Keyword arguments of the model's forward pass for pixels (B, T, 3, H, W)."""
    arguments = dict(family.options)
    if family.video:
        return {family.key: pixels, **arguments}
    images = pixels.flatten(0, 1)
    if config.model_type == "siglip2_vision_model":
        return _patched(images, patch_size(config)) | arguments
    if config.model_type == "vit_mae":
        # Its shuffle keeps the order of this noise.
        count = (images.shape[2] // patch_size(config)) * (images.shape[3] // patch_size(config))
        arguments["noise"] = torch.arange(count, device=images.device).float().expand(len(images), -1)
    return {family.key: images, **arguments}


def _patched(images: torch.Tensor, patch: int) -> dict[str, torch.Tensor]:
    """SigLIP 2 takes patches (B, N, p * p * 3), their mask and the grid's shape."""
    batch, _, height, width = images.shape
    rows, columns = height // patch, width // patch
    cells = images[:, :, : rows * patch, : columns * patch].unflatten(3, (columns, patch)).unflatten(2, (rows, patch))
    values = cells.permute(0, 2, 4, 3, 5, 1).reshape(batch, rows * columns, -1)
    shapes = torch.tensor([[rows, columns]], device=images.device).expand(batch, -1)
    mask = torch.ones(batch, rows * columns, dtype=torch.int64, device=images.device)
    return {"pixel_values": values, "pixel_attention_mask": mask, "spatial_shapes": shapes}


def _nearest(size: tuple[int, int], multiple: int) -> tuple[int, int]:
    """Sides that are multiples, one at least."""
    height, width = (max(1, round(side / multiple)) * multiple for side in size)
    return height, width


def _own_size(config: Any) -> tuple[int, int] | None:
    side = getattr(config, "image_size", None) or getattr(config, "crop_size", None)
    if side is None:
        return None
    return (int(side), int(side)) if isinstance(side, int) else (int(side[0]), int(side[1]))
