# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""The package's own `evaluate` modules, by name."""

from pathlib import Path
from typing import Any

import evaluate

NAMES = (
    "average_jaccard",
    "box_iou",
    "depth_error",
    "flicker",
    "frechet_distance",
    "kernel_distance",
    "paired_bootstrap",
    "pose_error",
    "precision_recall",
    "psnr",
    "ssim",
    "top_k_accuracy",
)


def folder(name: str) -> Path:
    """Folder of a metric, as `evaluate.load` takes it.

    Raises:
        ValueError: no such metric.
    """
    if name not in NAMES:
        raise ValueError(f"name must be one of {list(NAMES)}, got {name!r}")
    return Path(__file__).parent / name


def load(name: str, **options: Any) -> evaluate.EvaluationModule:
    """`evaluate.load` on the package's own folder; needs no network.

    Args:
        name: one of `NAMES`.
        options: of `evaluate.load`. On one process the rows are kept in memory unless `keep_in_memory=False`. On
            several, each process gives `num_process`, its `process_id` and a shared `experiment_id`.
    """
    if options.get("num_process", 1) == 1:
        options.setdefault("keep_in_memory", True)
    return evaluate.load(str(folder(name)), **options)
