# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""What a model's layers look like and cost."""

from dataclasses import dataclass

import torch
from torch.utils.flop_counter import FlopCounterMode

from .base import Backbone


@dataclass(frozen=True)
class LayerRow:
    """One layer.

    Attributes:
        layer: index.
        name: of the block.
        shape: (T', H', W', C) of one clip's features.
        stride: pixels per cell.
        flops: multiplications and additions up to here, tokenizer left out.
        share: of those up to the last layer, in (0, 1]; 1 where there is no work.
    """

    layer: int
    name: str
    shape: tuple[int, ...]
    stride: int
    flops: int
    share: float


def layer_table(backbone: Backbone, *, num_frames: int = 17, resolution: int = 64) -> list[LayerRow]:
    """Run one black clip up to every layer and count.

    Args:
        backbone: the frozen model.
        num_frames: of the clip.
        resolution: side of a frame, pixels.

    Raises:
        ValueError: a clip that the model cannot take.
    """
    clip = torch.zeros(1, num_frames, resolution, resolution, 3, dtype=torch.uint8)
    timesteps = [0] if backbone.uses_timestep else [None]
    inputs = backbone.prepare(clip)
    found, counts = [], []
    for layer in range(backbone.num_layers):
        with FlopCounterMode(display=False) as counter:
            found += backbone.extract(inputs, sample_ids=["layers"], layers=[layer], timesteps=timesteps)
        counts.append(int(counter.get_total_flops()))
    names, whole = backbone.layer_names(), counts[-1]
    return [
        LayerRow(
            layer,
            names[layer],
            tuple(features.values.shape[1:]),
            features.stride,
            count,
            count / whole if whole else 1.0,
        )
        for layer, (features, count) in enumerate(zip(found, counts, strict=True))
    ]
