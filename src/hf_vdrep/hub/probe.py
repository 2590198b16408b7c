# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""A trained readout as a push.

On a WALT, read as its head reads clips, it becomes one transformers model together with its backbone. On anything else
(another model, or an I-WALT that was given single frames) the readout goes alone, and its card says how to open both.
"""

from __future__ import annotations

import json
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..models import shipped
from ..models.folder import check_folder
from ..study.shipped_probes import ROOT
from ..training.probe import TRAINING_NAME
from .folder_files import files_of
from .model import MARK, REPLACED, pipeline_files, without_local_path
from .model_card import WaltShape
from .plan import PlannedFile, PushPlan, make_plan
from .probe_card import probe_card
from .record import TrainingRecord, without_local_paths
from .results import RESULTS_NAME, TaskScore, results_file

# What a head does with a clip by itself; the rest needs images cut from it beforehand.
_OWN_READINGS = (None, "auto", "video", "stack")
# A readout that went alone may go with its backbone the next time, and the other way round.
_OF_EITHER = (
    *REPLACED,
    *("vae/*", "transformer/*", "scheduler/*", "model_index.json", MARK, TRAINING_NAME),
    *("preprocessor_config.json", "video_preprocessor_config.json"),
)


@dataclass(frozen=True)
class TrainedProbe:
    """A readout's folder and what `training.json` says of it.

    Attributes:
        folder: of `Readout.save_pretrained`.
        about: content of `training.json`.
        record: of its training, where it lies in a run folder.
    """

    folder: Path
    about: dict[str, Any]
    record: TrainingRecord

    @property
    def task(self) -> str:
        """Name of the task."""
        return self.about["task"]

    @property
    def backbone(self) -> str:
        """What it was trained on: a shipped name, a folder, or a Hub id."""
        return str(self.about["backbone"])

    @property
    def reading(self) -> str | None:
        """How a clip reached the backbone; None is its own way."""
        found = self.about.get("reading")
        return None if found == "auto" else found

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the classes of what it was trained on, in label order; none where it is no classifier."""
        from ..study.compare.tasks import STUDY_TASKS

        published = self.about.get("data", "probeworld") != "probeworld"
        return tuple(self.about.get("classes", ())) if published else STUDY_TASKS[self.task].classes

    @property
    def reads_image(self) -> bool:
        """Whether it sees one frame."""
        from ..probes.registry import get_task

        return get_task(self.task).reads == "image"

    def score(self) -> TaskScore | None:
        """Its test score with interval, where it is known."""
        from ..study.compare.tasks import STUDY_TASKS

        task, test = STUDY_TASKS[self.task], self.about.get("test", {})
        value = test.get(task.metric)
        if not isinstance(value, dict):
            return None
        higher = task.probe.higher_is_better
        about: dict[str, Any] = {"task": task.name, "title": task.title, "metric": task.metric, "percent": task.percent}
        cell = {"layer": self.about["layer"], "timestep": self.about["timestep"], "reading": self.reading}
        return TaskScore(**about, **value, **cell, higher_is_better=higher, clips=test.get("clips", 0))


def open_trained(source: str | Path) -> TrainedProbe:
    """A shipped readout ("v-walt/depth"), a run folder of `train_probe`, or a readout's own folder.

    Raises:
        ValueError: no trained readout there.
    """
    folder = ROOT / source if (ROOT / source / TRAINING_NAME).is_file() else Path(source)
    record = TrainingRecord()
    if (folder / "probe" / TRAINING_NAME).is_file():
        record, folder = TrainingRecord.read(folder), folder / "probe"
    try:
        about = json.loads((folder / TRAINING_NAME).read_text(encoding="utf-8"))
        return TrainedProbe(folder, {**about, "task": about["task"], "backbone": about["backbone"]}, record)
    except (OSError, ValueError, KeyError, TypeError) as error:
        known = ", ".join(shipped_probes()) or "none found"
        raise ValueError(
            f"probe must be a trained readout's folder or one of {known}, got {source} ({error})"
        ) from None


def shipped_probes() -> list[str]:
    """Names of the readouts that come with the package: "i-walt/depth"."""
    return sorted(file.parent.relative_to(ROOT).as_posix() for file in ROOT.glob(f"*/*/{TRAINING_NAME}"))


def probe_plan(source: str | Path, repo_id: str, base_id: str, dataset: str, backbone: str | None = None) -> PushPlan:
    """One commit that makes `repo_id` this probe.

    Args:
        source: as of `open_trained`.
        repo_id: user/name.
        base_id: Hub id of the backbone, for the card.
        dataset: Hub id of ProbeWorld.
        backbone: folder or shipped name of the backbone; what `training.json` names by default.

    Raises:
        ValueError: no trained readout, or a backbone that it does not fit.
    """
    probe = open_trained(source)
    walt = walt_folder(backbone or probe.backbone)
    whole = _goes_whole(probe, walt)
    score = probe.score()
    files = _head_files(probe, walt) if walt is not None and whole else files_of(probe.folder)
    about = without_local_paths(probe.about)
    settings = PlannedFile(f"readout/{TRAINING_NAME}" if whole else TRAINING_NAME, _json(about))
    files += [settings, *probe.record.files()]
    if score:
        files.append(PlannedFile(RESULTS_NAME, results_file([score], dataset)))
    files.append(PlannedFile("README.md", readme(probe, walt, repo_id, base_id, dataset).encode()))
    title = probe.task.replace("_", " ")
    return make_plan(
        files,
        kind="probe",
        repo_id=repo_id,
        repo_type="model",
        message=f"Upload readout of {title}{' with its backbone' if whole else ''}: weights, card, results",
        replaces=_OF_EITHER,
        marks=(MARK, TRAINING_NAME),
        note=f"Readout of {title} from frozen features of {base_id.rsplit('/', 1)[-1]}",
    )


def readme(probe: TrainedProbe, walt: Path | None, repo_id: str, base_id: str, dataset: str) -> str:
    """The card alone, without building the model; arguments as of `probe_plan`, `walt` as of `walt_folder`."""
    shape = WaltShape.read(walt) if walt is not None else None
    whole = _goes_whole(probe, walt)
    return probe_card(repo_id, base_id, dataset, probe.about, probe.score(), shape, whole, probe.reads_image)


def _goes_whole(probe: TrainedProbe, walt: Path | None) -> bool:
    return walt is not None and (probe.reads_image or probe.reading in _OWN_READINGS)


def walt_folder(backbone: str) -> Path | None:
    """The folder of a WALT, None for any other backbone."""
    folder = shipped.path(backbone) if backbone in shipped.names() else Path(backbone)
    if not (folder / "model_index.json").is_file():
        return None
    return check_folder(folder) if "Walt" in (folder / "model_index.json").read_text(encoding="utf-8") else None


def _head_files(probe: TrainedProbe, walt: Path) -> list[PlannedFile]:
    """The backbone's folder as it lies there, and over it what the head writes anew: config, index, readout."""
    import torch
    from diffusers.utils import logging as diffusers_logging
    from transformers.utils import logging as transformers_logging

    from ..heads.registry import head_for
    from ..models.layer_index import resolve_layers
    from ..models.modeling_walt import WaltModel

    diffusers_logging.disable_progress_bar()
    transformers_logging.disable_progress_bar()
    model = WaltModel.from_pretrained(walt)
    (layer,) = resolve_layers([_index(probe.about["layer"])], model.config.num_hidden_layers)
    head = head_for(probe.task).from_probe(
        model,
        probe.folder,
        layer=layer,
        timestep=probe.about["timestep"],
        seed=probe.about.get("seed", 0),
        labels=probe.classes or None,
    )
    base = pipeline_files(walt)
    weights = {file.path for file in base if file.path.endswith(".safetensors")}
    with tempfile.TemporaryDirectory() as place:
        head.save_pretrained(place, storage_dtype=torch.float16)
        made = [file for file in files_of(Path(place)) if file.path not in weights]
        made = [without_local_path(PlannedFile(file.path, file.read())) for file in made]
    return [*(file for file in base if file.path != "README.md"), *made]


def _json(content: dict[str, Any]) -> bytes:
    return f"{json.dumps(content, indent=1)}\n".encode()


def _index(layer: float) -> int | float:
    """A settings file holds 4 as 4.0."""
    return int(layer) if float(layer).is_integer() and layer != 1 else layer
