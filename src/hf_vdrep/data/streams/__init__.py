# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Real data sets as streams of samples: `open_stream(name, root, split=...)`."""

from __future__ import annotations

from ..._lazy import lazy_exports

_HOMES = {
    "CorruptSample": ".report",
    "NothingToSee": ".report",
    "ReadOptions": ".options",
    "SPECS": ".registry",
    "SampleStream": ".stream",
    "SkipLimit": ".report",
    "StreamReport": ".report",
    "StreamSpec": ".spec",
    "TooManyCorrupt": ".report",
    "get_spec": ".registry",
    "list_streams": ".registry",
    "open_stream": ".stream",
}

__getattr__, __dir__ = lazy_exports(__name__, _HOMES)
