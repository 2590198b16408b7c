# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""The models that come with the package."""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .pipeline_walt import WaltPipeline

_ROOT = Path(__file__).resolve().parent.parent / "assets" / "walt-tiny"
PAIR = ("i-walt", "v-walt")


def names() -> list[str]:
    """Names that `path` takes, sorted; empty where the package came without weights."""
    return sorted(index.parent.name for index in _ROOT.glob("*/model_index.json"))


def path(name: str) -> Path:
    """Folder of a shipped model, for `DiffusionPipeline.from_pretrained` and `AutoModel.from_pretrained`.

    Raises:
        ValueError: no such model.
    """
    if name not in names():
        raise ValueError(f"name must be one of the shipped models ({', '.join(names()) or 'none found'}), got {name!r}")
    return _ROOT / name


def load_pair() -> "dict[str, WaltPipeline]":
    """I-WALT and V-WALT, the twins of equal size, by name.

    Raises:
        ValueError: the package came without weights.
        ModelFolderError: a file of theirs is missing or corrupt.
    """
    from .pipeline_walt import WaltPipeline

    return {name: WaltPipeline.from_pretrained(path(name)) for name in PAIR}
