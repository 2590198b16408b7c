# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""The models that come with the package, the twins at earlier steps of their training included."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

from ..models import shipped

if TYPE_CHECKING:
    from ..backbones.base import Backbone

SHIPPED = ("i-walt", "v-walt", "latents", "pixels", "random")
"""Models that need nothing but the package."""

_TITLES = {
    "i-walt": "I-WALT",
    "v-walt": "V-WALT",
    "latents": "tokenizer alone",
    "pixels": "pixels",
    "random": "random weights",
}
_CHECKPOINT = re.compile(r"(?P<twin>[iv]-walt)@(?P<seed>\d{1,6}):(?P<step>\d{1,9})")


@lru_cache(maxsize=1)
def checkpoint_titles() -> dict[str, str]:
    """Name -> title of every kept checkpoint but the twins themselves; "v-walt@0:100" is V-WALT of training seed 0
    after 100 steps."""
    found = {}
    for kept in shipped.checkpoints():
        if kept.seed == 0 and kept.fraction == 1:  # the pair itself
            continue
        which = "" if kept.seed == 0 else f" (training {kept.seed + 1})"
        name = f"{kept.twin}@{kept.seed}:{kept.step}"
        found[name] = f"{_TITLES[kept.twin]}{which} at {100 * kept.fraction:.0f} % of its training"
    return found


def title_of(name: str) -> str:
    """For readers; a model that did not come with the package keeps its name."""
    return _TITLES.get(name) or checkpoint_titles().get(name, name)


def is_shipped(name: str) -> bool:
    """Whether it needs nothing but the package; all of these are small."""
    return name in SHIPPED or name in checkpoint_titles()


def open_checkpoint(name: str, reading: str | None = None) -> Backbone:
    """The backbone of a checkpoint's name.

    Raises:
        ValueError: no such checkpoint.
    """
    from ..backbones.walt import WaltBackbone

    match = _CHECKPOINT.fullmatch(name)
    if match is None:
        raise ValueError(f"The checkpoint must be one of {', '.join(checkpoint_titles())}, got {name!r}.")
    pipeline = shipped.open_checkpoint(match["twin"], int(match["seed"]), int(match["step"]))
    options = {} if reading is None else {"video_as": reading}
    return WaltBackbone(pipeline.vae, pipeline.transformer.float(), pipeline.scheduler, name=match["twin"], **options)
