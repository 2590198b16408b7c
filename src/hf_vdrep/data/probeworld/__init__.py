# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""ProbeWorld: a procedural 3-D world with exact labels, rendered by our own vectorised ray-caster."""

from __future__ import annotations

import importlib
from typing import Any

_HOMES = {
    "ProbeWorld": "world",
    "ProbeWorldConfig": "config",
    "ExportedProbeWorld": "export_reader",
    "export_world": "export",
    "OBJECT_NAMES": "vocabulary",
    "SCENE_NAMES": "vocabulary",
    "FINE_NAMES": "vocabulary",
    "ACTION_COARSE_NAMES": "vocabulary",
    "ACTION_MANY_NAMES": "vocabulary",
    "MOTION_NAMES": "vocabulary",
    "PATTERN_NAMES": "vocabulary",
    "TASK_NAMES": "vocabulary",
    "Scene": "scene",
}

__all__ = sorted(_HOMES)


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return __all__
