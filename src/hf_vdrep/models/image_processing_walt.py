# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Photographs to `pixel_values`, in the form of a transformers image processor."""

from collections.abc import Mapping
from typing import Any

from transformers.image_processing_utils import BaseImageProcessor, BatchFeature


class WaltImageProcessor(BaseImageProcessor):
    """Cover the model's size, cut out the centre, and bring to [-1, 1].

    Args:
        size: `{"height": ..., "width": ...}` in pixels.
    """

    model_input_names = ["pixel_values"]

    def __init__(self, size: Mapping[str, int] | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.size = dict(size or {"height": 128, "width": 128})

    def __call__(self, images: Any, return_tensors: str | None = "pt", **kwargs: Any) -> BatchFeature:
        """One picture or several to `pixel_values` (B, 3, H, W) in [-1, 1].

        Args:
            images: a picture or a list of pictures: PIL images, or arrays or tensors (H, W, C) or (C, H, W), integers
                in 0-255 or floats in [0, 1]; or a batch of them in one array.
            return_tensors: "pt", "np" or None.
            kwargs: ignored, for the callers of transformers.
        """
        return self.preprocess(images, return_tensors=return_tensors)

    def preprocess(self, images: Any, return_tensors: str | None = "pt", **kwargs: Any) -> BatchFeature:
        """As `__call__`."""
        # Imported late: registering this class must not cost an import of torch.
        import torch

        from .pixel_preparation import fit, picture_to_tensor, to_signed

        size = (self.size["height"], self.size["width"])
        several = isinstance(images, list | tuple) or getattr(images, "ndim", 0) == 4
        pictures = images if several else [images]
        pixels = torch.cat([fit(picture_to_tensor(picture)[None], size) for picture in pictures])
        return BatchFeature({"pixel_values": to_signed(pixels)}, tensor_type=return_tensors)
