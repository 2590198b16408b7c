# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Photographs to `pixel_values`, in the form of a transformers image processor, and depth maps back to their size."""

from collections.abc import Mapping, Sequence
from typing import Any

from transformers.image_processing_utils import BaseImageProcessor, BatchFeature

from .pixel_processor import PixelProcessorMixin


class WaltImageProcessor(PixelProcessorMixin, BaseImageProcessor):
    """Cover the model's size, cut out the centre, and bring to [-1, 1]; needs no torchvision.

    Args:
        size: `{"height": ..., "width": ...}` in pixels, or one number, or two.
        do_resize: scale the picture.
        resample: filter of the scaling, in PIL's numbers: 0 nearest, 2 bilinear, 3 bicubic, 4 box.
        do_center_crop: keep the aspect and cut out the centre; False squeezes the whole picture into the size.
        do_rescale: multiply integers by `rescale_factor`; floats count as [0, 1] already.
        rescale_factor: 1/255.
        do_normalize: subtract `image_mean` and divide by `image_std`.
        image_mean, image_std: of R, G and B, or one number.
    """

    model_input_names = ["pixel_values"]

    def __init__(
        self,
        size: Mapping[str, int] | int | Sequence[int] | None = None,
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

    def __call__(self, images: Any, return_tensors: str | None = "pt", **kwargs: Any) -> BatchFeature:
        """One picture or several to `pixel_values` (B, 3, H, W).

        Args:
            images: a picture or a list of pictures, nested or not: PIL images, paths or URLs, or arrays or tensors
                (H, W, C) or (C, H, W), integers in 0-255 or floats in [0, 1]; or a batch of them in one array.
            return_tensors: "pt", "np" or None.
            kwargs: options of the constructor for this call, and `input_data_format`; others are ignored, for the
                callers of transformers.

        Raises:
            ValueError: no pictures, or pictures that the options leave of different sizes.
        """
        return self.preprocess(images, return_tensors=return_tensors, **kwargs)

    def preprocess(self, images: Any, return_tensors: str | None = "pt", **kwargs: Any) -> BatchFeature:
        """As `__call__`."""
        import torch

        pixels = [self._pixels([picture], kwargs) for picture in _flat(images)]
        if not pixels:
            raise ValueError("images must hold at least one picture, got none")
        if len({each.shape for each in pixels}) > 1:
            raise ValueError(f"images must come out of one size, got {[tuple(each.shape[2:]) for each in pixels]}")
        return BatchFeature({"pixel_values": torch.cat(pixels)}, tensor_type=return_tensors)

    def post_process_depth_estimation(
        self, outputs: Any, target_sizes: Sequence[tuple[int, int]] | Any | None = None
    ) -> list[dict[str, Any]]:
        """Depth maps of a head's output, one per picture.

        With `do_center_crop=False`, as depth heads are saved, a map covers the picture; else its centre.

        Args:
            outputs: output of `WaltForDepthEstimation`, `predicted_depth` (B, h, w) in metres.
            target_sizes: (height, width) of every picture, to which its map is scaled; None leaves the maps alone.

        Returns:
            `{"predicted_depth": (height, width)}` per picture.

        Raises:
            ValueError: a number of sizes that is not B.
        """
        import torch.nn.functional as F

        maps = outputs.predicted_depth
        if target_sizes is not None and len(target_sizes) != len(maps):
            raise ValueError(f"target_sizes must be one per picture ({len(maps)}), got {len(target_sizes)}")
        sizes = (
            [None] * len(maps) if target_sizes is None else [tuple(int(side) for side in size) for size in target_sizes]
        )
        scaled = [
            each if size is None else F.interpolate(each[None, None], size=size, mode="bilinear")[0, 0]
            for each, size in zip(maps, sizes, strict=True)
        ]
        return [{"predicted_depth": each} for each in scaled]

    @classmethod
    def register_for_auto_class(cls, auto_class: str | type = "AutoImageProcessor") -> None:
        """Nothing to do: a saved folder names the package's own classes, and copied code would not import."""


# transformers' name for a processor without torchvision. It is the same one, so that features do not depend on what
# else is installed.
WaltImageProcessorPil = WaltImageProcessor


def _flat(images: Any) -> list[Any]:
    """The pictures of a picture, a batch in one array, or lists of such."""
    if isinstance(images, str):
        from transformers.image_utils import load_image

        return [load_image(images)]
    if isinstance(images, list | tuple) or getattr(images, "ndim", 0) == 4:
        return [picture for each in images for picture in _flat(each)]
    return [images]
