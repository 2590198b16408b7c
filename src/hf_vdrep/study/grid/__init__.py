# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""The grid: backbone x task x layer x noise level x site x reading x checkpoint x frame order x train size x seed."""

from ..._lazy import lazy_exports

_HOMES: dict[str, str] = {
    "Cell": ".cells",
    "StudyConfig": ".config",
    "StudyRow": ".rows",
    "load_study": ".catalog",
    "read_rows": ".rows",
    "run_studies": ".run",
    "shipped_studies": ".catalog",
    "linear_cka": ".cka",
}

__getattr__, __dir__ = lazy_exports(__name__, _HOMES)
