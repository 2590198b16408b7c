# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Backbones by name."""

import os
from pathlib import Path
from typing import Any

from .base import Backbone

NAMES = ("v-walt", "i-walt", "pixels", "latents", "random")


def open_backbone(name_or_path: str | os.PathLike[str], **options: Any) -> Backbone:
    """Open a backbone.

    Args:
        name_or_path: "v-walt" or "i-walt", the pair that ships with the package; a floor: "pixels" (patch means),
            "latents" (the pair's tokenizer alone), "random" (V-WALT with random weights); or the folder of a saved
            WALT pipeline.
        options: arguments of that backbone, such as `video_as` for a WALT.

    Raises:
        ValueError: neither a name nor a folder.
        OSError: a folder that does not hold a readable pipeline.
    """
    from .floors import LatentBackbone, PixelBackbone
    from .walt import WaltBackbone

    name = os.fspath(name_or_path)
    if name == "pixels":
        return PixelBackbone(**options)
    if name == "latents":
        return LatentBackbone.from_pretrained(_shipped("v-walt"), **options)
    if name == "random":
        return WaltBackbone.random_like(_shipped("v-walt"), **options)
    if name in ("v-walt", "i-walt"):
        return WaltBackbone.from_pretrained(_shipped(name), **options)
    if not Path(name).is_dir():
        raise ValueError(f"backbone must be one of {', '.join(NAMES)}, or the folder of a saved pipeline, got {name!r}")
    return WaltBackbone.from_pretrained(name, **options)


def _shipped(name: str) -> Path:
    from ..models import shipped

    return shipped.path(name)
