# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""A WALT as a push: the pipeline folder, the files of transformers, the shim, a card, and results."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path

from ..models import shipped
from ..models.folder import (
    COMPONENTS,
    INDEX_NAME,
    ModelFolderError,
    check_folder,
    weights_of,
    write_transformers_face,
)
from ..models.folder_shim import SHIM
from .documents import comparison
from .folder_files import files_of
from .kept import kept_weights
from .model_card import WaltShape, model_card
from .plan import PlannedFile, PushPlan, make_plan
from .record import FILES as RECORD_FILES
from .record import TrainingRecord
from .results import RESULTS_NAME, results_file, scores, table_of

# Shards of an earlier push that this one does not write would be read by nobody, and still be downloaded; its results
# and the record of its training would be taken for this one's.
REPLACED = (
    *("vae/*.safetensors*", "transformer/*.safetensors*", "readout/*", "model*.safetensors*"),
    *(RESULTS_NAME, *(f"training/{name}" for name in RECORD_FILES)),
)
MARK = f"{SHIM}.py"


def model_plan(
    source: str | Path, repo_id: str, dataset: str, results: Path | None = None, checkpoints: bool = False
) -> PushPlan:
    """One commit that makes `repo_id` this model.

    Args:
        source: name of a shipped model, a pipeline folder, or a run folder of `train_walt`.
        repo_id: user/name.
        dataset: Hub id of ProbeWorld, to which results refer.
        results: folder of committed results: `table*.json`, and the record of a shipped model's training.
        checkpoints: the card names the branches of `checkpoint_plans`.

    Raises:
        ModelFolderError: the folder is missing, incomplete or corrupt.
        ValueError: results that cannot be read, or no checkpoint to name.
    """
    folder, record_folder, system = locate(source, results)
    if not folder.exists():
        raise ValueError(f"model must be a folder or one of {', '.join(shipped.names())}, got {source}")
    check_folder(folder)
    record, found = TrainingRecord.read(record_folder), scores(results, system) if system else []
    files = [*pipeline_files(folder), *record.files()]
    if found:
        files.append(PlannedFile(RESULTS_NAME, results_file(found, dataset)))
    if not (folder / "README.md").is_file():
        beside = comparison(table_of(results).name, results) if results and found else ""
        kept = kept_weights(system, folder, record_folder) if checkpoints else []
        card = model_card(repo_id, WaltShape.read(folder), record, found, dataset, beside, kept)
        files.append(PlannedFile("README.md", card.encode()))
    name = system or folder.name
    return make_plan(
        files,
        kind="model",
        repo_id=repo_id,
        repo_type="model",
        message=f"Upload {name}: pipeline, transformers files, card{' and results' if found else ''}",
        replaces=REPLACED,
        note=f"{name}: a WALT for diffusers and transformers",
        marks=(MARK,),
    )


def locate(source: str | Path, results: Path | None = None) -> tuple[Path, Path | None, str | None]:
    """The pipeline folder of a model, the folder of its training's record, and its column in the comparison.

    A shipped name has its record in the results; a run folder holds both; a plain pipeline folder has neither.
    """
    if str(source) in shipped.names():
        name = str(source)
        return shipped.path(name), results / name if results else None, name
    folder = Path(source)
    if (folder / "pipeline" / "model_index.json").is_file():
        return folder / "pipeline", folder, None
    beside = folder.parent if folder.name == "pipeline" else None
    return folder, beside, None


def pipeline_files(folder: Path) -> list[PlannedFile]:
    """The files of a checked pipeline folder, with what transformers needs, and without paths of this machine.

    Raises:
        ModelFolderError: weights that the folder's `.gitignore` leaves out.
    """
    files = files_of(folder)
    paths = {file.path for file in files}
    for weights in (file for part in COMPONENTS for file in weights_of(folder, part).values()):
        if (needed := weights.relative_to(folder).as_posix()) not in paths:
            raise ModelFolderError(f"{folder} must be pushed with {needed}, which its .gitignore leaves out")
    if not {"config.json", INDEX_NAME, f"{SHIM}.py"} <= paths:
        files += _transformers_face(folder, files)
    return [without_local_path(file) for file in files]


def _transformers_face(folder: Path, files: list[PlannedFile]) -> list[PlannedFile]:
    """What diffusers alone did not write, made in a copy whose large files are links."""
    with tempfile.TemporaryDirectory() as place:
        copy = Path(place) / folder.name
        for file in files:
            target = copy / file.path
            target.parent.mkdir(parents=True, exist_ok=True)
            if file.path.endswith(".json"):
                target.write_bytes(file.read())
            else:
                os.symlink(folder.absolute() / file.path, target)
        write_transformers_face(copy)
        made = [path for path in sorted(copy.rglob("*")) if path.is_file() and not path.is_symlink()]
        return [PlannedFile(path.relative_to(copy).as_posix(), path.read_bytes()) for path in made]


def without_local_path(file: PlannedFile) -> PlannedFile:
    """diffusers notes where a model was loaded from: of no use to others, and perhaps not for their eyes."""
    if not file.path.endswith(".json") or file.size > 10**6:
        return file
    content = json.loads(file.read())
    if not isinstance(content, dict) or "_name_or_path" not in content:
        return file
    del content["_name_or_path"]
    return PlannedFile(file.path, (json.dumps(content, indent=2, sort_keys=True) + "\n").encode())
