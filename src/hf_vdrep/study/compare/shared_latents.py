# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""One run of the tokenizer for all models that share it."""

from collections.abc import Sequence
from typing import Any

import torch

from ...backbones.base import Backbone
from ...backbones.feature_map import FeatureMap
from ...backbones.floors import LatentBackbone
from ...backbones.frame_spans import causal_frame_spans
from ...backbones.walt import WaltBackbone
from ...backbones.walt_reading import WaltInputs


class FromLatents(Backbone):
    """A WALT backbone whose input is the clip's clean latents, as `LatentBackbone` extracts them.

    The features are those of the backbone itself, and so is the fingerprint: latents are kept in float32.

    Args:
        backbone: reads the clip's latents, together or as a stack of images.
        num_frames: T of the clips, which the latents no longer tell.
    """

    uses_timestep = True

    def __init__(self, backbone: WaltBackbone, num_frames: int) -> None:
        self.backbone, self.num_frames = backbone, num_frames
        self.name, self.num_layers = backbone.name, backbone.num_layers

    @property
    def fingerprint(self) -> str:  # type: ignore[override]
        return self.backbone.fingerprint

    def prepare(self, videos: torch.Tensor) -> WaltInputs:
        """Latents (B, T', h, w, c) take the place of videos."""
        spans = causal_frame_spans(self.num_frames, self.backbone.vae.temporal_compression_ratio)
        return WaltInputs(videos.permute(0, 4, 1, 2, 3).contiguous(), spans)

    def extract(self, inputs: Any, *, sample_ids: Sequence[str], **wanted: Any) -> list[FeatureMap]:
        return self.backbone.extract(inputs, sample_ids=sample_ids, **wanted)

    def check_timesteps(self, timesteps: Sequence[int | None]) -> None:
        self.backbone.check_timesteps(timesteps)


def shares_latents(backbone: Backbone, latents: LatentBackbone) -> bool:
    """Whether `backbone` reads exactly the latents that `latents` extracts."""
    if not isinstance(backbone, WaltBackbone) or backbone.video_as not in ("video", "stack"):
        return False
    return LatentBackbone(backbone.vae).fingerprint == latents.fingerprint
