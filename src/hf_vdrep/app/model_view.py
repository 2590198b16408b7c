# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""One model's features of a clip, and what they look like."""

from dataclasses import dataclass

import torch

from ..study.inspect_clip import feature_change, frame_steps
from ..study.inspect_dense import Tap, dense_features, position_pattern
from .catalogue import is_shipped
from .choices import Choice
from .footage import Footage, open_example
from .gpu import on_gpu
from .memo import RememberingBackbone
from .shelf import Shelf

_REFERENCE = "hourglass"


@dataclass(frozen=True)
class Features:
    """Features of a clip of T frames.

    Attributes:
        values: float32 (S, h, w, C), the position pattern taken off where that was asked for.
        steps: int64 (T,), which of the S steps covers each frame.
        layer: block index.
        num_layers: of the model.
        timestep: noise level; None for a model that takes no noise.
        site: where in the block.
        cell: pixels of the input per cell of the model's own grid.
        lag: frames that one step covers at most.
        reading: how the model read the clip, see `WaltBackbone`; "" if it has one way.
        positioned: whether the values still hold the position pattern.
    """

    values: torch.Tensor
    steps: torch.Tensor
    layer: int
    num_layers: int
    timestep: int | None
    site: str
    cell: int
    lag: int
    reading: str
    positioned: bool

    def change(self) -> torch.Tensor:
        """How far the features moved over the last `lag` frames: float32 (T, h, w), see `feature_change`."""
        return feature_change(self.values, self.steps, self.lag)


def features_of(shelf: Shelf, name: str, footage: Footage, choice: Choice) -> Features:
    """Features of a clip as chosen; larger models run on the accelerator where there is one.

    Raises:
        ValueError: a model, layer, noise level, site or clip that does not go together.
    """
    return _features(shelf, name, footage, choice) if is_shipped(name) else _on_gpu(shelf, name, footage, choice)


def _features(shelf: Shelf, name: str, footage: Footage, choice: Choice) -> Features:
    backbone = shelf.open(name, choice.site)
    density = choice.density if backbone.stride % choice.density == 0 else 1
    tap = Tap(choice.depth, choice.timestep, 0, 1, density)
    found = dense_features(backbone, footage.frames, footage.key, tap)
    values = found.values[0]
    # Rolling a clip around costs 16 passes, which only a small model can afford.
    positioned = choice.keep_position or not is_shipped(name) or backbone.num_layers < 2
    if not positioned:
        values = values - _pattern(shelf, backbone, choice, density, footage.is_photo)
    spans = found.frame_spans
    return Features(
        values=values,
        steps=frame_steps(spans, len(footage.frames)),
        layer=found.layer,
        num_layers=backbone.num_layers,
        timestep=found.timestep,
        site=found.site,
        cell=found.stride * density,
        lag=int((spans[:, 1] - spans[:, 0]).max()),
        reading="image" if footage.is_photo else backbone.video_as,
        positioned=positioned,
    )


_on_gpu = on_gpu(_features)


def _pattern(shelf: Shelf, backbone: RememberingBackbone, choice: Choice, density: int, photo: bool) -> torch.Tensor:
    """What features hold because of their place alone: float32 (h, w, C).

    It is measured on one clip for all: the pattern belongs to the model, and waiting for it once is enough.
    """
    reference = open_example(_REFERENCE).frames
    reference = reference[:1] if photo else reference
    tap = Tap(choice.depth, choice.timestep)
    key = backbone.fingerprint, choice.depth, choice.timestep, choice.site, photo
    pattern = shelf.pattern(key, lambda: position_pattern(backbone, reference, "position", tap))
    return pattern.repeat_interleave(density, 0).repeat_interleave(density, 1)
