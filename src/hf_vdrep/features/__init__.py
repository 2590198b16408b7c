# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Features of whole data sets, extracted once and kept on disk."""

from .._lazy import lazy_exports

_HOMES: dict[str, str] = {
    "FeatureArray": ".feature_set",
    "FeatureSet": ".feature_set",
    "ShardError": ".shard_file",
    "autocast_name": ".precision",
    "estimate": ".estimate",
    "extract_features": ".extract",
    "list_cells": ".stored_cells",
    "open_source": ".sources",
}

__getattr__, __dir__ = lazy_exports(__name__, _HOMES)
