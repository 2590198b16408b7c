# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Tables, figures, words and a page from the rows of a study."""

from ...._lazy import lazy_exports

_HOMES: dict[str, str] = {
    "fill_document": ".document",
    "publish": ".writing",
    "summarise": ".points",
    "write_report": ".writing",
}

__getattr__, __dir__ = lazy_exports(__name__, _HOMES)
