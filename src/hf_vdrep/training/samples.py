# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Pictures that a task draws while it trains, without leaving a trace in the training."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from .run import Run, chosen_copy
from .state import pack_generators, unpack_generators
from .task import Task


@contextmanager
def undisturbed() -> Iterator[None]:
    """Torch's, NumPy's and Python's generators after the block are as they were before it."""
    tensors, scalars = pack_generators()
    try:
        yield
    finally:
        unpack_generators(tensors, scalars)


@contextmanager
def judged(run: Run) -> Iterator[nn.Module | None]:
    """The model as it is to be looked at: chosen weights, eval mode, no gradients, generators kept.

    Every process enters; None on those that have nothing to do.
    """
    with undisturbed(), torch.no_grad():
        if run.sharded:
            model = chosen_copy(run)
            yield None if model is None else model.eval()
            if model is not None:
                model.cpu()
        elif run.accelerator.is_main_process:
            # The modules' modes come back one by one: a frozen part may stay in eval mode while the rest trains.
            modes = {module: module.training for module in run.model.modules()}
            run.model.eval()
            try:
                with run.ema.applied(run.model):
                    yield run.model
            finally:
                for module, mode in modes.items():
                    module.training = mode
        else:
            yield None


def draw_samples(run: Run, task: Task) -> dict[str, np.ndarray]:
    """Let the task draw, and keep what it drew as `samples/step-<n>.png`, or `step-<n>-<name>` where there are several.

    Returns:
        The pictures by name, uint8 (H, W, 3), on the main process.
    """
    drawn: dict[str, Any] = {}
    with judged(run) as model:
        if model is not None:
            drawn = task.sample(model, run.step)  # type: ignore[attr-defined]
    return keep_samples(run.folder / "samples", run.step, drawn)


def keep_samples(folder: Path, step: int, drawn: dict[str, Any]) -> dict[str, np.ndarray]:
    """Write arrays as PNG and move files; see `draw_samples`."""
    from PIL import Image

    folder.mkdir(parents=True, exist_ok=True) if drawn else None
    pictures = {}
    for name, value in drawn.items():
        stem = f"step-{step}" if len(drawn) == 1 else f"step-{step}-{name}"
        if isinstance(value, np.ndarray):
            if value.dtype != np.uint8 or value.ndim != 3 or value.shape[2] != 3:
                raise ValueError(f"sample {name} must be uint8 (H, W, 3) or a path, got {value.dtype} {value.shape}")
            temporary = folder / f".{stem}.{os.getpid()}.png"
            Image.fromarray(value).save(temporary)
            os.replace(temporary, folder / f"{stem}.png")
            pictures[name] = value
            continue
        suffix = Path(value).suffix
        shutil.move(value, folder / f"{stem}{suffix}")
        if suffix == ".png":
            pictures[name] = np.asarray(Image.open(folder / f"{stem}{suffix}").convert("RGB"))
    return pictures
