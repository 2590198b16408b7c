# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""A model as it was at a step of its training, as a push to a branch of the model's repository (after Pythia)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from ..models.folder import INDEX_NAME, WEIGHTS_NAME, check_folder
from .kept import kept_weights
from .model import MARK, REPLACED, locate, pipeline_files
from .model_card import WaltShape, model_card
from .plan import PlannedFile, PushPlan, make_plan
from .record import TrainingRecord

_WEIGHTS = f"transformer/{WEIGHTS_NAME}"
_SUMMARY = "training/summary.json"  # figures of the last step


def checkpoint_plans(source: str | Path, repo_id: str, dataset: str, results: Path | None = None) -> Iterator[PushPlan]:
    """One commit a kept checkpoint, each to a branch of its own; arguments as of `model_plan`.

    A branch holds the whole model, so that `from_pretrained(repo_id, revision="step-400")` needs nothing else; what it
    shares with the others is stored once.

    Raises:
        ModelFolderError: the folder or a checkpoint is missing, corrupt, or of another model.
        ValueError: no checkpoint was kept.
    """
    folder, record_folder, system = locate(source, results)
    check_folder(folder)
    record, shape = TrainingRecord.read(record_folder), WaltShape.read(folder)
    base = pipeline_files(folder)
    for kept in kept_weights(system, folder, record_folder):
        own = replace(record, folder=None) if kept.seed else record  # log and curve are of the first seed
        files = [*_with_weights(base, kept.path), *(file for file in own.files() if file.path != _SUMMARY)]
        if not (folder / "README.md").is_file():
            card = model_card(repo_id, shape, own, [], dataset, at=kept)
            files.append(PlannedFile("README.md", card.encode()))
        yield make_plan(
            files,
            kind="checkpoint",
            repo_id=repo_id,
            repo_type="model",
            message=f"Upload {system or folder.name} after {kept.words}: pipeline, transformers files, card",
            replaces=REPLACED,
            revision=kept.revision,
            marks=(MARK,),
        )


def _with_weights(files: list[PlannedFile], path: Path) -> list[PlannedFile]:
    """The model's files with other weights of the denoiser, which lie in one file, and an index that says so."""
    others = [file for file in files if not _is_denoiser(file.path)]
    weights = PlannedFile(_WEIGHTS, path)
    index = json.loads(next(file for file in files if file.path == INDEX_NAME).read())
    index["weight_map"] = {
        name: _WEIGHTS if _is_denoiser(place) else place for name, place in index["weight_map"].items()
    }
    named = set(index["weight_map"].values())
    index["metadata"]["total_size"] = sum(file.size for file in [*others, weights] if file.path in named)
    text = f"{json.dumps(index, indent=2, sort_keys=True)}\n"
    return [*(file for file in others if file.path != INDEX_NAME), PlannedFile(INDEX_NAME, text.encode()), weights]


def _is_denoiser(path: str) -> bool:
    return path.startswith("transformer/") and ".safetensors" in path
