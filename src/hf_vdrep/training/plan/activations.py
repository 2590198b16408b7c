# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Bytes that a training step keeps for its backward pass.

A block with its MLP ratio r keeps, for each of its d channels of each token (float32 unless said otherwise; in
parentheses what autocast to 16 bit makes of it): the input, its norm (norms stay in float32), the modulated input
(2 bytes), queries and keys before their norms, the same after (2 bytes each), values and attention's output (2 bytes
each), the output projection, the sum, its norm, the modulated sum (2 bytes), r hidden units before and after GELU
(2 bytes each), the MLP's output: 4 (14 + 2 r) bytes, or 44 + 4 r under autocast. Unfused attention keeps its weights
too, and queries and keys in float32. Checked against what autograd saves (tests).

Attention to text has no bias that is trained, so it is fused everywhere.
"""

from dataclasses import dataclass

from ...models.walt_windows import fit_window
from .denoiser_shape import DenoiserShape

Window = tuple[int, int, int]


@dataclass(frozen=True)
class Arithmetic:
    """What the activations' bytes depend on.

    Attributes:
        half: autocast to 16 bit.
        fused: attention that keeps no weights (GPUs); a CPU keeps them where the position bias is trained.
    """

    half: bool = True
    fused: bool = True

    @property
    def low(self) -> int:
        """Bytes of a product's number."""
        return 2 if self.half else 4


def activation_bytes(
    shape: DenoiserShape, arithmetic: Arithmetic, *, checkpointing: bool = False, text_length: int = 128
) -> int:
    """Of one clip.

    Args:
        shape: of the denoiser.
        arithmetic: precision and kind of attention.
        checkpointing: only every block's input is kept, and one block at a time is whole.
        text_length: tokens of text, for models that read some.
    """
    layers = range(shape.config["num_layers"])
    blocks = [block_bytes(shape, layer, arithmetic, text_length) for layer in layers]
    ends = shape.tokens * shape.width * (8 + arithmetic.low)  # the last norm, and what is projected out
    if not checkpointing:
        return ends + sum(blocks)
    return ends + len(blocks) * 4 * shape.tokens * shape.width + max(blocks, default=0)


def block_bytes(shape: DenoiserShape, layer: int, arithmetic: Arithmetic, text_length: int = 128) -> int:
    """Of one block, for one clip."""
    config, tokens = shape.config, shape.tokens
    ratio, low = config["mlp_ratio"], arithmetic.low
    # Input, norm, output projection, sum, its norm, MLP's output; queries and keys before their norms.
    kept = 4 * 8 + low * (1 + 4 + 1 + 2 * ratio)
    window = _window(shape, layer)
    total = tokens * shape.width * kept + _attention(shape, window, arithmetic)
    if config["text_dim"] is not None:
        total += _cross_attention(shape, arithmetic, text_length)
    return int(total)


def _window(shape: DenoiserShape, layer: int) -> Window:
    config, grid = shape.config, shape.grid
    if config["objective"] == "image" or layer % 2 == 0:
        return fit_window((1, *config["spatial_window"]), grid)
    return fit_window((grid[0], *config["spatiotemporal_window"]), grid)


def _attention(shape: DenoiserShape, window: Window, arithmetic: Arithmetic) -> int:
    """What self-attention keeps beside its inputs and output: a sum for each query, or all of its weights."""
    heads = shape.config["num_attention_heads"]
    if arithmetic.fused:
        return 4 * heads * shape.tokens
    widened = 2 * (4 - arithmetic.low) * shape.width  # queries and keys, scaled in float32
    return shape.tokens * (4 * heads * window[0] * window[1] * window[2] + widened)


def _cross_attention(shape: DenoiserShape, arithmetic: Arithmetic, text_length: int) -> float:
    """Norm and attention to [the window's tokens, the text]."""
    window = fit_window((1, *shape.config["spatial_window"]), shape.grid)
    length, low, tokens = window[0] * window[1] * window[2], arithmetic.low, shape.tokens
    keys = tokens * (length + text_length) / length
    own = tokens * (shape.width * (4 + 4 + 3 * low) + 4 * shape.config["num_attention_heads"])
    return own + keys * shape.width * (4 + 3 * low)
