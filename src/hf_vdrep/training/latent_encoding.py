# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""From clips and pictures to normalised latents, a few at a time."""

from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from .data_lanes import Item
from .pixels import to_pixel_values
from .stream import derive_seed

if TYPE_CHECKING:
    from ..models import AutoencoderWalt


class Encoder:
    """The frozen tokenizer.

    Args:
        vae: its config holds the latents' statistics.
        resolution: height and width of the clips, pixels.
        num_frames: of a clip.
        seed: with a clip's id and epoch, picks the frames that are encoded alone.
        batch_size: clips at a time.
    """

    def __init__(
        self, vae: "AutoencoderWalt", resolution: int, num_frames: int, *, seed: int = 0, batch_size: int = 16
    ) -> None:
        settings: Any = vae.config
        side = resolution // vae.spatial_compression_ratio
        self.vae, self.seed, self.batch_size, self.num_frames = vae, seed, batch_size, num_frames
        steps = 1 + (num_frames - 1) // vae.temporal_compression_ratio
        self.shape: tuple[int, int, int, int] = (int(settings.latent_channels), steps, side, side)

    def clips(self, items: list[Item]) -> np.ndarray:
        """float32 (n, c, F, h, w) of clips encoded whole.

        Raises:
            ValueError: a picture where a clip is wanted, or another length.
        """
        for item in items:
            if len(item.frames) != self.num_frames:
                what = "a picture" if len(item.frames) == 1 else f"{len(item.frames)} frames"
                raise ValueError(
                    f"data must hold clips of {self.num_frames} frames, got {what} in {item.id}; "
                    "pictures belong in image_data, alone with image_fraction=1"
                )
        return self._encode([item.frames for item in items], (0, *self.shape))

    def frames(self, items: list[Item]) -> np.ndarray:
        """float32 (n, F, c, 1, h, w): F random frames of each clip, every one encoded alone."""
        channels, count, height, width = self.shape
        chosen = [item.frames[torch.from_numpy(self._chosen(item, count))] for item in items]
        singles = [frame[None] for frames in chosen for frame in frames]
        return self._encode(singles, (0, channels, 1, height, width)).reshape(-1, count, channels, 1, height, width)

    def pictures(self, items: list[Item]) -> np.ndarray:
        """float32 (n, c, 1, h, w); of a clip, one random frame."""
        channels, _, height, width = self.shape
        singles = [item.frames[self._chosen(item, 1)[0]][None] for item in items]
        return self._encode(singles, (0, channels, 1, height, width))

    def _chosen(self, item: Item, count: int) -> np.ndarray:
        total = len(item.frames)
        rng = np.random.default_rng(derive_seed("frames", self.seed, item.id, item.epoch))
        return rng.choice(total, size=count, replace=count > total)

    @torch.no_grad()
    def _encode(self, clips: list[torch.Tensor], empty: tuple[int, ...]) -> np.ndarray:
        device = next(self.vae.parameters()).device
        parts = [np.empty(empty, np.float32)]
        for start in range(0, len(clips), self.batch_size):
            pixels = to_pixel_values(torch.stack(clips[start : start + self.batch_size]).to(device))
            latents = self.vae.normalize(self.vae.encode(pixels).latent_dist.mode())
            parts.append(latents.float().cpu().numpy())
        return np.concatenate(parts)
