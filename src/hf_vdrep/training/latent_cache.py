# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Training on kept latents: encoded once, read at random, shared by the twins."""

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..features.process_share import ProcessShare
from .data_feed import open_training_data
from .data_places import picture_places, pictures_before
from .latent_batches import CleanLatents
from .latent_encoding import Encoder
from .latent_fill import LatentFiller, shards_of
from .latent_key import cache_key
from .latent_store import LatentStore
from .latent_stream import place_kinds
from .stream import IndexStream

if TYPE_CHECKING:
    from ..models import AutoencoderWalt
    from .walt_config import WaltTrainConfig


class CachedLatents:
    """A data set's latents on disk; batches are pure functions of (step, part), so resuming needs no position.

    The samples are read once, in the order of their files, with the crop and start that they get in epoch 0: what is
    random about reading is frozen with them. Every process helps to fill the cache at the first batch.

    Args:
        config: data, objective, batch size, seeds, dtype and limits of the cache.
        vae: the tokenizer.
        folder: where caches live.

    Raises:
        ValueError: the data cannot be opened.
    """

    def __init__(self, config: "WaltTrainConfig", vae: "AutoencoderWalt", folder: Path) -> None:
        self.config, self._folder, self.share = config, folder, ProcessShare.of(None, None)
        self._encoder = Encoder(vae, config.resolution, config.num_frames, seed=config.latents_seed)
        self._data = open_training_data(config)
        self.shape = self._encoder.shape
        # Of no clips: for those who look at a pool's shape.
        self.video = np.empty((0, *self.shape), np.float32)

    def draw(self, step: int, part: int, parts: int) -> CleanLatents:
        """See `LatentSource`."""
        size, (channels, count, height, width) = self.config.batch_size, self.shape
        numbers = np.arange(step * size, (step + 1) * size)
        before = pictures_before(self.config.image_fraction, numbers)
        kinds = place_kinds(self.config, self.pictures(step))
        rows = {"clip": slice(0, count), "frames": slice(count, 2 * count), "pictures": slice(0, 1)}
        ids: list[str] = []
        labels: list[dict[str, Any]] = []
        video, images = [np.empty((0, *self.shape), np.float32)], [np.empty((0, count, channels, 1, height, width))]
        for place in range(part, size, parts):
            kind = str(kinds[place])
            store, wanted = self._wanted(kind, int(numbers[place]), int(before[place]))
            found = store.rows(wanted, rows[kind])
            ids += [store.ids[number] for number in wanted]
            labels.append(store.labels[wanted[0]])
            if kind == "clip":
                video.append(found.transpose(0, 2, 1, 3, 4))
            else:
                images.append(found.reshape(1, count, channels, 1, height, width))
        # Every process knows of all that was left out; one of them tells.
        skipped = sum(store.skipped for store in self._stores.values()) if self.share.rank == 0 else 0
        extra = {"skipped": skipped, "labels": labels}
        stacks = np.concatenate(images).astype(np.float32)
        return CleanLatents(ids, kinds[part::parts] != "clip", np.concatenate(video), stacks, extra)

    def fingerprint(self) -> str:
        """Hex digits of the training data."""
        return "-".join(store.digest for store in self.stores().values())

    def pictures(self, step: int) -> np.ndarray:
        """bool (batch_size,): the places of a step that hold pictures."""
        return picture_places(self.config.image_fraction, step, self.config.batch_size)

    @property
    def feed(self) -> "CachedLatents":
        """What tells `pictures` of a step, as for a stream."""
        return self

    def _wanted(self, kind: str, number: int, before: int) -> tuple[LatentStore, np.ndarray]:
        """The samples of one place, the `number`-th of the training with `before` pictures' places before it."""
        if kind == "pictures":
            count = self.shape[1]
            return self._stores[kind], self._orders[kind].at(before * count + np.arange(count))
        # Clips and pictures are counted apart, each with its own order.
        place = number - before if "pictures" in self._stores else number
        return self._stores["clips"], self._orders["clips"].at(np.array([place]))

    def stores(self) -> dict[str, LatentStore]:
        """The stores of "clips" and "pictures" by name, as they are on disk."""
        seed, dtype, vae = self.config.latents_seed, self.config.latent_dtype, self._encoder.vae
        return {
            kind: LatentStore(self._folder, cache_key(vae, data, kind, seed=seed, dtype=dtype), shards_of(data))
            for kind, data in self._data.items()
        }

    @cached_property
    def _stores(self) -> dict[str, LatentStore]:
        found = self.stores()
        for kind, store in found.items():
            LatentFiller(store, self._data[kind], self._encoder, self.config, self.share).run()
        return found

    @cached_property
    def _orders(self) -> dict[str, IndexStream]:
        return {
            kind: IndexStream(len(store), self.config.batch_size, seed=self.config.seed)
            for kind, store in self._stores.items()
        }
