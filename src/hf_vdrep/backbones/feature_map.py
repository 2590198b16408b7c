# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""What a backbone hands on, and all that readouts ever see of it."""

from dataclasses import dataclass

import torch


@dataclass(frozen=True)
class FeatureMap:
    """Features of a batch at one layer and one noise level.

    Args:
        values: floating (B, T', H', W', C).
        layer: block index, counted from 0.
        timestep: diffusion step of the noise, or None where no noise was added.
        frame_spans: int64 (T', 2), first and last + 1 input frame that each feature step covers.
        stride: pixels per cell of the H' x W' grid.
        site: where in the block the features were taken.

    Raises:
        ValueError: a field that contradicts the others.
    """

    values: torch.Tensor
    layer: int
    timestep: int | None
    frame_spans: torch.Tensor
    stride: int
    site: str = "block"

    def __post_init__(self) -> None:
        if self.values.ndim != 5 or not self.values.is_floating_point():
            raise ValueError(
                f"values must be floating (B, T', H', W', C), got {self.values.dtype} {tuple(self.values.shape)}"
            )
        if self.frame_spans.shape != (self.values.shape[1], 2) or self.frame_spans.dtype != torch.int64:
            raise ValueError(
                f"frame_spans must be int64 ({self.values.shape[1]}, 2), "
                f"got {self.frame_spans.dtype} {tuple(self.frame_spans.shape)}"
            )
        if bool((self.frame_spans[:, 0] >= self.frame_spans[:, 1]).any()):
            raise ValueError(f"frame_spans must each cover at least one frame, got {self.frame_spans.tolist()}")
        if self.layer < 0:
            raise ValueError(f"layer must be a block index counted from 0, got {self.layer}")
        if self.stride < 1:
            raise ValueError(f"stride must be at least 1 pixel, got {self.stride}")
