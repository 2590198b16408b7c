# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""What a training or an extraction will cost, by arithmetic, before it starts."""

from ..._lazy import lazy_exports

_HOMES: dict[str, str] = {
    "DenoiserJob": ".jobs",
    "Figure": ".figure",
    "GPUS": ".hardware",
    "Gpu": ".hardware",
    "Plan": ".figure",
    "TokenizerJob": ".jobs",
    "job_from_config": ".jobs",
    "plan_extraction": ".extraction",
    "plan_paper": ".paper",
    "plan_training": ".training",
}

__getattr__, __dir__ = lazy_exports(__name__, _HOMES)
