# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""A rectangle of a picture, resized and perhaps mirrored, and what that does to everything measured in the picture."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
from PIL import Image
from torch import Tensor


@dataclass(frozen=True)
class CropWindow:
    """Maps source pixels to output pixels; corners are counted in continuous pixels, (0.5, 0.5) is a pixel's centre.

    Attributes:
        source: (height, width) of the source picture.
        box: x0, y0, x1, y1 of the rectangle, in source pixels, inside the picture and not empty.
        size: (height, width) of the output.
        flip: mirror left and right after the crop.

    Raises:
        ValueError: an empty rectangle, one that leaves the picture, or an empty output.
    """

    source: tuple[int, int]
    box: tuple[float, float, float, float]
    size: tuple[int, int]
    flip: bool = False

    def __post_init__(self) -> None:
        (height, width), (x0, y0, x1, y1) = self.source, self.box
        if min(self.size) < 1:
            raise ValueError(f"size must be at least 1x1 pixels, got {self.size}")
        if not (0 <= x0 < x1 <= width and 0 <= y0 < y1 <= height):
            raise ValueError(f"box must be a rectangle inside {height}x{width} pixels, got {self.box}")

    @property
    def scale(self) -> tuple[float, float]:
        """Output pixels per source pixel along x and y."""
        x0, y0, x1, y1 = self.box
        return self.size[1] / (x1 - x0), self.size[0] / (y1 - y0)

    def mirrored(self) -> CropWindow:
        """The same rectangle, mirrored once more."""
        return replace(self, flip=not self.flip)

    def picture(self, image: Image.Image | np.ndarray) -> np.ndarray:
        """uint8 (h, w, 3) from an RGB picture of the source size, antialiased (bicubic)."""
        picture = image if isinstance(image, Image.Image) else Image.fromarray(image)
        if (picture.height, picture.width) != self.source:
            raise ValueError(f"image must be {self.source} pixels, got {(picture.height, picture.width)}")
        height, width = self.size
        if self.box != (0, 0, self.source[1], self.source[0]) or self.size != self.source:
            picture = picture.resize((width, height), Image.Resampling.BICUBIC, box=self.box, reducing_gap=3.0)
        array = np.array(picture)
        return np.ascontiguousarray(array[:, ::-1] if self.flip else array)

    def points(self, points: Tensor) -> Tensor:
        """(..., 2) x, y normalised to the source, to the same normalised to the output; outside [0, 1] if cut off."""
        x0, y0, x1, y1 = self.box
        height, width = self.source
        x = (points[..., 0] * width - x0) / (x1 - x0)
        y = (points[..., 1] * height - y0) / (y1 - y0)
        return torch.stack([1 - x if self.flip else x, y], dim=-1)

    def boxes(self, boxes: Tensor) -> Tensor:
        """(..., 4) normalised x1, y1, x2, y2, moved but not clipped."""
        first, second = self.points(boxes[..., :2]), self.points(boxes[..., 2:])
        return torch.cat([torch.minimum(first, second), torch.maximum(first, second)], dim=-1)

    def grid(self, grid: Tensor) -> Tensor:
        """(..., H', W') of values that must not be mixed, such as depth, by nearest neighbour; to (..., h, w).

        The grid covers the source picture and may have a resolution of its own.
        """
        rows = self._nearest(self.box[1], self.box[3], self.size[0], grid.shape[-2] / self.source[0], grid.shape[-2])
        columns = self._nearest(self.box[0], self.box[2], self.size[1], grid.shape[-1] / self.source[1], grid.shape[-1])
        return grid[..., rows[:, None], columns.flip(0) if self.flip else columns]

    def intrinsics(self, matrix: Tensor) -> Tensor:
        """(..., 3, 3) in source pixels to the same in output pixels, for a camera that is mirrored with the picture."""
        x0, y0, _, _ = self.box
        scale_x, scale_y = self.scale
        rows = [[scale_x, 0.0, -x0 * scale_x], [0.0, scale_y, -y0 * scale_y], [0.0, 0.0, 1.0]]
        moved = torch.tensor(rows, dtype=matrix.dtype, device=matrix.device) @ matrix
        if not self.flip:
            return moved
        # The mirrored camera sees (-x, y, z): u -> w - u needs the skew's sign and the principal point changed.
        mirror = torch.tensor([[-1.0, 0, float(self.size[1])], [0, 1, 0], [0, 0, 1]]).to(matrix)
        return mirror @ moved @ torch.diag(torch.tensor([-1.0, 1, 1])).to(matrix)

    def pose(self, pose: Tensor) -> Tensor:
        """(..., 3, 4) camera-to-world; a mirrored picture is a picture of the mirrored world (x -> -x)."""
        if not self.flip:
            return pose
        signs = torch.tensor([-1.0, 1, 1, 1]).to(pose)
        return pose * signs[:3, None] * signs

    @staticmethod
    def _nearest(low: float, high: float, count: int, ratio: float, available: int) -> Tensor:
        centres = low + (torch.arange(count, dtype=torch.float64) + 0.5) * (high - low) / count
        return (centres * ratio).floor().long().clamp(0, available - 1)
