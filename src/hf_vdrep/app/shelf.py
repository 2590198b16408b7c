# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""The models of a server: which may be opened, and those that are."""

import inspect
import re
import threading
from collections.abc import Callable
from pathlib import Path

import torch

from ..backbones.base import Backbone
from .choices import SITES
from .gpu import best_device
from .memo import Memory, RememberingBackbone
from .settings import SHIPPED, AppSettings

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
        if name in self._settings.models:
            return
        if not self._settings.allow_remote_models:
            raise ValueError(f"The model must be one of {', '.join(self._settings.models)}, got {name!r}.")
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
        from ..backbones.registry import open_backbone

        options = {} if reading is None else {"video_as": reading}
        if site != "block":
            options["site"] = site
        if name not in self._settings.models:
            check_size(name, self._settings.max_model_megabytes)
        try:
            backbone = open_backbone(name, **options)
        except TypeError as error:
            if site != "block" and "site" in str(error):
                raise ValueError(f"{name} offers the {SITES['block']} only.") from None
            raise
        return RememberingBackbone(self._placed(name, backbone), self._tokens, self._features)

    @staticmethod
    def _placed(name: str, backbone: Backbone) -> Backbone:
        # The shipped models are small: a GPU would cost more in transfers than it saves.
        move = getattr(backbone, "to", None)
        return backbone if name in SHIPPED or move is None else move(best_device())


def offered_sites(settings: AppSettings) -> list[str]:
    """Sites that some model of the server has."""
    from ..backbones.walt import WaltBackbone

    strangers = settings.allow_remote_models or any(name not in SHIPPED for name in settings.models)
    every = strangers or "site" in inspect.signature(WaltBackbone.from_pretrained).parameters
    return list(SITES) if every else ["block"]


def check_size(name: str, megabytes: int) -> None:
    """Raise ValueError for a repository of the Hub whose weights are larger than is allowed."""
    from huggingface_hub import HfApi

    found = HfApi().model_info(name, files_metadata=True).siblings or []
    size = sum(file.size or 0 for file in found if file.rfilename.endswith((".safetensors", ".bin")))
    if size > megabytes * _MEGA:
        raise ValueError(f"{name} holds {size / _MEGA:.0f} MB of weights; this server takes at most {megabytes} MB.")
