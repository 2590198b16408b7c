# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Convolutions tile by tile, equal to the whole.

The tokenizer's GroupNorm pools over a whole frame, so tiles that run through the network on their own see other
statistics and differ from the whole, however they are blended. Here every layer is cut instead: the statistics come
from whole frames, each convolution gets its tile with a halo of real neighbours, and there are no seams to blend.

What is bounded by the tile: the working memory of norm, activation and convolution, on the device that computes. What
is not: a layer's input and output, and a stream's cache. They lie where `storage` says; on the CPU they leave an
accelerator's memory to the tile alone.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
import torch.nn.functional as F

from .causal_conv import Cache, CausalConv3d

Affine = tuple[torch.Tensor, torch.Tensor]


@dataclass(frozen=True)
class Tiling:
    """How layers are cut.

    Attributes:
        height: positions of a layer's output per tile, vertically.
        width: and horizontally.
        device: where tiles are computed.
        storage: where the maps between layers lie.
    """

    height: int
    width: int
    device: torch.device
    storage: torch.device

    def spans(self, height: int, width: int) -> Iterator[tuple[tuple[int, int], tuple[int, int]]]:
        """((top, bottom), (left, right)) of the tiles of a map."""
        for top in range(0, height, self.height):
            for left in range(0, width, self.width):
                yield (top, min(top + self.height, height)), (left, min(left + self.width, width))


def tiled_conv(
    conv: CausalConv3d,
    input: torch.Tensor,
    cache: Cache | None,
    tiling: Tiling,
    *,
    affine: Affine | None = None,
    after: Callable[[torch.Tensor], torch.Tensor] | None = None,
    outputs: int | None = None,
) -> tuple[torch.Tensor, Cache | None]:
    """`conv(input, cache)`, tile by tile.

    Args:
        conv: the convolution.
        input: (B, C, T, H, W), on any device.
        cache: as for `CausalConv3d`.
        tiling: how to cut.
        affine: what stands before the convolution: swish(scale * input + shift).
        after: pointwise in space, may enlarge it by a whole factor (depth to space).
        outputs: as for `CausalConv3d`.

    Returns:
        (output on `tiling.storage`, next cache).
    """
    height, width = ((size - 1) // stride + 1 for size, stride in zip(input.shape[3:], conv.stride[1:], strict=True))
    past = cache["past"] if cache else None
    output: torch.Tensor | None = None
    kept: torch.Tensor | None = None
    for rows, columns in tiling.spans(height, width):
        window = [_window(span, conv, axis) for axis, span in ((1, rows), (2, columns))]
        piece = _cut(input, window, tiling.device, affine)
        piece_cache = cache and {"past": None if past is None else _cut(past, window, tiling.device)}
        piece, piece_cache = conv(piece, piece_cache, outputs=outputs, pad_space=False)
        piece = piece if after is None else after(piece)
        output = _place(output, piece, rows, columns, (height, width), tiling.storage)
        if piece_cache and piece_cache["past"] is not None:
            core, spans = _core(piece_cache["past"], window, input)
            kept = _place(kept, core, *spans, (input.shape[3], input.shape[4]), tiling.storage)
    assert output is not None
    return output, None if cache is None else {"past": kept}


def tiled_affine(input: torch.Tensor, scale: torch.Tensor, shift: torch.Tensor, tiling: Tiling) -> torch.Tensor:
    """scale * input + shift, in float32 per tile, stored in the input's dtype."""
    output: torch.Tensor | None = None
    for rows, columns in tiling.spans(*input.shape[3:]):
        piece = input[:, :, :, slice(*rows), slice(*columns)].to(tiling.device)
        piece = torch.addcmul(shift.to(tiling.device), piece.float(), scale.to(tiling.device)).to(input.dtype)
        output = _place(output, piece, rows, columns, (input.shape[3], input.shape[4]), tiling.storage)
    assert output is not None
    return output


def _window(span: tuple[int, int], conv: CausalConv3d, axis: int) -> tuple[int, int]:
    """Input positions [from, to) that the outputs in `span` look at; may reach over the border."""
    stride, padding, kernel = conv.stride[axis], int(conv.padding[axis]), conv.kernel_size[axis]
    return span[0] * stride - padding, (span[1] - 1) * stride - padding + kernel


def _cut(
    input: torch.Tensor, window: list[tuple[int, int]], device: torch.device, affine: Affine | None = None
) -> torch.Tensor:
    (top, bottom), (left, right) = window
    height, width = input.shape[3:]
    piece = input[:, :, :, max(top, 0) : min(bottom, height), max(left, 0) : min(right, width)].to(device)
    if affine is not None:
        scale, shift = (value.to(device) for value in affine)
        piece = F.silu(torch.addcmul(shift, piece.float(), scale)).to(input.dtype)
    # The border is zero after norm and activation, as in the whole.
    border = (max(-left, 0), max(right - width, 0), max(-top, 0), max(bottom - height, 0))
    piece = F.pad(piece, border) if any(border) else piece
    return piece.contiguous(memory_format=torch.channels_last_3d)


def _core(
    past: torch.Tensor, window: list[tuple[int, int]], input: torch.Tensor
) -> tuple[torch.Tensor, tuple[tuple[int, int], tuple[int, int]]]:
    """The part of a tile's kept frames that lies inside the map, and where; overlapping halos agree."""
    spans = [(max(low, 0), min(high, size)) for (low, high), size in zip(window, input.shape[3:], strict=True)]
    rows, columns = ((a - low, b - low) for (a, b), (low, _) in zip(spans, window, strict=True))
    return past[:, :, :, slice(*rows), slice(*columns)], (spans[0], spans[1])


def _place(
    target: torch.Tensor | None,
    piece: torch.Tensor,
    rows: tuple[int, int],
    columns: tuple[int, int],
    size: tuple[int, int],
    storage: torch.device,
) -> torch.Tensor:
    """Write a tile into the map, which is made for the first one; a piece may be larger by a whole factor."""
    factors = piece.shape[3] // (rows[1] - rows[0]), piece.shape[4] // (columns[1] - columns[0])
    if target is None:
        shape = (*piece.shape[:3], size[0] * factors[0], size[1] * factors[1])
        target = torch.empty(shape, dtype=piece.dtype, device=storage, memory_format=torch.channels_last_3d)
    (top, bottom), (left, right) = (tuple(p * f for p in s) for s, f in zip((rows, columns), factors, strict=True))
    target[:, :, :, top:bottom, left:right] = piece.to(storage)
    return target
