# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""How a user names a block: by index, from the end, or by relative depth."""

import math
from collections.abc import Sequence


def resolve_layers(layers: Sequence[int | float], num_layers: int) -> list[int]:
    """Block indices in [0, num_layers).

    Args:
        layers: ints count blocks from 0, or from the end if negative; floats in (0, 1] are relative depths, so that
            1.0 is the last block and 0.67 of 12 blocks is the eighth (index 7).
        num_layers: blocks of the model.

    Raises:
        ValueError: no layer, or one that does not exist.
    """
    if not layers:
        raise ValueError("layers must name at least one block, got none")
    return [_resolve(layer, num_layers) for layer in layers]


def _resolve(layer: int | float, num_layers: int) -> int:
    if isinstance(layer, float):
        if not 0.0 < layer <= 1.0:
            raise ValueError(f"layer as a relative depth must lie in (0, 1], got {layer}")
        return max(0, math.floor(layer * num_layers + 0.5) - 1)
    if not -num_layers <= layer < num_layers:
        raise ValueError(f"layer must lie in [{-num_layers}, {num_layers - 1}], got {layer} ({num_layers} blocks)")
    return layer % num_layers
