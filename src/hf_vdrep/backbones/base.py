# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""The contract of a frozen model."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

import torch

from ..models.layer_index import resolve_layers
from .feature_map import FeatureMap


class Backbone(ABC):
    """A frozen model that turns videos into feature maps.

    Attributes:
        name: short name for tables.
        num_layers: blocks that can be asked for.
        uses_timestep: whether features are taken at a noise level; if not, the only timestep is None.
        site: where in a block the features are taken; part of every record.
        can_stack: whether `extract_stacked` runs several noise levels in one forward pass.
    """

    name: str
    num_layers: int
    uses_timestep: bool
    site: str = "block"
    can_stack: bool = False

    @property
    @abstractmethod
    def fingerprint(self) -> str:
        """Hash of everything but the arguments of `extract` that the features depend on."""

    @property
    def device(self) -> torch.device:
        """Where `prepare` puts its result."""
        return torch.device("cpu")

    @abstractmethod
    def prepare(self, videos: torch.Tensor) -> Any:
        """Videos to what `extract` takes; work that all noise levels share is done here, once.

        Args:
            videos: uint8 (B, T, H, W, 3); T = 1 is an image.

        Raises:
            ValueError: a shape or dtype that the model cannot take.
        """

    @property
    def tokenizer(self) -> "Backbone | None":
        """A backbone whose one feature map is all that `extract` needs, so that it can be kept; None if there is none.

        Backbones that share a tokenizer, such as the WALT twins, then share its work.
        """
        return None

    def inputs_from(self, features: FeatureMap) -> Any:
        """What `prepare` would give, from the features of `tokenizer`."""
        raise NotImplementedError(f"{self.name} has no tokenizer")

    @abstractmethod
    def extract(
        self,
        inputs: Any,
        *,
        sample_ids: Sequence[str],
        layers: Sequence[int | float],
        timesteps: Sequence[int | None],
        seed: int = 0,
    ) -> list[FeatureMap]:
        """One feature map per timestep and layer, timestep-major.

        Args:
            inputs: result of `prepare`.
            sample_ids: B stable identifiers, which fix the noise of each sample.
            layers: block indices, negative indices, or relative depths in (0, 1].
            timesteps: noise levels in [0, 999]; (None,) where the backbone uses none.
            seed: seed of the noise.

        Raises:
            ValueError: a layer or timestep that does not exist.
        """

    def extract_stacked(
        self,
        inputs: Any,
        *,
        sample_ids: Sequence[str],
        layers: Sequence[int | float],
        timesteps: Sequence[int | None],
        seed: int = 0,
    ) -> list[FeatureMap]:
        """What `extract` gives, up to rounding, with all noise levels in one forward pass where the model can."""
        return self.extract(inputs, sample_ids=sample_ids, layers=layers, timesteps=timesteps, seed=seed)

    def layer_names(self) -> list[str]:
        """Names of the blocks, by index."""
        return [f"blocks.{index}" for index in range(self.num_layers)]

    def resolve_layers(self, layers: Sequence[int | float | str]) -> list[int]:
        """Block indices in [0, num_layers) of indices, negative indices, relative depths in (0, 1] or names.

        Raises:
            ValueError: a layer that does not exist.
        """
        names = {name: index for index, name in enumerate(self.layer_names())}
        for layer in layers:
            if isinstance(layer, str) and layer not in names:
                raise ValueError(f"layer must be one of {', '.join(names)}, got {layer!r}")
        return resolve_layers([names[layer] if isinstance(layer, str) else layer for layer in layers], self.num_layers)

    def check_timesteps(self, timesteps: Sequence[int | None]) -> None:
        """Raise ValueError for a noise level that `extract` cannot take."""
        if not timesteps:
            raise ValueError("timesteps must name at least one noise level, got none")
        for timestep in timesteps:
            if timestep is not None:
                raise ValueError(f"timestep must be None for {self.name}, which takes no noise, got {timestep}")


def check_videos(videos: torch.Tensor) -> None:
    """Raise ValueError unless `videos` is a uint8 tensor (B, T, H, W, 3) and not empty."""
    if not isinstance(videos, torch.Tensor):
        kind = f"{type(videos).__module__}.{type(videos).__qualname__}"
        raise ValueError(f"videos must be a torch.Tensor, as torch.from_numpy makes of an array, got {kind}")
    if videos.ndim != 5 or videos.shape[-1] != 3 or videos.dtype != torch.uint8 or not videos.numel():
        raise ValueError(f"videos must be uint8 (B, T, H, W, 3), got {videos.dtype} {tuple(videos.shape)}")


def to_pixels(videos: torch.Tensor, device: torch.device | str = "cpu") -> torch.Tensor:
    """uint8 (B, T, H, W, 3) to float32 (B, 3, T, H, W) in [-1, 1]."""
    return videos.to(device).permute(0, 4, 1, 2, 3).float().div_(127.5).sub_(1.0)
