# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Scalars, settings and pictures to the trackers that Accelerate knows; nothing leaves the machine on its own."""

import importlib.util
import os
from pathlib import Path
from typing import Any

import numpy as np
from accelerate import Accelerator

NAMES = ("trackio", "tensorboard", "wandb")


def wanted_trackers(report_to: str) -> list[str]:
    """The trackers that `report_to` names: none, one, or all that are installed.

    Raises:
        ValueError: the package is not installed; names it.
    """
    if report_to == "none":
        return []
    installed = [name for name in NAMES if importlib.util.find_spec(name)]
    if report_to == "all":
        return installed
    if report_to not in installed:
        raise ValueError(f"report_to must name an installed tracker, got {report_to} (pip install {report_to})")
    return [report_to]


def start_trackers(accelerator: Accelerator, project: str, settings: dict[str, Any], *, step: int) -> None:
    """Open the Accelerator's trackers for one run.

    Args:
        accelerator: made with `log_with`.
        project: under which runs are listed together.
        settings: hyperparameters; nested ones are flattened with dots.
        step: steps already done; what TensorBoard holds of later ones is dropped.
    """
    if not accelerator.log_with:
        return
    name = Path(settings["output_dir"]).name
    options = {
        "tensorboard": {"purge_step": step + 1 if step else None},
        "trackio": {"name": name, "resume": "allow", "auto_log_gpu": False, "auto_log_cpu": False},
        # Offline unless the user says otherwise: a training must not depend on an account.
        "wandb": {"name": name, "mode": os.environ.get("WANDB_MODE", "offline"), "dir": settings["output_dir"]},
    }
    accelerator.init_trackers(project, config=flatten(settings), init_kwargs=options)


def log_scalars(accelerator: Accelerator, record: dict[str, Any], step: int) -> None:
    """The numbers of a log line."""
    if accelerator.trackers:
        values = {name: value for name, value in record.items() if isinstance(value, (int, float)) and name != "step"}
        accelerator.log(values, step=step)


def log_pictures(accelerator: Accelerator, pictures: dict[str, np.ndarray], step: int) -> None:
    """Pictures, uint8 (H, W, 3) by name, to the trackers that take them; called on the main process."""
    for tracker in accelerator.trackers:
        if tracker.name == "tensorboard":
            for name, picture in pictures.items():
                tracker.tracker.add_image(name, picture, global_step=step, dataformats="HWC")
            tracker.tracker.flush()
        elif tracker.name == "trackio":
            import trackio

            tracker.log({name: trackio.Image(picture) for name, picture in pictures.items()}, step=step)
        elif hasattr(tracker, "log_images"):
            tracker.log_images({name: [picture] for name, picture in pictures.items()}, step=step)


def finish_trackers(accelerator: Accelerator) -> None:
    """Close them; a later training in the process starts its own."""
    for tracker in accelerator.trackers:
        tracker.finish()
    accelerator.trackers = []


def flatten(settings: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested settings as one level of scalars and strings, which is all that trackers take."""
    flat: dict[str, Any] = {}
    for name, value in settings.items():
        if isinstance(value, dict):
            flat.update(flatten(value, f"{prefix}{name}."))
        else:
            flat[prefix + name] = value if isinstance(value, (bool, int, float, str)) else str(value)
    return flat
