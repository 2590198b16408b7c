# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Latents encoded as the stream comes, and those of the held-out clips."""

from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from .data_feed import Feed
from .data_held_out import first_samples, open_still
from .data_lanes import Item
from .latent_batches import CleanLatents
from .latent_encoding import Encoder
from .latent_key import data_fingerprint

if TYPE_CHECKING:
    from ..models import AutoencoderWalt
    from .walt_config import WaltTrainConfig


class StreamLatents:
    """Clips and pictures of a stream through the frozen tokenizer.

    The twins read the same samples in the same order: where V-WALT takes a clip, I-WALT takes F random frames of it,
    and places of pictures hold the same F pictures for both.

    Args:
        config: data, objective, batch size, seeds.
        vae: the tokenizer.
    """

    def __init__(self, config: "WaltTrainConfig", vae: "AutoencoderWalt") -> None:
        self.config, self.feed = config, Feed(config)
        self.encoder = Encoder(vae, config.resolution, config.num_frames, seed=config.latents_seed)
        self.shape = self.encoder.shape
        # Of no clips: for those who look at a pool's shape.
        self.video = np.empty((0, *self.shape), np.float32)

    def draw(self, step: int, part: int, parts: int) -> CleanLatents:
        """See `LatentSource`; the steps of a part come in order."""
        places = self.feed.begin(step, part, parts)
        pictures = self.feed.pictures(step)
        rows = [self._take(step, place, part, parts, bool(pictures[place])) for place in places]
        kinds = place_kinds(self.config, pictures[part::parts])
        video = self.encoder.clips([row[0] for row, kind in zip(rows, kinds, strict=True) if kind == "clip"])
        stacks = [self._stack(row, kind) for row, kind in zip(rows, kinds, strict=True) if kind != "clip"]
        channels, count, height, width = self.shape
        images = np.concatenate([np.empty((0, count, channels, 1, height, width), np.float32), *stacks])
        ids = [item.id for row in rows for item in row]
        labels = [row[0].labels for row in rows]
        extra = {"position": self.feed.position(), "skipped": self.feed.skipped(), "labels": labels}
        return CleanLatents(ids, kinds != "clip", video, images, extra)

    def fingerprint(self) -> str:
        """Hex digits of the training data."""
        return "-".join(data_fingerprint(data) for data in self.feed.data.values())

    def seek(self, position: Mapping[str, Any]) -> None:
        """Go on after a saved position."""
        self.feed.seek(position)

    def _take(self, step: int, place: int, part: int, parts: int, pictures: bool) -> list[Item]:
        if not pictures or "pictures" not in self.feed.data:
            return [self.feed.take("clips", step, place, part, parts)]
        return [self.feed.take("pictures", step, place, part, parts) for _ in range(self.shape[1])]

    def _stack(self, row: list[Item], kind: str) -> np.ndarray:
        if kind == "frames":
            return self.encoder.frames(row)
        return self.encoder.pictures(row)[None]


def place_kinds(config: "WaltTrainConfig", pictures: np.ndarray) -> np.ndarray:
    """Per place "clip", "frames" (F random frames of a clip) or "pictures" (F of `image_data`).

    Args:
        config: its objective and image_data.
        pictures: bool (n,), the places that `image_fraction` gives to pictures.
    """
    still = "pictures" if config.image_data else "frames"
    clips = "clip" if config.objective == "video" else "frames"
    return np.where(pictures, still, clips)


class HeldOutLatents:
    """Latents of a stream's first validation clips, encoded when they are first looked at.

    Args:
        config: data and `eval_clips`.
        encoder: the tokenizer.

    Raises:
        ValueError: there is no such split.
    """

    def __init__(self, config: "WaltTrainConfig", encoder: Encoder) -> None:
        self.config, self.encoder = config, encoder
        self._data = open_still(config, config.eval_split)

    @cached_property
    def _items(self) -> list[Item]:
        clips = first_samples(self._data, self.config.eval_clips, self.config.max_corrupt)
        return [Item(f"held-out-{index}", frames, 0, {}) for index, frames in enumerate(clips)]

    @cached_property
    def video(self) -> np.ndarray:
        """float32 (N, c, F, h, w)."""
        return self.encoder.clips(self._items)

    @cached_property
    def images(self) -> np.ndarray:
        """float32 (N, F, c, 1, h, w); (N, 1, c, 1, h, w) where there are pictures alone."""
        if self.config.only_pictures:
            return self.encoder.pictures(self._items)[:, None]
        return self.encoder.frames(self._items)

    def __len__(self) -> int:
        return len(self._items)
