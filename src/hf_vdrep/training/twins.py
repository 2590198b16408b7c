# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""The other twin of a run: its settings with the objective flipped, and proof that nothing else differs.

A run writes `identity.json` before its first step: what a twin must share but no setting shows (parameters, the
tokenizer's weights, the data themselves).
"""

import hashlib
import json
import os
from pathlib import Path
from typing import Any

import numpy as np
from torch import nn

from .config import from_dict, read_yaml, to_dict
from .latents import LatentPool
from .loop_config import FREE_ON_RESUME
from .walt_config import WaltTrainConfig

IDENTITY = "identity.json"
# Where a run happens and what it tells, not what it learns or which of its weights are kept.
_OWN = (FREE_ON_RESUME - {"steps", "accumulation", "snapshots", "weights", "max_bad_steps"}) | {
    "twin_of",
    "workers",
    "sample_every",
    "sample_count",
    "sample_inference_steps",
}


def twin_settings(run: str | os.PathLike) -> dict[str, Any]:
    """The settings of a run with the objective flipped; the output folder is renamed to match.

    Args:
        run: its folder, or a YAML file.

    Raises:
        ValueError: no config there.
    """
    path = _config_path(run)
    settings = read_yaml(path)
    flipped = "image" if settings.get("objective", "video") == "video" else "video"
    folder = _twin_folder(settings.get("output_dir", str(path.parent)))
    # Where the other was resumed from is no start for this one.
    own = {"objective": flipped, "output_dir": folder, "twin_of": os.fspath(run), "resume": "auto"}
    return {**settings, **own}


def check_twin(config: WaltTrainConfig) -> None:
    """Compare a config with that of the run it names as its twin.

    Raises:
        ValueError: anything but the objective differs; the line lists what.
    """
    if config.twin_of is None:
        return
    other = to_dict(from_dict(WaltTrainConfig, read_yaml(_config_path(config.twin_of)), source=config.twin_of))
    mine = json.loads(json.dumps(to_dict(config)))
    other = json.loads(json.dumps(other))
    changed = [name for name in mine if name not in _OWN | {"objective"} and mine[name] != other[name]]
    if changed:
        pairs = [f"{name} {other[name]!r} -> {mine[name]!r}" for name in changed]
        raise ValueError(f"a twin may differ from {config.twin_of} in the objective alone, got {', '.join(pairs)}")
    if mine["objective"] == other["objective"]:
        raise ValueError(f"objective must differ from that of {config.twin_of}, got {mine['objective']} for both")


def run_identity(config: WaltTrainConfig, model: nn.Module, vae: nn.Module, task: Any) -> dict[str, Any]:
    """What twins share beyond their settings: how the model was built, its size, the tokenizer's weights, the data.

    The data's fingerprint is the task's own `fingerprint` where it has one, else that of its latents.
    """
    own = getattr(task, "fingerprint", None)
    data = own() if callable(own) else own
    arguments = {name: value for name, value in dict(model.config).items() if not name.startswith("_")}  # type: ignore
    arguments.pop("objective")
    return {
        "objective": config.objective,
        "model": json.loads(json.dumps(arguments)),
        "parameters": sum(parameter.numel() for parameter in model.parameters()),
        "tokenizer": weights_hash(vae),
        "data": data or latents_hash(getattr(task, "pool", None), getattr(task, "held_out", None)),
    }


def write_identity(folder: Path, identity: dict[str, Any]) -> None:
    """`identity.json` of a run, atomically."""
    folder.mkdir(parents=True, exist_ok=True)
    temporary = folder / f".{IDENTITY}.{os.getpid()}"
    temporary.write_text(json.dumps(identity, indent=1) + "\n")
    os.replace(temporary, folder / IDENTITY)


def check_identity(config: WaltTrainConfig, identity: dict[str, Any]) -> None:
    """Compare a run's identity with that of its twin, where the twin has begun.

    Raises:
        ValueError: another size, tokenizer or data; the line lists what differs.
    """
    path = Path(config.twin_of or "") / IDENTITY
    if config.twin_of is None or not path.is_file():
        return
    other = json.loads(path.read_text())
    shared = [name for name in identity if name != "objective"]
    pairs = [f"{name} {other.get(name)} -> {identity[name]}" for name in shared if other.get(name) != identity[name]]
    if pairs:
        raise ValueError(f"a twin must share size, tokenizer and data with {config.twin_of}, got {', '.join(pairs)}")


def weights_hash(model: nn.Module) -> str:
    """SHA-256 over the names and values of a model's weights."""
    digest = hashlib.sha256()
    for name, value in sorted(model.state_dict().items()):
        digest.update(name.encode() + value.detach().cpu().float().contiguous().numpy().tobytes())
    return digest.hexdigest()


def latents_hash(*pools: Any, rows: int = 64) -> str | None:
    """SHA-256 over the shapes and `rows` evenly spread samples of latent pools; None for streams, which have none."""
    found = [pool for pool in pools if isinstance(pool, LatentPool)]
    digest = hashlib.sha256()
    for array in (array for pool in found for array in (pool.video, pool.images)):
        digest.update(str(array.shape).encode())
        for index in np.linspace(0, len(array) - 1, min(len(array), rows)).astype(int):
            digest.update(np.ascontiguousarray(array[index]).tobytes())
    return digest.hexdigest() if found else None


def _config_path(run: str | os.PathLike) -> Path:
    path = Path(run)
    path = path / "config.yaml" if path.is_dir() else path
    if not path.is_file():
        raise ValueError(f"twin_of must be a run folder of train_walt.py, or its config.yaml, got {os.fspath(run)}")
    return path


def _twin_folder(folder: str) -> str:
    path = Path(folder)
    for mine, other in (("v-walt", "i-walt"), ("i-walt", "v-walt")):
        if mine in path.name:
            return str(path.with_name(path.name.replace(mine, other, 1)))
    return str(path.with_name(path.name + "-twin"))
