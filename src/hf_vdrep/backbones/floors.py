# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Floors: what a readout gets without any denoiser."""

import os
from collections.abc import Sequence
from functools import cached_property
from typing import Any

import torch
import torch.nn.functional as F

from ..models.autoencoder_walt import AutoencoderWalt
from .base import Backbone, check_videos, to_pixels
from .feature_map import FeatureMap
from .fingerprint import fingerprint, public_config
from .frame_spans import causal_frame_spans
from .walt_folder import load_vae
from .walt_reading import WaltInputs, encode_videos, resolve_video_as


class _Floor(Backbone):
    """A backbone of one layer that takes no noise; `inputs` already are the features."""

    num_layers = 1
    uses_timestep = False
    stride: int
    site: str

    def extract(
        self,
        inputs: WaltInputs,
        *,
        sample_ids: Sequence[str],
        layers: Sequence[int | float],
        timesteps: Sequence[int | None],
        seed: int = 0,
    ) -> list[FeatureMap]:
        indices = self.resolve_layers(layers)
        self.check_timesteps(timesteps)
        values = inputs.latents.permute(0, 2, 3, 4, 1)
        return [
            FeatureMap(values, layer, None, inputs.frame_spans, self.stride, self.site)
            for _ in timesteps
            for layer in indices
        ]


class PixelBackbone(_Floor):
    """Means of pixels, on the grid of a tokenizer.

    A cell of `patch` pixels holds the colours in [-1, 1] of its `cells` x `cells` sub-patches in each of the `ratio`
    frames of its step, 3 * ratio * cells ** 2 channels; the first step repeats its one frame.

    Args:
        patch: pixels per cell of the grid.
        cells: sub-patches along each side of a patch.
        ratio: frames per step after the first.
    """

    def __init__(self, patch: int = 8, cells: int = 2, ratio: int = 4) -> None:
        if cells < 1 or patch % cells:
            raise ValueError(f"cells must divide patch={patch}, got {cells}")
        self.name = "pixels"
        self.site = "pixels"
        self.stride, self.cells, self.ratio = patch, cells, ratio

    @cached_property
    def fingerprint(self) -> str:  # type: ignore[override]
        return fingerprint({}, {"pixels": [self.stride, self.cells, self.ratio]})

    @torch.inference_mode()
    def prepare(self, videos: torch.Tensor) -> WaltInputs:
        check_videos(videos)
        spans = causal_frame_spans(videos.shape[1], self.ratio)
        if videos.shape[2] % self.stride or videos.shape[3] % self.stride:
            raise ValueError(
                f"videos height and width must be multiples of {self.stride}, got {tuple(videos.shape[2:4])}"
            )
        frames = to_pixels(videos).transpose(1, 2)
        means = F.avg_pool2d(frames.flatten(0, 1), self.stride // self.cells)
        means = F.pixel_unshuffle(means, self.cells).unflatten(0, frames.shape[:2])
        means = torch.cat([means[:, :1].expand(-1, self.ratio - 1, -1, -1, -1), means], dim=1)
        steps = means.unflatten(1, (len(spans), self.ratio)).flatten(2, 3)
        return WaltInputs(steps.transpose(1, 2), spans)


class LatentBackbone(_Floor):
    """A tokenizer's clean normalised latents.

    Args:
        vae: tokenizer.
        video_as: how a video is read; see `WaltBackbone`. "stack" is the clip's latents.
    """

    def __init__(self, vae: AutoencoderWalt, video_as: str = "stack") -> None:
        self.video_as = resolve_video_as(video_as, "image")
        self.name = "latents"
        self.site = "latents"
        self.vae: Any = vae.eval().requires_grad_(False)
        self.stride = vae.spatial_compression_ratio

    @classmethod
    def from_pretrained(cls, folder: str | os.PathLike[str], video_as: str = "stack") -> "LatentBackbone":
        """The tokenizer of a saved WALT pipeline."""
        return cls(load_vae(folder), video_as)

    @cached_property
    def fingerprint(self) -> str:  # type: ignore[override]
        config = {"vae": public_config(self.vae.config), "video_as": self.video_as, "site": self.site}
        return fingerprint({"vae": self.vae}, config)

    @property
    def device(self) -> torch.device:
        return self.vae.device

    def to(self, device: torch.device | str) -> "LatentBackbone":
        """Move the weights."""
        self.vae.to(device)
        return self

    @torch.inference_mode()
    def prepare(self, videos: torch.Tensor) -> WaltInputs:
        return encode_videos(self.vae, videos, self.video_as)
