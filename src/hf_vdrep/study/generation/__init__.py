# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""How good generated images and videos are: distances to real ones, and what trained readouts make of them."""

from ..._lazy import lazy_exports

_HOMES: dict[str, str] = {
    "ClipSet": ".sets",
    "FeatureNetwork": ".networks",
    "FolderSet": ".sets",
    "GeneratedSet": ".drawing",
    "WorldSet": ".sets",
    "consistency": ".consistency",
    "distances": ".distances",
    "embed": ".embedding",
    "measure": ".quality",
    "open_network": ".networks",
    "open_pipeline": ".drawing",
}

__getattr__, __dir__ = lazy_exports(__name__, _HOMES)
