# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""The analyses that ship with the package, and those of the user, by name or file."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

from ...training.config import load_config
from .config import StudyConfig

ALL = "all"
# Most telling first, for a run that is stopped early; the comparison itself has a command of its own.
ORDER = (
    "noise",
    "layers",
    "training-budget",
    "seeds",
    "frame-order",
    "site",
    "cka",
    "data-efficiency",
    "quality-vs-probe",
    "layers-x-noise",
    "baselines",
    "model-size",
    "pictures",
    "main",
)


def shipped_studies() -> dict[str, Path]:
    """Name -> file, in the order in which `all` runs them."""
    folder = Path(str(resources.files(__package__) / "configs"))
    found = {path.stem: path for path in sorted(folder.glob("*.yaml"))}
    return {name: found[name] for name in sorted(found, key=lambda n: (ORDER.index(n) if n in ORDER else 99, n))}


def load_study(name_or_path: str | Path) -> StudyConfig:
    """A shipped analysis by name, or one from a YAML file.

    Raises:
        ValueError: neither, or a setting that cannot be run.
    """
    shipped = shipped_studies()
    path = shipped.get(str(name_or_path), Path(name_or_path))
    if not path.is_file():
        raise ValueError(f"config must be {ALL}, one of {', '.join(shipped)}, or a YAML file, got {name_or_path!r}")
    config = load_config(StudyConfig, path)
    config.name = config.name or path.stem
    config.title = config.title or config.name
    config.check()
    return config


def load_studies(names: list[str]) -> list[StudyConfig]:
    """Analyses by name or file; `all` stands for the shipped ones. Each once."""
    wanted = [found for name in names for found in (list(shipped_studies()) if name == ALL else [name])]
    return [load_study(name) for name in dict.fromkeys(wanted)]
