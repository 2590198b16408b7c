# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""The comparison of the twins: search on validation, train, test once, draw."""

from ..._lazy import lazy_exports

_HOMES: dict[str, str] = {
    "CompareConfig": ".config",
    "CompareResults": ".results",
    "Ledger": ".rows",
    "PRESETS": ".config",
    "ResultRow": ".rows",
    "format_table": ".table",
    "render_report": ".report",
    "run": ".comparison",
    "save_figure": ".figure",
    "to_json": ".comparison",
}

__getattr__, __dir__ = lazy_exports(__name__, _HOMES)
