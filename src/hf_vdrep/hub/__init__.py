# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Publishing: what goes to the Hugging Face Hub, its cards, and documents whose numbers come from results."""

from .._lazy import lazy_exports

_HOMES: dict[str, str] = {
    "PlannedFile": ".plan",
    "PushError": ".failures",
    "PushPlan": ".plan",
    "PushRequest": ".request",
    "Pushed": ".push",
    "UnsafePush": ".safety",
    "UploadCut": ".failures",
    "checkpoint_plans": ".checkpoint",
    "collect": ".collection",
    "connect": ".push",
    "dataset_plan": ".dataset",
    "describe": ".plan",
    "metric_plan": ".space",
    "model_plan": ".model",
    "plans_for": ".request",
    "probe_plan": ".probe",
    "push": ".push",
    "space_plan": ".space",
}

__getattr__, __dir__ = lazy_exports(__name__, _HOMES)
