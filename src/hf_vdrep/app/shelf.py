# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""The models of a server: which may be opened, and those that are."""

import re
import threading
from collections.abc import Callable
from pathlib import Path

import torch

from ..backbones.base import Backbone
from .catalogue import SHIPPED, is_shipped, open_checkpoint, title_of
from .choices import SITES
from .gpu import best_device
from .memo import Memory, RememberingBackbone
from .settings import AppSettings

_HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]{0,95}/[A-Za-z0-9][\w.-]{0,95}")
_MEGA = 1_000_000


class Shelf:
    """Opened backbones with a memory.

    Args:
        settings: what may be opened, and how much is kept.
    """

    def __init__(self, settings: AppSettings) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        self._tokens, self._features, self._patterns = Memory(48), Memory(64), Memory(64)
        self._models = Memory(settings.max_open_models + 2 * len(SHIPPED))

    def check(self, name: str) -> None:
        """Raise ValueError for a model that visitors of this server may not use."""
        if name in self._settings.offered:
            return
        if not self._settings.allow_remote_models:
            raise ValueError(f"The model must be one of {offered_words(self._settings)}, got {name!r}.")
        # A visitor's word must never lead to a folder of the server.
        if not _HUB_ID.fullmatch(name) or ".." in name or Path(name).exists():
            raise ValueError(f"The model must be the id of a repository of the Hub (user/name), got {name!r}.")

    def open(self, name: str, site: str = "block", reading: str | None = None) -> RememberingBackbone:
        """The backbone of a name.

        Args:
            name: checked by `check`.
            site: where in a block.
            reading: how a model of images reads a video; its own way if None.

        Raises:
            ValueError: not allowed, too large, or without that site.
            OSError: nothing loadable under that name.
        """
        self.check(name)
        with self._lock:  # two visitors must not load the same model twice
            return self._models.get((name, site, reading), lambda: self._load(name, site, reading))

    def pattern(self, key: tuple[object, ...], make: Callable[[], torch.Tensor]) -> torch.Tensor:
        """A position pattern, computed once for each `key`."""
        return self._patterns.get(key, make)

    def _load(self, name: str, site: str, reading: str | None) -> RememberingBackbone:
        if not is_shipped(name) and name not in self._settings.models:
            check_size(name, self._settings.max_model_megabytes)
        backbone = _open(name, site, {} if reading is None else {"video_as": reading})
        return RememberingBackbone(self._placed(name, backbone), self._tokens, self._features)

    @staticmethod
    def _placed(name: str, backbone: Backbone) -> Backbone:
        # The shipped models are small: a GPU would cost more in transfers than it saves.
        move = getattr(backbone, "to", None)
        return backbone if is_shipped(name) or move is None else move(best_device())


def _open(name: str, site: str, options: dict[str, str]) -> Backbone:
    from ..backbones.registry import open_backbone

    if is_shipped(name):
        backbone = open_backbone(name, **options) if name in SHIPPED else open_checkpoint(name, options.get("video_as"))
        return backbone if site == "block" else _within(name, backbone, site)
    if site == "block":
        return open_backbone(name, **options)
    try:
        return open_backbone(name, site=site, **options)
    except (TypeError, ValueError) as error:
        if "site" not in str(error):
            raise
    return _within(name, open_backbone(name, **options), site)


def _within(name: str, backbone: Backbone, site: str) -> Backbone:
    """A WALT's features from inside of its blocks."""
    from ..backbones.walt import WaltBackbone

    if not isinstance(backbone, WaltBackbone):
        raise ValueError(f"{title_of(name)} offers the {SITES['block']} only.")
    return backbone.at(site)


def offered_words(settings: AppSettings) -> str:
    """What visitors may choose, as one line: the models, and how their checkpoints are named."""
    early = settings.offered[len(settings.models) :]
    more = f", or one of {len(early)} checkpoints of their training such as {early[0]}" if early else ""
    return f"{', '.join(settings.models)}{more}"


def check_size(name: str, megabytes: int) -> None:
    """Raise ValueError for a repository of the Hub whose weights are larger than is allowed."""
    from huggingface_hub import HfApi

    found = HfApi().model_info(name, files_metadata=True).siblings or []
    size = sum(file.size or 0 for file in found if file.rfilename.endswith((".safetensors", ".bin")))
    if size > megabytes * _MEGA:
        raise ValueError(f"{name} holds {size / _MEGA:.0f} MB of weights; this server takes at most {megabytes} MB.")
