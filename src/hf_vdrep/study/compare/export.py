# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Readouts of a finished comparison as folders of their own, for apps and for `hf_vdrep.heads`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np

from ...probes.readout import Readout
from ...training.autoencoder import replace_folder
from ...training.config import load_config
from ...training.probe import TRAINING_NAME
from .comparison import open_setting
from .config import CompareConfig
from .plan import final_steps
from .rows import Ledger
from .setting import Setting
from .systems import TWINS
from .trials import Trial, load_readout


def export_readouts(run: Path, out: Path, tasks: Sequence[str]) -> list[Path]:
    """Save the twins' readouts of a comparison, the first seed of each, with what they reached on the test clips.

    Args:
        run: output folder of `hf-vdrep compare`, its cache included.
        out: gets `<twin>/<task>/`, each replaced as a whole.
        tasks: which.

    Raises:
        ValueError: a task that the comparison has not, or a readout that its cache has lost.
    """
    table = json.loads((run / "table.json").read_text(encoding="utf-8"))
    config = load_config(CompareConfig, run / "config.yaml")
    config.output_dir = str(run)
    setting = open_setting(config)
    found = {entry["task"]: entry for entry in table["tasks"]}
    missing = [task for task in tasks if task not in found]
    if missing:
        raise ValueError(f"tasks must be among {sorted(found)}, got {missing}")
    return [
        _export(setting, entry, task, out)
        for task in tasks
        for entry in found[task]["systems"]
        if entry["system"] in TWINS
    ]


def _export(setting: Setting, entry: dict[str, Any], task: str, out: Path) -> Path:
    trial = Trial(
        setting,
        task,
        entry["system"],
        entry["reading"],
        entry["layer"],
        entry["timestep"],
        entry["learning_rate"],
        entry["seeds"][0],
        final_steps(setting, task),
        setting.config.train_size,
    )
    readout = cast(Readout, load_readout(trial, _kept(trial)))
    about = {
        "task": task,
        "backbone": trial.system,
        "revision": setting.backbone(trial.system, trial.reading).fingerprint,
        **{name: getattr(trial, name) for name in ("layer", "timestep", "reading", "learning_rate", "steps")},
        "seed": setting.config.seed,
        "readout_seed": trial.seed,
        "train_clips": trial.train_rows,
        "feature_shape": list(trial.data("validation", 1).feature_shape),
        "parameters": readout.num_parameters(),
        "test": {trial.study_task.metric: entry["score"], "clips": setting.config.test_size, **entry["secondary"]},
    }

    def write(folder: Path) -> None:
        readout.half().save_pretrained(folder)  # read back in float32
        (folder / TRAINING_NAME).write_text(json.dumps(about, indent=1) + "\n", encoding="utf-8")

    folder = out / trial.system / task
    replace_folder(folder, write)
    return folder


def _kept(trial: Trial) -> Path:
    """Weights of a trial's final training, found by what the ledger says of it: hashes change with the program."""
    values = dict.fromkeys((trial.study_task.probe.primary, *trial.study_task.secondary), np.zeros(0))
    about = trial.row("validation", values, 0.0, 0.0)
    same = ("task", "split", "backbone", "revision", "layer", "timestep", "reading", "readout", "learning_rate", "seed")
    for row in Ledger(trial.setting.config.output_dir):
        path = trial.setting.cache / "readouts" / f"{row.config_hash}.safetensors"
        if all(getattr(row, name) == getattr(about, name) for name in same) and path.exists():
            return path
    raise ValueError(f"run must still hold its cache, got {trial.setting.cache} without {trial.task} of {trial.system}")
