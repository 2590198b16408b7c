# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""The main comparison as an analysis of the study: its test rows become rows of the study "main"."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np

from ...training.config import load_config
from ..compare.config import CompareConfig
from ..compare.rows import Ledger, ResultRow
from .config import StudyConfig
from .rows import StudyRow, write_shard
from .run import Outcome, Workshop


def run(config: StudyConfig, shop: Workshop, outcome: Outcome) -> None:
    """Take a finished comparison, or run one (the longest part of a study by far)."""
    folder = shop.compare or shop.folder / "compare"
    if shop.compare is None and shop.share.rank == 0:
        from ..compare import run as compare

        settings = CompareConfig(output_dir=str(folder), tasks=list(config.tasks), workers=shop.pool.workers)
        compare(dataclasses.replace(settings, **config.options), quiet=shop.quiet)
    else:
        outcome.noted.add(config.name)  # reading a table takes no time; measuring it did
    rows = import_comparison(folder, config.name)
    shop.list_cells(config.name, (row.config_hash for row in rows))
    known = {row.key for row in shop.rows()}
    new = [row for row in rows if row.key not in known]
    if new and shop.share.rank == 0:
        write_shard(shop.folder, new, f"{config.name}-{new[0].config_hash}")
    outcome.measured[config.name], outcome.found[config.name] = len(new), len(rows) - len(new)


def import_comparison(folder: Path, study: str) -> list[StudyRow]:
    """Test rows of a comparison's ledger, those of the settings that its folder holds.

    Raises:
        ValueError: no comparison there.
    """
    try:
        table = json.loads((folder / "table.json").read_text(encoding="utf-8"))
        settings = load_config(CompareConfig, folder / "config.yaml")
    except (OSError, ValueError) as error:
        raise ValueError(f"compare must be the output folder of a finished `hf-vdrep compare`, got {folder}") from error
    shown = {(task["task"], entry["system"]): entry for task in table["tasks"] for entry in task["systems"]}
    ledger = Ledger(folder)
    found = [ledger.find(row.config_hash) for row in ledger if row.split == "test"]
    return [
        converted
        for row in found
        if row is not None and _belongs(row, shown.get((row.task, row.backbone)))
        for converted in _convert(row, study, settings, shown[row.task, row.backbone])
    ]


def _belongs(row: ResultRow, entry: dict | None) -> bool:
    """Whether the table shows this row."""
    if entry is None:
        return False
    same = ("layer", "timestep", "reading", "learning_rate")
    return all(getattr(row, name) == entry[name] for name in same) and (row.seed is None or row.seed in entry["seeds"])


def _convert(row: ResultRow, study: str, settings: CompareConfig, entry: dict) -> list[StudyRow]:
    lower = ("abs_rel", "rmse", "epe", "rotation", "translation")
    trained = row.seed is not None
    return [
        StudyRow(
            study=study,
            kind="compare",
            task=row.task,
            dataset=row.dataset,
            split=row.split,
            backbone=row.backbone,
            twin=row.backbone,
            revision=row.revision,
            metric=metric,
            value=float(np.nanmean(values)),
            n=int(np.isfinite(values).sum()),
            config_hash=row.config_hash,
            higher_is_better=metric not in lower,
            primary=metric == row.metric,
            layer=row.layer,
            num_layers=entry["num_layers"],
            timestep=row.timestep,
            site="block" if row.layer is not None else None,
            reading=row.reading,
            frame_order="forward",
            readout=row.readout,
            steps=settings.steps.get(row.task) if trained else None,
            train_size=settings.train_size if trained else None,
            seed=row.seed,
            learning_rate=row.learning_rate,
            validation=entry["validation"],
            wall_time=row.wall_time,
            flops=row.flops,
            versions=json.dumps(row.versions, sort_keys=True),
            per_sample=values,
        )
        for metric, values in row.per_sample.items()
    ]
