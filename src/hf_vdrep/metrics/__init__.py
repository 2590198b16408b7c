# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Metrics as plain functions, as `evaluate` modules, and the intervals of their differences."""

from .._lazy import lazy_exports

_HOMES: dict[str, str] = {
    "top_k_correct": ".classification",
    "top_k_accuracy_scores": ".classification",
    "per_class_mean": ".classification",
    "class_balanced": ".classification",
    "depth_errors": ".depth",
    "pose_errors": ".pose",
    "nearest_rotation": ".pose",
    "rotation_angle": ".pose",
    "tracking_scores": ".tracking",
    "box_track_scores": ".boxes",
    "mean_box_scores": ".boxes",
    "intersection_over_union": ".boxes",
    "frechet_distance": ".frechet",
    "kernel_distance": ".kernel",
    "unbiased_mmd": ".kernel",
    "precision_recall": ".manifold",
    "per_sample": ".samples",
    "paired_bootstrap": ".bootstrap",
    "PairedComparison": ".bootstrap",
    "Interval": ".bootstrap",
    "psnr": ".reconstruction",
    "ssim": ".reconstruction",
    "flicker": ".reconstruction",
    "load": ".loading",
    "folder": ".loading",
}

__getattr__, __dir__ = lazy_exports(__name__, _HOMES)
