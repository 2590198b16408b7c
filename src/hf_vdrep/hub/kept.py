# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Weights that a training kept along the way, and the branches that they go to."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from ..models import shipped
from ..models.folder import ModelFolderError, weights_of
from ..models.safetensors_header import read_header
from .record import TrainingRecord

_SNAPSHOT = re.compile(r"step-(\d+)\.safetensors")


@dataclass(frozen=True)
class Kept:
    """Averaged weights of a denoiser at a step of its training.

    Attributes:
        revision: name of the branch, "step-400"; "seed-1-step-400" of another seed than the first.
        step: optimiser steps done.
        steps: of the whole training; None where unknown.
        path: safetensors file with the names of `WaltTransformer3DModel`.
        seed: of the training; 0 is that of the model itself.
    """

    revision: str
    step: int
    steps: int | None
    path: Path
    seed: int = 0

    @property
    def share(self) -> str:
        """ "20 %" of the training, "–" where its length is unknown."""
        return f"{100 * self.step / self.steps:g} %" if self.steps else "–"

    @property
    def words(self) -> str:
        """ "400 of 2,000 steps"; of another seed's training it says so."""
        done = f"{self.step:,} of {self.steps:,} steps" if self.steps else f"{self.step:,} steps"
        return f"{done} of a second training (seed {self.seed})" if self.seed else done


def kept_weights(name: str | None, folder: Path, run: Path | None) -> list[Kept]:
    """What was kept of a training, in the order of its steps.

    Args:
        name: of a shipped model; None for others.
        folder: the checked pipeline folder, whose denoiser the weights must fit.
        run: folder of the training's record, which holds `snapshots/`.

    Raises:
        ValueError: nothing was kept.
        ModelFolderError: a file of it is corrupt, or of another model.
    """
    found = _of_shipped(name) if name else _of_run(run)
    if not found:
        place = f"of {name}" if name else f"in {(run or folder) / 'snapshots'}"
        raise ValueError(f"checkpoints must have been kept ({place}; `snapshots` of the training's config), got none")
    sizes = {path: read_header(path) for path in set(weights_of(folder, "transformer").values())}
    expected = {tensor: entry["shape"] for header in sizes.values() for tensor, entry in header.items()}
    for kept in found:
        _check(kept.path, expected)
    return found


def _of_shipped(name: str) -> list[Kept]:
    rows = [kept for kept in shipped.checkpoints() if kept.twin == name]
    return [
        Kept(
            f"step-{row.step}" if row.seed == 0 else f"seed-{row.seed}-step-{row.step}",
            row.step,
            round(row.step / row.fraction),
            row.path,
            row.seed,
        )
        for row in rows
    ]


def _of_run(run: Path | None) -> list[Kept]:
    if run is None:
        return []
    config, summary = (lambda record: (record.config, record.summary))(TrainingRecord.read(run))
    steps = summary.get("steps") or config.get("steps")
    found = [(match, path) for path in run.glob("snapshots/*") if (match := _SNAPSHOT.fullmatch(path.name))]
    rows = sorted((int(match[1]), path) for match, path in found)
    return [Kept(f"step-{step}", step, steps, path) for step, path in rows]


def _check(path: Path, expected: dict[str, list[int]]) -> None:
    try:
        found = {tensor: entry["shape"] for tensor, entry in read_header(path).items()}
    except (OSError, ValueError) as error:
        raise ModelFolderError(f"{path} must be a whole safetensors file, got {error}") from None
    if found != expected:
        other = next(iter(sorted({*found} ^ {*expected})), None) or next(t for t in found if found[t] != expected[t])
        raise ModelFolderError(f"{path} must hold the tensors of the model's denoiser, got another {other}")
