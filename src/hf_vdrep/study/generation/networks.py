# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Named feature networks: clips in, one vector each out, for distances between sets.

What Inception and I3D are for photographs, the embedded world's own end-to-end reference is for ProbeWorld: a network
that was trained on its labels and knows what matters there.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

import torch
import torch.nn.functional as F

from ...backbones.base import Backbone, to_pixels
from ...backbones.registry import open_backbone
from ...probes import EndToEndReference, load_reference
from ..compare.reference import reference_revision, shipped_folder

DEPTH, TIMESTEP = 2 / 3, 200


class FeatureNetwork(ABC):
    """A network that turns a clip into a vector.

    Attributes:
        name: as `open_network` takes it.
        batch_size: clips that fit into a few hundred megabytes at a time.
    """

    name: str
    batch_size: int = 32

    @property
    @abstractmethod
    def key(self) -> str:
        """Changes with whatever the features depend on."""

    @abstractmethod
    def embed(self, clips: torch.Tensor) -> torch.Tensor:
        """uint8 (B, T, H, W, 3) to float32 (B, D); T = 1 is an image, and may have another D than a video."""


class ReferenceNetwork(FeatureNetwork):
    """The trunk of the shipped end-to-end reference, pooled.

    Images: both scales of the image branch, their means over space (192). Videos: the clip's maps of stride 8, their
    mean over the clip, and their standard deviation over time, averaged over space (192 together); the trunk compares
    neighbouring frames, so the order of frames matters. Frames are brought to 64 x 64 pixels, and videos of another
    length to 17 frames, by repeating or leaving out.
    """

    name = "probeworld"

    def __init__(self) -> None:
        self.model: EndToEndReference = load_reference(shipped_folder())

    @property
    def key(self) -> str:
        return f"probeworld-1-{reference_revision()}"

    @torch.no_grad()
    def embed(self, clips: torch.Tensor) -> torch.Tensor:
        clips = _resized(clips, 64)
        if clips.shape[1] == 1:
            return self._image(clips[:, 0])
        frames = torch.linspace(0, clips.shape[1] - 1, self.model.config["num_frames"]).round().long()
        maps = self.model.features(clips[:, frames])["clip"].float()
        return torch.cat([maps.mean((1, 3, 4)), maps.std(1).mean((2, 3))], 1)

    def _image(self, images: torch.Tensor) -> torch.Tensor:
        maps = self.model.image_heads.maps(*self.model.trunk.stem(to_pixels(images[:, None])[:, :, 0]))
        return torch.cat([each.flatten(2).float().mean(2) for each in maps], 1)


class PixelNetwork(FeatureNetwork):
    """No learning: colours of an 8 x 8 grid of an image, of a 4 x 4 grid at five times of a video, in [-1, 1]."""

    name = "pixels"
    key = "pixels-1"

    def embed(self, clips: torch.Tensor) -> torch.Tensor:
        grid = (1, 8, 8) if clips.shape[1] == 1 else (5, 4, 4)
        return F.adaptive_avg_pool3d(to_pixels(clips), grid).flatten(1)


class BackboneNetwork(FeatureNetwork):
    """Any backbone: a layer at a noise level, its mean over the clip; for videos also its deviation over time.

    Args:
        backbone: of `open_backbone`.
        name: what it was opened as.
        layer: block index or relative depth.
        timestep: noise level, where the backbone takes one.
    """

    def __init__(
        self, backbone: Backbone, name: str, layer: int | float = DEPTH, timestep: int | None = TIMESTEP
    ) -> None:
        self.backbone, self.name = backbone, name
        self.layer = backbone.resolve_layers([layer])[0]
        self.timestep = timestep if backbone.uses_timestep else None

    @property
    def key(self) -> str:
        return f"backbone-1-{self.backbone.fingerprint}-{self.layer}-{self.timestep}"

    @torch.no_grad()
    def embed(self, clips: torch.Tensor) -> torch.Tensor:
        # One noise for all samples: noise of their own would be noise in the distance.
        ids = ["quality"] * len(clips)
        inputs = self.backbone.prepare(clips)
        (found,) = self.backbone.extract(inputs, sample_ids=ids, layers=[self.layer], timesteps=[self.timestep])
        values = found.values.float().cpu()
        mean = values.mean((1, 2, 3))
        return mean if values.shape[1] == 1 else torch.cat([mean, values.std(1).mean((1, 2))], 1)


def open_network(name: str, **options: Any) -> FeatureNetwork:
    """A feature network.

    Args:
        name: "probeworld", "pixels", or whatever `open_backbone` takes ("latents", "v-walt", a folder, a Hub id).
        options: `layer` and `timestep` of a backbone; others go to `open_backbone`.

    Raises:
        ValueError: no such network.
    """
    if name == "probeworld":
        return ReferenceNetwork(**options)
    if name == "pixels":
        return PixelNetwork(**options)
    where = {key: options.pop(key) for key in ("layer", "timestep") if key in options}
    return BackboneNetwork(open_backbone(name, **options), name, **where)


def _resized(clips: torch.Tensor, side: int) -> torch.Tensor:
    if clips.shape[2:4] == (side, side):
        return clips
    batch, length = clips.shape[:2]
    frames = clips.flatten(0, 1).permute(0, 3, 1, 2).float()
    frames = F.interpolate(frames, (side, side), mode="bilinear", antialias=True)
    return frames.round().clamp(0, 255).to(torch.uint8).permute(0, 2, 3, 1).unflatten(0, (batch, length))
