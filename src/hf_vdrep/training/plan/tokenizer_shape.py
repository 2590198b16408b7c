# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""A tokenizer as plans see it: its convolutions in closed form, with neither torch nor memory."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from ...models.autoencoder_layout import Layout, make_layout

Size = tuple[int, int, int]
_DEFAULTS: dict[str, Any] = {
    "in_channels": 3,
    "out_channels": 3,
    "latent_channels": 8,
    "block_out_channels": (128, 256, 256, 512),
    "layers_per_block": 4,
    "mid_block_layers": 4,
    "temporal_downsample": (False, True, True),
    "spatial_downsample": None,
    "temporal_kernel_sizes": 3,
    "norm_num_groups": 32,
}


@dataclass(frozen=True)
class Layer:
    """A convolution (its kernel (t, s, s)), or a linear layer (kernel (1, 1, 1) once a latent frame), with its output.

    Attributes:
        kernel: taps in time, and along each side of the picture.
        inputs, outputs: channels.
        size: (frames, height, width) of the output.
        bias: whether it has one.
        norm: scale and shift, of so many channels each, of the norm before it.
    """

    kernel: tuple[int, int]
    inputs: int
    outputs: int
    size: Size
    bias: bool = False
    norm: int = 0

    @property
    def parameters(self) -> int:
        """Weights, biases, and those of the norm before."""
        taps = self.kernel[0] * self.kernel[1] ** 2
        return taps * self.inputs * self.outputs + self.bias * self.outputs + 2 * self.norm

    def flops(self, first_alone: bool) -> int:
        """Two for every multiply-add. Of a first frame alone, only the last tap in time meets anything."""
        frames = self.size[0] * self.kernel[0] - (self.kernel[0] - 1) * first_alone
        return 2 * frames * self.kernel[1] ** 2 * self.inputs * self.outputs * self.size[1] * self.size[2]


@dataclass(frozen=True)
class TokenizerShape:
    """Counts of an `AutoencoderWalt`.

    Attributes:
        config: its arguments; what is missing has its default.
    """

    config: Mapping[str, Any]

    @cached_property
    def full(self) -> dict[str, Any]:
        """All arguments that shape it."""
        return {name: self.config.get(name, default) for name, default in _DEFAULTS.items()}

    @cached_property
    def layout(self) -> Layout:
        """Levels, finest first."""
        skipped = ("in_channels", "out_channels", "latent_channels")
        return make_layout(**{name: value for name, value in self.full.items() if name not in skipped})

    @cached_property
    def parameters(self) -> int:
        """Of encoder and decoder."""
        return sum(layer.parameters for layer in self._all())

    @cached_property
    def tensors(self) -> int:
        """Parameter tensors."""
        return sum(1 + layer.bias + 2 * bool(layer.norm) for layer in self._all())

    @property
    def names(self) -> int:
        """Letters of the state dict's names, about."""
        return 36 * self.tensors

    def latent_shape(self, frames: int, height: int, width: int) -> tuple[int, int, int, int]:
        """(c, T', h, w) of a clip's latents."""
        space, time = self.layout.spatial_ratio, self.layout.temporal_ratio
        return self.full["latent_channels"], 1 + (frames - 1) // time, height // space, width // space

    def encode_flops(self, frames: int, height: int, width: int, *, training: bool = False) -> int:
        """Of encoding one clip; outside of training its first frame goes alone."""
        return sum(layer.flops(frames == 1 or not training) for layer in self.encoder((frames, height, width)))

    def decode_flops(self, frames: int, height: int, width: int, *, training: bool = False) -> int:
        """Of decoding one clip; outside of training its first frame goes alone."""
        return sum(layer.flops(frames == 1 or not training) for layer in self.decoder((frames, height, width)))

    def _all(self) -> list[Layer]:
        clip = (1 + self.layout.temporal_ratio, self.layout.spatial_ratio, self.layout.spatial_ratio)
        return [*self.encoder(clip), *self.decoder(clip)]

    def encoder(self, size: Size) -> Iterator[Layer]:
        """Layers of the encoder for a clip of (frames, height, width)."""
        layout, width = self.layout, self.layout.widths[0]
        yield Layer((layout.kernels[0], 3), self.full["in_channels"], width, size)
        for level, out in enumerate(layout.widths):
            kernel = layout.kernels[level]
            if level:
                stride = layout.strides[level - 1]
                size = _down(size, stride)
                yield Layer((max(kernel, 3) if stride[0] == 2 else kernel, 3), width, out, size, bias=True)
                width = out
            yield from _residual(layout.layers[level], width, kernel, size)
        yield from _residual(layout.mid_layers, width, layout.kernels[-1], size)
        yield Layer((1, 1), width, self.full["latent_channels"], size, bias=True, norm=width)

    def decoder(self, size: Size) -> Iterator[Layer]:
        """Layers of the decoder that gives a clip of (frames, height, width)."""
        layout, latents = self.layout, self.full["latent_channels"]
        sizes = [size]
        for stride in layout.strides:
            sizes.append(_down(sizes[-1], stride))
        yield Layer((layout.kernels[-1], 3), latents, layout.widths[-1], sizes[-1], bias=True)
        yield from _residual(layout.mid_layers, layout.widths[-1], layout.kernels[-1], sizes[-1])
        for level in reversed(range(len(layout.widths))):
            width, kernel = layout.widths[level], layout.kernels[level]
            if layout.layers[level]:  # the adaptive norm: scale and shift from each latent frame
                for _ in range(2):
                    yield Layer((1, 1), latents, width, (sizes[-1][0], 1, 1), bias=True)
            yield from _residual(layout.layers[level], width, kernel, sizes[level])
            if level:
                yield self._upsampler(level, sizes[level])
        width = layout.widths[0]
        yield Layer((layout.kernels[0], 3), width, self.full["out_channels"], size, bias=True, norm=width)

    def _upsampler(self, level: int, size: Size) -> Layer:
        layout, stride = self.layout, self.layout.strides[level - 1]
        made = layout.widths[level - 1] * math.prod(stride)
        return _Upsampler((layout.kernels[level - 1], 3), layout.widths[level], made, size, bias=True, time=stride[0])


@dataclass(frozen=True)
class _Upsampler(Layer):
    time: int = 1

    def flops(self, first_alone: bool) -> int:
        if not first_alone:
            return super().flops(False)
        # Of a frame alone, the channels of the frame that would be dropped are not computed.
        rest = self.size[0] * self.kernel[0] - self.kernel[0]
        taps = rest + 1 / self.time
        return int(2 * taps * self.kernel[1] ** 2 * self.inputs * self.outputs * self.size[1] * self.size[2])


def _down(size: Size, stride: tuple[int, int, int]) -> Size:
    return 1 + (size[0] - 1) // stride[0], size[1] // stride[1], size[2] // stride[2]


def _residual(count: int, width: int, kernel: int, size: Size) -> Iterator[Layer]:
    for _ in range(2 * count):
        yield Layer((kernel, 3), width, width, size, norm=width)
