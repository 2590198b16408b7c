# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""The models that come with the package."""

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .pipeline_walt import WaltPipeline

ROOT = Path(__file__).resolve().parent.parent / "assets" / "walt-tiny"
PAIR = ("i-walt", "v-walt")
_CHECKPOINT = re.compile(r"(?P<twin>[iv]-walt)-seed(?P<seed>\d+)-step(?P<step>\d+)\.safetensors")


@dataclass(frozen=True)
class Checkpoint:
    """Averaged weights of a shipped twin's denoiser, kept along the way.

    Attributes:
        twin: "i-walt" or "v-walt".
        seed: of the training.
        step: optimiser steps done.
        fraction: of the training, in (0, 1].
        path: safetensors file in half precision, names of `WaltTransformer3DModel`.
    """

    twin: str
    seed: int
    step: int
    fraction: float
    path: Path


def names() -> list[str]:
    """Names that `path` takes, sorted; empty where the package came without weights."""
    return sorted(index.parent.name for index in ROOT.glob("*/model_index.json"))


def path(name: str) -> Path:
    """Folder of a shipped model, for `DiffusionPipeline.from_pretrained` and `AutoModel.from_pretrained`.

    Raises:
        ValueError: no such model.
    """
    if name not in names():
        raise ValueError(f"name must be one of the shipped models ({', '.join(names()) or 'none found'}), got {name!r}")
    return ROOT / name


def load_pair() -> "dict[str, WaltPipeline]":
    """I-WALT and V-WALT, the twins of equal size, by name.

    Raises:
        ValueError: the package came without weights.
        ModelFolderError: a file of theirs is missing or corrupt.
    """
    from .pipeline_walt import WaltPipeline

    return {name: WaltPipeline.from_pretrained(path(name)) for name in PAIR}


def checkpoints() -> list[Checkpoint]:
    """Every kept checkpoint, by twin, seed and step.

    The last step of the first seed is the pair itself, whose denoiser stands in its own folder in float16.
    """
    found = [(match, file) for file in ROOT.glob("checkpoints/*") if (match := _CHECKPOINT.fullmatch(file.name))]
    rows = [(match["twin"], int(match["seed"]), int(match["step"]), file) for match, file in found]
    last = _last_step()
    if rows and last:
        rows += [(twin, 0, last, next((ROOT / twin / "transformer").glob("*.safetensors"))) for twin in PAIR]
    return [Checkpoint(twin, seed, step, step / last, file) for twin, seed, step, file in sorted(rows)]


def open_checkpoint(twin: str, seed: int, step: int) -> "WaltPipeline":
    """The shipped pipeline of a twin with the denoiser as it was at a step.

    Raises:
        ValueError: no such checkpoint.
    """
    from safetensors.torch import load_file

    from .pipeline_walt import WaltPipeline

    known = {(kept.twin, kept.seed, kept.step): kept.path for kept in checkpoints()}
    if (twin, seed, step) not in known:
        raise ValueError(f"twin, seed and step must be one of {sorted(known)}, got {(twin, seed, step)}")
    pipeline = WaltPipeline.from_pretrained(path(twin))
    pipeline.transformer.load_state_dict(load_file(known[twin, seed, step]))
    return pipeline


def _last_step() -> int:
    """Steps of a whole training, as the folder of checkpoints says."""
    about = ROOT / "checkpoints" / "training.json"
    return int(json.loads(about.read_text())["steps"]) if about.exists() else 0
