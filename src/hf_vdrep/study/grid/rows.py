# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Result rows of the study: parquet with per-sample values, one atomic file per cell, compacted into one."""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from ...data import atomic_output
from ..compare.rows import package_versions

ROWS_NAME, SHARDS_NAME = "rows.parquet", "shards"
_LARGEST = 65504.0  # of float16


@dataclass(frozen=True)
class StudyRow:
    """One metric of one readout (or of one model, or a pair of them) on one split.

    Attributes:
        study: name of the analysis; `kind`: what it measures.
        task: of the ten, or "cka", "generation".
        dataset, split: what was measured on.
        backbone: spec of the frozen model; `twin`: which of the twins it is a state of, or the spec.
        revision: fingerprint of its weights and reading; `parameters`: of the tapped network.
        training_seed, training_step, fraction: of a checkpoint along a training, None otherwise.
        layer: block index of `num_layers`; `timestep`: noise level; `site`: place in the block; `reading`: how a clip
            reached a model of images. None where there is none.
        frame_order: of the clips measured on.
        readout: name; `steps`, `train_size`, `seed`, `learning_rate`: how it was trained. None where nothing was.
        metric, value, n: mean over the `n` samples that count.
        primary: the metric that decides; `higher_is_better`: its direction.
        validation: the primary metric on validation at the learning rate that was chosen there.
        per_sample: values of every sample in the order of the split, kept in half precision; NaN where one does not
            count; empty where the metric is no mean.
        config_hash: of everything that decides the value.
        versions: package -> version, as JSON.
        wall_time: seconds; `flops`: of the backbone's forward pass, per sample.
        other: what else the kind says, as JSON.
    """

    study: str
    kind: str
    task: str
    dataset: str
    split: str
    backbone: str
    twin: str
    revision: str
    metric: str
    value: float
    n: int
    config_hash: str
    higher_is_better: bool = True
    primary: bool = True
    parameters: int | None = None
    training_seed: int | None = None
    training_step: int | None = None
    fraction: float | None = None
    layer: int | None = None
    num_layers: int | None = None
    timestep: int | None = None
    site: str | None = None
    reading: str | None = None
    frame_order: str | None = None
    readout: str | None = None
    steps: int | None = None
    train_size: int | None = None
    seed: int | None = None
    learning_rate: float | None = None
    validation: float | None = None
    wall_time: float = 0.0
    flops: int | None = None
    versions: str = field(default_factory=lambda: json.dumps(package_versions(), sort_keys=True))
    other: str = "{}"
    per_sample: np.ndarray = field(default_factory=lambda: np.zeros(0), compare=False)

    @property
    def key(self) -> tuple[str, str, str]:
        """What is measured once."""
        return self.study, self.config_hash, self.metric


def write_shard(folder: Path, rows: Sequence[StudyRow], name: str) -> None:
    """Write the rows of one cell; the file appears whole or not at all."""
    place = folder / SHARDS_NAME
    place.mkdir(parents=True, exist_ok=True)
    _write(place / f"{name}.parquet", rows)


def read_rows(path: str | os.PathLike[str]) -> list[StudyRow]:
    """All rows of a folder (compacted and not yet), or of one parquet file, each once.

    Raises:
        ValueError: no rows there, or a file that is none of ours.
    """
    path = Path(path)
    files = [path] if path.is_file() else [path / ROWS_NAME, *sorted((path / SHARDS_NAME).glob("*.parquet"))]
    found: dict[tuple[str, str, str], StudyRow] = {}
    for file in files:
        if file.exists():
            found |= {row.key: row for row in _read(file)}
    if not found:
        raise ValueError(f"rows must be {ROWS_NAME} or a folder of a study, got {path}")
    return list(found.values())


def compact(folder: Path) -> list[StudyRow]:
    """Gather all shards into `rows.parquet`; a crash in between loses nothing and doubles nothing."""
    shards = sorted((folder / SHARDS_NAME).glob("*.parquet"))
    rows = sorted(read_rows(folder), key=_order)
    if shards:
        _write(folder / ROWS_NAME, rows)
        for shard in shards:
            shard.unlink(missing_ok=True)
    return rows


def _order(row: StudyRow) -> tuple:
    numbers = (row.fraction, row.layer, row.timestep, row.train_size, row.seed)
    words = (row.site, row.reading, row.frame_order)
    return (
        row.study,
        row.task,
        row.backbone,
        *(-1 if number is None else number for number in numbers),
        *(word or "" for word in words),
        row.metric,
        row.config_hash,
    )


def _write(path: Path, rows: Iterable[StudyRow]) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    rows, schema = list(rows), _schema()
    columns: dict[str, list[Any]] = {name: [getattr(row, name) for row in rows] for name in schema.names}
    columns["per_sample"] = [_half(values) for values in columns["per_sample"]]
    table = pa.table(columns, schema=schema)
    with atomic_output(path) as temporary:
        # Scores of samples repeat little: a dictionary of them only adds to the bytes that are committed.
        repeated = [name for name in schema.names if name != "per_sample"]
        pq.write_table(table, temporary, compression="brotli", compression_level=11, use_dictionary=repeated)


def _half(values: np.ndarray) -> np.ndarray:
    return np.clip(np.asarray(values, dtype=np.float64), -_LARGEST, _LARGEST).astype(np.float16)


def _read(path: Path) -> list[StudyRow]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.read_table(path)
    except (OSError, pa.ArrowInvalid) as error:
        raise ValueError(f"rows must be a readable parquet file, got {path} ({error})") from error
    known = {f.name for f in dataclasses.fields(StudyRow)}
    needed = {f.name for f in dataclasses.fields(StudyRow) if f.default is f.default_factory is dataclasses.MISSING}
    missing = sorted(needed - set(table.column_names))
    if missing:
        raise ValueError(f"rows must have the columns of a study, got {path} without {missing}")
    values = table.column("per_sample").combine_chunks() if "per_sample" in table.column_names else None
    names = [name for name in table.column_names if name in known and name != "per_sample"]
    records = table.select(names).to_pylist()
    return [StudyRow(**{**record, **_samples(values, place)}) for place, record in enumerate(records)]


def _samples(values: Any, place: int) -> dict[str, Any]:
    if values is None:
        return {}
    return {"per_sample": values[place].values.to_numpy(zero_copy_only=False).astype(np.float64)}


def _schema() -> Any:
    """Arrow types of the columns, from the row's annotations."""
    import pyarrow as pa

    kinds = {"str": pa.string(), "int": pa.int64(), "float": pa.float64(), "bool": pa.bool_()}
    fields = []
    for found in dataclasses.fields(StudyRow):
        base = str(found.type).removesuffix(" | None")
        fields.append(pa.field(found.name, kinds.get(base, pa.list_(pa.float16()))))
    return pa.schema(fields)
