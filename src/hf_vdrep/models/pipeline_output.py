# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""What `WaltPipeline` returns."""

from dataclasses import dataclass

import numpy as np
import PIL.Image
import torch
from diffusers.utils import BaseOutput


@dataclass
class WaltPipelineOutput(BaseOutput):
    """Images or videos; the field that was not made is None and absent from the tuple.

    Args:
        images: of B images: a list of PIL images, (B, H, W, 3) NumPy in [0, 1], (B, 3, H, W) torch in [0, 1], or
            normalised latents (B, c, 1, h, w).
        frames: of B videos: lists of PIL frames, (B, T, H, W, 3) NumPy, (B, T, 3, H, W) torch, or normalised
            latents (B, c, T', h, w).
    """

    images: list[PIL.Image.Image] | np.ndarray | torch.Tensor | None = None
    frames: list[list[PIL.Image.Image]] | np.ndarray | torch.Tensor | None = None
