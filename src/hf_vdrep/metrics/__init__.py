# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Metrics as plain functions, as `evaluate` modules, and the intervals of their differences."""

from .._lazy import lazy_exports

_HOMES: dict[str, str] = {
    "top_k_correct": ".classification",
    "top_k_accuracy_scores": ".classification",
    "per_class_mean": ".classification",
    "depth_errors": ".depth",
    "tracking_scores": ".tracking",
    "per_sample": ".per_sample",
    "paired_bootstrap": ".bootstrap",
    "PairedComparison": ".bootstrap",
    "Interval": ".bootstrap",
    "psnr": ".reconstruction",
    "ssim": ".reconstruction",
    "flicker": ".reconstruction",
    "load": ".loading",
}

__getattr__, __dir__ = lazy_exports(__name__, _HOMES)
