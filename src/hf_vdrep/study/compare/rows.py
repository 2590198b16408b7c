# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Result rows: an append-only ledger of every score, with the per-sample values beside it."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import platform
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np

from ... import __version__

PACKAGES = ("diffusers", "evaluate", "numpy", "torch", "transformers")


@dataclass(frozen=True)
class ResultRow:
    """One score of one trained readout on one split (design: Result row).

    Attributes:
        study, task, dataset, split: what was measured on what.
        backbone: system key; `revision`: fingerprint of its weights and reading.
        layer: block index; `timestep`: noise level; `reading`: how a video reached the backbone. None where none.
        readout: name of the readout; `learning_rate` and `seed`: how it was trained. None where nothing was.
        metric, value, n: name, mean over the `n` samples that count.
        per_sample: metric -> values of every sample, in order of the split; NaN where a sample does not count.
        config_hash: of everything that decides the score; the key under which the row is found again.
        versions: package -> version.
        wall_time: seconds of training and scoring; `flops`: of the backbone's forward pass, per sample.
    """

    study: str
    task: str
    dataset: str
    split: str
    backbone: str
    revision: str
    layer: int | None
    timestep: int | None
    reading: str | None
    readout: str | None
    learning_rate: float | None
    seed: int | None
    metric: str
    value: float
    n: int
    config_hash: str
    wall_time: float
    flops: int | None = None
    versions: dict[str, str] = field(default_factory=lambda: package_versions())
    per_sample: dict[str, np.ndarray] = field(default_factory=dict, compare=False)


class Ledger:
    """Rows in `results.jsonl`, their per-sample values in `per-sample/<config hash>.safetensors`.

    A row is written after its values, in one write, so that a run that dies leaves no row without values; a torn last
    line is ignored and overwritten by the run that comes after.

    Args:
        folder: made where needed.
    """

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        self.folder = Path(folder)
        self.path = self.folder / "results.jsonl"
        self._rows: dict[str, ResultRow] = {}
        self._read()

    def __len__(self) -> int:
        return len(self._rows)

    def __contains__(self, config_hash: str) -> bool:
        return config_hash in self._rows

    def __iter__(self) -> Iterator[ResultRow]:
        """Rows without their per-sample values, in the order of writing."""
        return iter(self._rows.values())

    def find(self, config_hash: str) -> ResultRow | None:
        """The row of that hash with its per-sample values, None if it is not there."""
        row = self._rows.get(config_hash)
        if row is None or row.per_sample:
            return row
        from safetensors import SafetensorError
        from safetensors.numpy import load_file

        try:
            values = load_file(self._values_path(config_hash))
        except (OSError, SafetensorError):
            return None  # measured again rather than trusted without its evidence
        self._rows[config_hash] = dataclasses.replace(row, per_sample=values)
        return self._rows[config_hash]

    def append(self, row: ResultRow) -> None:
        """Write a row and its values."""
        from safetensors.numpy import save_file

        from ...data import atomic_output

        with atomic_output(self._values_path(row.config_hash)) as temporary:
            save_file({name: np.ascontiguousarray(v) for name, v in row.per_sample.items()}, temporary)
        record = {f.name: getattr(row, f.name) for f in dataclasses.fields(row) if f.name != "per_sample"}
        line = json.dumps(record, sort_keys=True) + "\n"
        with self.path.open("ab") as stream:
            stream.write((b"" if self._ends_whole() else b"\n") + line.encode())
            stream.flush()
            os.fsync(stream.fileno())
        self._rows[row.config_hash] = row

    def _values_path(self, config_hash: str) -> Path:
        return self.folder / "per-sample" / f"{config_hash}.safetensors"

    def _ends_whole(self) -> bool:
        if not self.path.exists() or not self.path.stat().st_size:
            return True
        with self.path.open("rb") as stream:
            stream.seek(-1, os.SEEK_END)
            return stream.read(1) == b"\n"

    def _read(self) -> None:
        if not self.path.exists():
            return
        known = {f.name for f in dataclasses.fields(ResultRow)}
        for line in self.path.read_text(encoding="utf-8", errors="replace").splitlines():
            try:
                record = json.loads(line)
                row = ResultRow(**{key: value for key, value in record.items() if key in known})
            except (ValueError, TypeError, AttributeError):
                continue
            self._rows[row.config_hash] = row


def config_hash(parts: Mapping[str, Any]) -> str:
    """Sixteen hex digits that change with any part."""
    text = json.dumps(parts, sort_keys=True, default=str)
    return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()


def package_versions() -> dict[str, str]:
    """Versions of what the figures depend on."""
    return dict(_versions())


@cache
def _versions() -> dict[str, str]:
    found = {name: metadata.version(name) for name in PACKAGES}
    return {"python": platform.python_version(), "hf_vdrep": __version__, **found}
