# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""What the image and the video processor share: the options and their way to pixels."""

from collections.abc import Mapping, Sequence
from typing import Any

SIDE = 128
_BICUBIC = 3
_HALF = (0.5, 0.5, 0.5)


class PixelProcessorMixin:
    """Size, crop, range and normalisation of transformers' processors.

    By default a picture covers the size, its centre is cut out, and [0, 1] becomes [-1, 1].
    """

    def _set_options(
        self,
        size: Mapping[str, int] | int | Sequence[int] | None,
        *,
        do_resize: bool,
        resample: int,
        do_center_crop: bool,
        do_rescale: bool,
        rescale_factor: float,
        do_normalize: bool,
        image_mean: float | Sequence[float] | None,
        image_std: float | Sequence[float] | None,
    ) -> None:
        self.size = as_size(size)
        self.do_resize, self.resample, self.do_center_crop = do_resize, int(resample), do_center_crop
        self.do_rescale, self.rescale_factor = do_rescale, rescale_factor
        self.do_normalize = do_normalize
        self.image_mean, self.image_std = as_channels(image_mean), as_channels(image_std)

    def _option(self, name: str, given: Mapping[str, Any]) -> Any:
        """Of this call, or else the processor's own."""
        value = given.get(name)
        return getattr(self, name) if value is None else value

    def _pixels(self, pictures: Sequence[Any], given: Mapping[str, Any]) -> Any:
        """(N, 3, H, W) of pictures of one size, as the options say."""
        # Imported late: registering a processor must not cost an import of torch.
        import torch

        from .pixel_preparation import cut_centre, fit, picture_to_tensor

        factor = self._option("rescale_factor", given) if self._option("do_rescale", given) else 1.0
        channels = given.get("input_data_format")
        frames = torch.stack([picture_to_tensor(picture, factor, channels) for picture in pictures])
        size = as_size(self._option("size", given))
        target, crop = (size["height"], size["width"]), self._option("do_center_crop", given)
        if self._option("do_resize", given):
            resample = int(self._option("resample", given))
            frames = fit(frames, target, crop=crop, resample=resample)
        elif crop:
            frames = cut_centre(frames, target)
        if self._option("do_normalize", given):
            mean, std = (as_channels(self._option(name, given)) for name in ("image_mean", "image_std"))
            frames = (frames - torch.tensor(mean).view(3, 1, 1)) / torch.tensor(std).view(3, 1, 1)
        return frames


def as_size(size: Mapping[str, int] | int | Sequence[int] | None) -> dict[str, int]:
    """`{"height": ..., "width": ...}` of the forms that transformers knows.

    Raises:
        ValueError: another form.
    """
    if size is None:
        return {"height": SIDE, "width": SIDE}
    if isinstance(size, int):
        return {"height": size, "width": size}
    if isinstance(size, Sequence) and len(size) == 2:
        return {"height": size[0], "width": size[1]}
    given = dict(size)  # type: ignore[arg-type]
    if {"height", "width"} <= set(given):
        return {"height": given["height"], "width": given["width"]}
    if "shortest_edge" in given:
        return {"height": given["shortest_edge"], "width": given["shortest_edge"]}
    raise ValueError(f"size must be a number, two, or a dict with height and width or shortest_edge, got {given}")


def as_channels(value: float | Sequence[float] | None) -> list[float]:
    """One number for each of R, G and B; a half by default."""
    if value is None:
        return list(_HALF)
    if isinstance(value, int | float):
        return [float(value)] * 3
    return [float(each) for each in value]
