# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Opening the models of an inspection."""

from collections.abc import Sequence
from pathlib import Path
from typing import TypeGuard

from ..backbones.base import Backbone
from ..backbones.registry import open_backbone
from ..backbones.walt import WaltBackbone


def open_models(names: Sequence[str], video_as: str = "stack") -> list[Backbone]:
    """Open backbones by name or folder, with names that differ.

    Args:
        names: what `open_backbone` takes.
        video_as: how models of images read a video: "stack", "stride" or "frames". Models of video read it whole.

    Raises:
        ValueError: an unknown name.
        OSError: a folder without a readable pipeline.
    """
    backbones = [_read_as(open_backbone(name), video_as) for name in names]
    taken: set[str] = set()
    for name, backbone in zip(names, backbones, strict=True):
        if backbone.name in taken:
            backbone.name = Path(name).resolve().name
        number = 2
        while backbone.name in taken:
            backbone.name = f"{Path(name).resolve().name} ({number})"
            number += 1
        taken.add(backbone.name)
    return backbones


def native_resolution(backbones: Sequence[Backbone]) -> int:
    """Side in pixels at which the largest of the models was trained; 64 where none says."""
    sides = [b.transformer.config.sample_size * b.vae.spatial_compression_ratio for b in backbones if is_walt(b)]
    return max(sides, default=64)


def is_walt(backbone: Backbone) -> TypeGuard[WaltBackbone]:
    """Whether `backbone` is a WALT."""
    return isinstance(backbone, WaltBackbone)


def _read_as(backbone: Backbone, video_as: str) -> Backbone:
    if not is_walt(backbone) or backbone.transformer.config.objective == "video":
        return backbone
    return WaltBackbone(backbone.vae, backbone.transformer, backbone.scheduler, video_as, backbone.name)
