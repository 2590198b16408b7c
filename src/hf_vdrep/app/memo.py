# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""A backbone that remembers: tokenized clips and features are computed once, whoever asks.

The tokenizer is most of the cost of a small model, and the twins share it, as the shifted views of a clip and all
readouts do.
"""

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Any

import torch

from ..backbones.base import Backbone
from ..backbones.feature_map import FeatureMap


class Memory:
    """The most recently used results, by key; safe to share between threads.

    Args:
        size: results that are kept.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._kept: OrderedDict[Any, Any] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: Any, make: Callable[[], Any]) -> Any:
        """What is kept for `key`, or what `make` gives."""
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
        made = make()
        with self._lock:
            self._kept[key] = made
            while len(self._kept) > self._size:
                self._kept.popitem(last=False)
        return made

    def peek(self, key: Any) -> Any:
        """What is kept for `key`; None if nothing is."""
        with self._lock:
            return self._kept.get(key)

    def __len__(self) -> int:
        return len(self._kept)


class RememberingBackbone(Backbone):
    """`inner` with a memory; results are the same.

    Args:
        inner: a frozen model.
        tokens: of tokenized clips, shared by models with the same tokenizer.
        features: of feature maps.
    """

    def __init__(self, inner: Backbone, tokens: Memory, features: Memory) -> None:
        self.inner, self._tokens, self._features = inner, tokens, features
        self.name, self.num_layers, self.uses_timestep = inner.name, inner.num_layers, inner.uses_timestep
        whole = getattr(inner, "backbone", inner)  # of features from inside of its blocks
        self.stride = int(getattr(whole, "stride", 1))
        self.video_as = str(getattr(whole, "video_as", ""))
        self.site = str(getattr(inner, "site", "block"))
        self._tokenizer = inner.tokenizer
        # A model that is read by hooks must not be run by two visitors at once.
        self._one_by_one = threading.Lock()

    @property
    def fingerprint(self) -> str:
        return self.inner.fingerprint

    @property
    def device(self) -> torch.device:
        return self.inner.device

    def layer_names(self) -> list[str]:
        return self.inner.layer_names()

    def check_timesteps(self, timesteps: Sequence[int | None]) -> None:
        self.inner.check_timesteps(timesteps)

    def prepare(self, videos: torch.Tensor) -> tuple[str, Any]:
        """What the inner model prepares, with a key of the pixels."""
        key = _key_of(videos)
        tokenizer = self._tokenizer
        if tokenizer is None:
            return key, self._tokens.get(("inputs", self.fingerprint, key), lambda: self.inner.prepare(videos))

        def tokenize() -> FeatureMap:
            ids = [str(row) for row in range(len(videos))]
            return tokenizer.extract(tokenizer.prepare(videos), sample_ids=ids, layers=[0], timesteps=[None])[0]

        return key, self.inner.inputs_from(self._tokens.get(("tokens", tokenizer.fingerprint, key), tokenize))

    def extract(
        self,
        inputs: tuple[str, Any],
        *,
        sample_ids: Sequence[str],
        layers: Sequence[int | float],
        timesteps: Sequence[int | None],
        seed: int = 0,
    ) -> list[FeatureMap]:
        key, prepared = inputs
        asked = (self.fingerprint, key, tuple(sample_ids), tuple(self.resolve_layers(layers)), tuple(timesteps), seed)

        def run() -> list[FeatureMap]:
            with self._one_by_one:
                return self.inner.extract(
                    prepared, sample_ids=sample_ids, layers=layers, timesteps=timesteps, seed=seed
                )

        return self._features.get(asked, run)


def _key_of(videos: torch.Tensor) -> str:
    digest = hashlib.blake2b(str(tuple(videos.shape)).encode(), digest_size=16)
    digest.update(videos.contiguous().numpy().tobytes())
    return digest.hexdigest()
