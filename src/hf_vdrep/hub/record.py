# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""What a training left beside its model: settings, log, curve, figures."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from .plan import PlannedFile

FILES = ("config.yaml", "summary.json", "log.jsonl", "loss.png")


@dataclass(frozen=True)
class TrainingRecord:
    """Settings and figures of a training; both empty where nothing is known.

    Attributes:
        folder: where they lie, None where nowhere.
        config: the settings, resolved.
        summary: what it reached.
    """

    folder: Path | None = None
    config: dict[str, Any] = field(default_factory=dict)
    summary: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def read(cls, folder: Path | None) -> TrainingRecord:
        """The record in a run folder, or in a folder of committed results.

        Raises:
            ValueError: a file of it cannot be read.
        """
        if folder is None or not any((folder / name).is_file() for name in FILES):
            return cls()
        config, summary = folder / "config.yaml", folder / "summary.json"
        try:
            settings = yaml.safe_load(config.read_text(encoding="utf-8")) if config.is_file() else {}
            figures = json.loads(summary.read_text(encoding="utf-8")) if summary.is_file() else {}
        except (OSError, ValueError, yaml.YAMLError) as error:
            raise ValueError(f"{folder} must hold a readable training record, got {error}") from error
        return cls(folder, settings or {}, figures)

    def files(self) -> list[PlannedFile]:
        """To lie in `training/` of a repository."""
        if self.folder is None:
            return []
        there = [
            PlannedFile(f"training/{name}", self.folder / name) for name in FILES if (self.folder / name).is_file()
        ]
        public = without_local_paths(self.config)
        if public == self.config:
            return there
        clean = PlannedFile("training/config.yaml", yaml.safe_dump(public, sort_keys=False).encode())
        return [clean if file.path == clean.path else file for file in there]

    def rows(self) -> list[list[str]]:
        """The figures for a table, those that are known."""
        found, rows = self.summary, []
        if "steps" in found:
            rows.append(["steps", f"{found['steps']:,}"])
        if "clips" in found:
            rows.append(["clips seen", f"{found['clips']:,}"])
        if "seconds" in found:
            rows.append(["minutes", f"{found['seconds'] / 60:.0f}"])
        if "v_loss" in found:
            rows.append(["held-out v-loss", f"{found['v_loss']:.4f}"])
        return [*rows, *self.settings()]

    def settings(self) -> list[list[str]]:
        """Of the rows those that hold at every step."""
        rows = []
        if "batch_size" in self.config:
            rows.append(["batch", str(self.config["batch_size"])])
        if "lr" in self.config:
            rows.append(["peak learning rate", str(self.config["lr"])])
        return rows

    @property
    def data(self) -> str:
        """What it was trained on: "probeworld", a folder's name, a Hub id; "" where unknown."""
        return str(_public(self.config.get("data", "probeworld"))) if self.config else ""


def without_local_paths(settings: dict[str, Any]) -> dict[str, Any]:
    """Settings whose absolute paths have shrunk to their last part: where somebody works is nobody's business."""
    return {name: _public(value) for name, value in settings.items()}


def _public(value: Any) -> Any:
    if isinstance(value, dict):
        return without_local_paths(value)
    if isinstance(value, list):
        return [_public(entry) for entry in value]
    return Path(value).name if isinstance(value, str) and Path(value).is_absolute() else value
