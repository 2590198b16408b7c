# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""What the tokenizer's two halves share: widths, depths, kernels and strides of the levels, checked."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Layout:
    """Levels of encoder and decoder, finest first.

    Attributes:
        widths: channels of every level.
        layers: residual blocks of every level.
        mid_layers: residual blocks beyond the coarsest level.
        strides: (s_t, s_h, s_w) of each step between levels.
        kernels: temporal kernel of every level.
        norm_num_groups: groups of the per-frame GroupNorm.
    """

    widths: tuple[int, ...]
    layers: tuple[int, ...]
    mid_layers: int
    strides: tuple[tuple[int, int, int], ...]
    kernels: tuple[int, ...]
    norm_num_groups: int

    @property
    def spatial_ratio(self) -> int:
        return 2 ** sum(stride[1] == 2 for stride in self.strides)

    @property
    def temporal_ratio(self) -> int:
        return 2 ** sum(stride[0] == 2 for stride in self.strides)


def make_layout(
    block_out_channels: Sequence[int],
    layers_per_block: int | Sequence[int],
    mid_block_layers: int,
    temporal_downsample: Sequence[bool],
    spatial_downsample: Sequence[bool] | None,
    temporal_kernel_sizes: int | Sequence[int],
    norm_num_groups: int,
) -> Layout:
    """Check the arguments of `AutoencoderWalt` and bring them into one form.

    Raises:
        ValueError: names the argument, what came and what is expected.
    """
    levels = len(block_out_channels)
    layers = _per_level("layers_per_block", layers_per_block, levels)
    kernels = _per_level("temporal_kernel_sizes", temporal_kernel_sizes, levels)
    space = [True] * (levels - 1) if spatial_downsample is None else spatial_downsample
    for name, steps in (("temporal_downsample", temporal_downsample), ("spatial_downsample", space)):
        if len(steps) != levels - 1:
            raise ValueError(f"{name} must have one entry per step between levels ({levels - 1}), got {len(steps)}")
    if any(width % norm_num_groups for width in block_out_channels):
        raise ValueError(
            f"block_out_channels must be multiples of norm_num_groups={norm_num_groups}, got {list(block_out_channels)}"
        )
    if min(kernels) < 1:
        raise ValueError(f"temporal_kernel_sizes must be at least 1, got {kernels}")
    strides = tuple((1 + bool(t), 1 + bool(s), 1 + bool(s)) for t, s in zip(temporal_downsample, space, strict=True))
    return Layout(tuple(block_out_channels), tuple(layers), mid_block_layers, strides, tuple(kernels), norm_num_groups)


def _per_level(name: str, value: int | Sequence[int], levels: int) -> list[int]:
    values = [value] * levels if isinstance(value, int) else list(value)
    if len(values) != levels:
        raise ValueError(f"{name} must be an int or have one entry per level ({levels}), got {len(values)}")
    return values
