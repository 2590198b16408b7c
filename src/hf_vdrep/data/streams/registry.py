# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""The data sets by name."""

from __future__ import annotations

from .spec import StreamSpec
from .specs_actions import ACTIONS
from .specs_geometry import GEOMETRY
from .specs_images import IMAGES
from .specs_training import TRAINING

SPECS: dict[str, StreamSpec] = {spec.name: spec for spec in (*IMAGES, *ACTIONS, *GEOMETRY, *TRAINING)}


def list_streams(task: str | None = None) -> list[str]:
    """Names of the data sets, or of those that serve a task."""
    return [name for name, spec in SPECS.items() if task is None or task in spec.tasks]


def get_spec(name: str) -> StreamSpec:
    """The spec of a name.

    Raises:
        ValueError: no such data set.
    """
    if name not in SPECS:
        raise ValueError(f"data set must be one of {list(SPECS)}, got {name!r}")
    return SPECS[name]
