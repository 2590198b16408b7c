# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""The test split behind a guard: predictions of a finished readout, once, and a record of every reading."""

import hashlib
import json
import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import nn

from .fit import FitResult, predict_columns
from .probe_data import ProbeData
from .task import Columns, Task


class TestSplit:
    """Hands out what each fitted readout says about the test split, once.

    The data go in and do not come out: what is learned or chosen cannot see them. The data given are marked, so that
    `fit_readout` and `predict` refuse them from then on.

    Args:
        data: features and labels of the test split.
        ledger: file that records the readings, one JSON line each, and remembers them from one process to the next.
    """

    __test__ = False  # for pytest: no test case

    def __init__(self, data: ProbeData, *, ledger: str | Path | None = None) -> None:
        object.__setattr__(data, "split", "test")
        self.__data = replace(data)
        self.ledger = Path(ledger) if ledger else None
        self._readings: list[dict[str, Any]] = _load(self.ledger)

    def __len__(self) -> int:
        return len(self.__data)

    @property
    def readings(self) -> list[dict[str, Any]]:
        """What has been read so far: task, readout (a hash of its weights) and seed of each."""
        return [dict(reading) for reading in self._readings]

    def predict(self, task: Task, fitted: FitResult | nn.Module, *, batch_size: int | None = None) -> list[Columns]:
        """Columns for the task's metric, of each chosen member (one per seed) or of the one readout given.

        Raises:
            ValueError: these weights have been tested on this task before; nothing is read then.
        """
        chosen: Sequence[tuple[int | None, nn.Module]]
        if isinstance(fitted, FitResult):
            chosen = [(member.seed, member.readout) for member in fitted.chosen]
        else:
            chosen = [(None, fitted)]
        entries = [{"task": task.name, "readout": fingerprint(readout), "seed": seed} for seed, readout in chosen]
        before = {(reading["task"], reading["readout"]) for reading in self._readings}
        for entry in entries:
            if (entry["task"], entry["readout"]) in before:
                raise ValueError(f"the test split is read once per fitted readout, got {entry} again")
        # Written down first: a crash between reading and recording must not allow another look.
        self._readings += entries
        if self.ledger:
            _append(self.ledger, entries)
        return [predict_columns(task, readout, self.__data, batch_size=batch_size) for _, readout in chosen]


def fingerprint(readout: nn.Module) -> str:
    """Sixteen hex digits of a readout's weights and buffers."""
    digest = hashlib.sha256()
    for name, value in sorted(readout.state_dict().items()):
        flat = value.detach().cpu().contiguous().flatten()
        digest.update(f"{name} {value.dtype} {tuple(value.shape)}".encode())
        digest.update(flat.view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()[:16]


def _load(ledger: Path | None) -> list[dict[str, Any]]:
    if ledger is None or not ledger.exists():
        return []
    try:
        return [json.loads(line) for line in ledger.read_text().splitlines()]
    except ValueError as error:
        raise ValueError(f"ledger must hold one JSON object per line, got {ledger} ({error})") from error


def _append(ledger: Path, entries: Sequence[dict[str, Any]]) -> None:
    ledger.parent.mkdir(parents=True, exist_ok=True)
    temporary = ledger.with_name(f".{ledger.name}.{os.getpid()}")
    before = ledger.read_text() if ledger.exists() else ""
    temporary.write_text(before + "".join(json.dumps(entry) + "\n" for entry in entries))
    os.replace(temporary, ledger)
