# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""What every job of a comparison needs to know: the settings, the splits, the frozen backbones."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from ...data.probeworld import ProbeWorldConfig
from .config import CompareConfig
from .splits import Split

if TYPE_CHECKING:
    from ...backbones.base import Backbone

Reads = Literal["clip", "image"]


@dataclass(frozen=True)
class Setting:
    """One comparison.

    Attributes:
        config: its settings.
        world: the world that all splits are rendered from.
    """

    config: CompareConfig
    world: ProbeWorldConfig

    @property
    def cache(self) -> Path:
        """Folder of what can be made again: splits, features, readouts."""
        return Path(self.config.output_dir) / "cache"

    def split(self, name: str) -> Split:
        """ "train", "validation" or "test"."""
        return Split(name, getattr(self.config, f"{name}_size"), self.world, self.cache)

    def backbone(self, system: str, reading: str | None = None) -> Backbone:
        """The frozen model behind a system, opened once per process.

        Args:
            system: key.
            reading: how a video reaches I-WALT; None is the backbone's own way.
        """
        return _open(system, reading, self.config.i_walt, self.config.v_walt)

    def readings(self, system: str, reads: Reads) -> tuple[str | None, ...]:
        """Ways of reading that are tried."""
        if system == "i-walt" and reads == "clip" and _is_image_model(self.backbone(system)):
            return tuple(self.config.readings)
        return (None,)

    def cells(self, system: str) -> list[tuple[int, int | None]]:
        """(block, noise level) pairs that are tried."""
        backbone = self.backbone(system)
        if not backbone.uses_timestep:
            return [(backbone.num_layers - 1, None)]
        layers = dict.fromkeys(backbone.resolve_layers(self.config.layers))
        # Noise only takes away from random features; a floor needs no more than its best level.
        levels = [min(self.config.timesteps)] if system == "random" else self.config.timesteps
        return [(layer, timestep) for timestep in levels for layer in layers]


@lru_cache(maxsize=16)
def _open(system: str, reading: str | None, i_walt: str, v_walt: str) -> Backbone:
    from ...backbones.floors import LatentBackbone, PixelBackbone
    from ...backbones.registry import open_backbone
    from ...backbones.walt import WaltBackbone
    from .blank import BlankBackbone

    if system == "chance":
        return BlankBackbone()
    if system == "pixels":
        return PixelBackbone()
    if system == "latents":
        return LatentBackbone.from_pretrained(_folder(v_walt))
    if system == "random":
        return WaltBackbone.random_like(_folder(v_walt))
    options = {"video_as": reading} if reading else {}
    try:
        return open_backbone(i_walt if system == "i-walt" else v_walt, **options)
    except ValueError as error:
        raise ValueError(f"{system.replace('-', '_')}: {error}") from error


def _folder(name_or_path: str) -> Path:
    from ...models import shipped

    return shipped.path(name_or_path) if name_or_path in shipped.names() else Path(name_or_path)


def _is_image_model(backbone: Backbone) -> bool:
    transformer = getattr(backbone, "transformer", None)
    return transformer is not None and transformer.config.objective == "image"
