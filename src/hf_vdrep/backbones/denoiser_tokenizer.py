# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""A pipeline's tokenizer as a backbone of its own, so that its latents can be kept and shared."""

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import torch

from .base import Backbone, check_videos, to_pixels
from .denoiser_latents import encode
from .feature_map import FeatureMap
from .fingerprint import fingerprint, public_config


class DenoiserTokenizer(Backbone):
    """Clean normalised latents (B, T', h, w, C) of a tokenizer of diffusers.

    Args:
        vae: tokenizer.
        alone: every frame is encoded as an image.
    """

    num_layers = 1
    uses_timestep = False
    name = "latents"
    site = "latents"

    def __init__(self, vae: Any, alone: bool) -> None:
        self.vae: Any = vae.eval().requires_grad_(False)
        self.alone = alone

    @cached_property
    def fingerprint(self) -> str:  # type: ignore[override]
        return fingerprint({"vae": self.vae}, {"vae": public_config(self.vae.config), "alone": self.alone})

    @property
    def device(self) -> torch.device:
        return next(self.vae.parameters()).device

    @torch.inference_mode()
    def prepare(self, videos: torch.Tensor) -> FeatureMap:
        """The feature map itself."""
        check_videos(videos)
        latents, spans = encode(self.vae, to_pixels(videos, self.device), alone=self.alone)
        stride = max(1, videos.shape[2] // latents.shape[3])
        return FeatureMap(latents.permute(0, 2, 3, 4, 1), 0, None, spans, stride, self.site)

    def extract(
        self,
        inputs: FeatureMap,
        *,
        sample_ids: Sequence[str],
        layers: Sequence[int | float],
        timesteps: Sequence[int | None],
        seed: int = 0,
    ) -> list[FeatureMap]:
        indices = self.resolve_layers(layers)
        self.check_timesteps(timesteps)
        return [inputs] * (len(indices) * len(timesteps))
