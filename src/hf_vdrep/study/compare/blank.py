# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""The floor below all floors: a backbone that says nothing."""

from collections.abc import Sequence

import torch

from ...backbones.base import Backbone, check_videos
from ...backbones.feature_map import FeatureMap

_CHANNELS = 4


class BlankBackbone(Backbone):
    """One constant token for a whole clip: a readout on it learns what the labels alone give away.

    It goes through the same readouts and schedules as every backbone, so "chance" is measured and not assumed: the
    commonest class, the mean depth of each pixel, the mean motion of each point.
    """

    name = "chance"
    num_layers = 1
    uses_timestep = False
    fingerprint = "blank"  # type: ignore[assignment]

    def prepare(self, videos: torch.Tensor) -> torch.Tensor:
        check_videos(videos)
        return videos

    def extract(
        self,
        inputs: torch.Tensor,
        *,
        sample_ids: Sequence[str],
        layers: Sequence[int | float],
        timesteps: Sequence[int | None],
        seed: int = 0,
    ) -> list[FeatureMap]:
        indices = self.resolve_layers(layers)
        self.check_timesteps(timesteps)
        count, frames, height = inputs.shape[:3]
        values = torch.zeros(count, 1, 1, 1, _CHANNELS)
        spans = torch.tensor([[0, frames]])
        return [FeatureMap(values, layer, None, spans, height, "blank") for _ in timesteps for layer in indices]
