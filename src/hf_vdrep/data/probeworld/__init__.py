# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""ProbeWorld: a procedural 3-D world with exact labels, rendered by our own vectorised ray-caster."""

from ..._lazy import lazy_exports

_HOMES: dict[str, str] = {
    "ACTION_COARSE_NAMES": ".vocabulary",
    "ACTION_MANY_NAMES": ".vocabulary",
    "ExportedProbeWorld": ".export_reader",
    "FINE_NAMES": ".vocabulary",
    "MOTION_NAMES": ".vocabulary",
    "OBJECT_NAMES": ".vocabulary",
    "PATTERN_NAMES": ".vocabulary",
    "ProbeWorld": ".world",
    "ProbeWorldConfig": ".config",
    "SCENE_NAMES": ".vocabulary",
    "Scene": ".scene",
    "TASK_NAMES": ".vocabulary",
    "export_world": ".export",
}

__getattr__, __dir__ = lazy_exports(__name__, _HOMES)
