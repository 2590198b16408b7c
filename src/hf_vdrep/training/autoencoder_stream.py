# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""The tokenizer's batches from streams of videos and pictures."""

import math
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np
import torch
from torch import nn

from .autoencoder_batches import draw_crops, measure_psnr
from .autoencoder_config import AutoencoderTrainConfig
from .data_feed import Feed, Position, merge_positions
from .data_held_out import first_samples, open_still
from .data_lanes import Item
from .data_places import picture_places
from .loop import Batch


class StreamTask:
    """Batches of cropped clips or, in `image_fraction` of the steps, of pictures; PSNR on held-out clips.

    Without `image_data`, single frames of the clips stand for pictures, as often as `lengths` says.

    Args:
        config: data, lengths, batch size and seed.
        device: where to validate.

    Raises:
        ValueError: the data cannot be opened, or `lengths` exceed its clips.
    """

    def __init__(self, config: AutoencoderTrainConfig, device: torch.device | str = "cpu") -> None:
        if max(config.lengths) > config.num_frames and not config.only_pictures:
            raise ValueError(f"lengths must not exceed num_frames={config.num_frames}, got {config.lengths}")
        self.config, self.device, self.feed = config, device, Feed(config)
        self._validation = open_still(config, config.eval_split)

    def batch(self, step: int, part: int, parts: int) -> Batch:
        """See `loop.Task`: `video` uint8 (B, L, H, W, 3); L and the crops are drawn by (seed, step)."""
        places = self.feed.begin(step, part, parts)
        length, starts = 1, np.zeros(self.config.batch_size, np.int64)
        name = "pictures" if self.is_pictures(step) else "clips"
        if name == "clips":
            length, starts = draw_crops(self.config, step, self.config.num_frames)
        items = [self.feed.take(name, step, place, part, parts) for place in places]
        clips = [_crop(item, int(starts[place]), length) for item, place in zip(items, places, strict=True)]
        batch: Batch = {"video": torch.stack(clips), "ids": [item.id for item in items], "items": len(items)}
        return {**batch, "position": self.feed.position(), "skipped": self.feed.skipped()}

    def is_pictures(self, step: int) -> bool:
        """Whether a step's batch is of pictures; as many steps in a row as it takes to pass all lanes are alike."""
        if not self.config.image_data:
            return False
        run = self.feed.lanes // math.gcd(self.feed.lanes, self.config.batch_size)
        return bool(picture_places(self.config.image_fraction, step, 1, run)[0])

    def seek(self, position: Mapping[str, Any]) -> None:
        """Go on after the batch that carried `position`."""
        self.feed.seek(position)

    def merge_positions(self, positions: Sequence[Mapping[str, Any]]) -> Position:
        """The positions of all processes as one, which `seek` takes whatever their number is now."""
        return merge_positions(positions)

    def evaluate(self, model: nn.Module) -> dict[str, float]:
        """See `measure_psnr`."""
        return measure_psnr(model, self._held_out, self.device)

    def statistics_clips(self) -> np.ndarray:
        """uint8 (n, T, H, W, 3): the clips behind `latents_mean` and `latents_std`."""
        data = open_still(self.config, self.config.train_split)
        return first_samples(data, self.config.stats_clips, self.config.max_corrupt).numpy()

    @cached_property
    def _held_out(self) -> np.ndarray:
        return first_samples(self._validation, self.config.eval_clips, self.config.max_corrupt).numpy()


def _crop(item: Item, start: int, length: int) -> torch.Tensor:
    if len(item.frames) < start + length:
        raise ValueError(
            f"data must hold clips of {start + length} frames and more, got {len(item.frames)} in {item.id}; pictures "
            "belong in image_data, alone with image_fraction=1"
        )
    return item.frames[start : start + length]
