# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Extraction of features over a data set, cached on disk."""

import os
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch

from ..backbones.base import Backbone
from .cache_layout import CellKey, hash_samples, open_folder
from .cell import Cell
from .extraction_run import ExtractionRun
from .feature_set import FeatureSet
from .precision import autocast_name

Videos = Callable[[Sequence[int]], torch.Tensor | np.ndarray]


def extract_features(
    backbone: Backbone,
    videos: Videos,
    sample_ids: Sequence[str],
    *,
    layers: Sequence[int | float],
    timesteps: Sequence[int | None],
    cache_dir: str | os.PathLike[str],
    data_fingerprint: str,
    seed: int = 0,
    batch_size: int = 32,
    dtype: str = "float16",
    autocast_dtype: str | None = "auto",
    pool: int = 1,
    shard_size: int = 256,
    progress: bool = True,
) -> FeatureSet:
    """Features of every sample at every layer and noise level.

    What the cache holds is not computed again, shard by shard and cell by cell: a killed run goes on where it was,
    and another layer or noise level costs only itself. Memory is bounded by the batch. The result depends on the
    batch size only by rounding.

    Args:
        backbone: the frozen model.
        videos: positions in `sample_ids` -> uint8 (b, T, H, W, 3); not called for what the cache holds.
        sample_ids: N stable identifiers; they fix each sample's noise.
        layers: block indices, negative indices, or relative depths in (0, 1].
        timesteps: noise levels in [0, 999]; (None,) where the backbone uses none.
        cache_dir: folder, made if need be. Several processes may fill it at once.
        data_fingerprint: what decides the videos' content (config, split, size).
        seed: seed of the noise.
        batch_size: samples per forward pass.
        dtype: on disk, "float16" or "float32".
        autocast_dtype: arithmetic, "bfloat16", "float16", None for float32, or "auto" (see `autocast_name`).
        pool: average the grid over pool x pool cells.
        shard_size: samples per file.
        progress: show a bar.

    Raises:
        ValueError: an argument out of range, or features that `dtype` cannot hold.
        OSError: `cache_dir` cannot be written or is full; complete shards stay.
    """
    _check_options(sample_ids, batch_size, dtype, pool, shard_size)
    indices = backbone.resolve_layers(layers)
    backbone.check_timesteps(timesteps)
    samples = hash_samples(sample_ids)
    cells = []
    for timestep, layer in dict.fromkeys((timestep, layer) for timestep in timesteps for layer in indices):
        key = CellKey(
            backbone=backbone.fingerprint,
            data=data_fingerprint,
            samples=samples,
            layer=layer,
            timestep=timestep,
            seed=None if timestep is None else seed,
            autocast=autocast_name(autocast_dtype, backbone.device),
            dtype=dtype,
            pool=pool,
            shard_size=shard_size,
        )
        cells.append(Cell(key, open_folder(Path(cache_dir), key, backbone.name), len(sample_ids)))
    ExtractionRun(backbone, videos, sample_ids, cells, batch_size, seed).run(progress)
    return FeatureSet(sample_ids, {(cell.key.layer, cell.key.timestep): cell.array() for cell in cells})


def _check_options(sample_ids: Sequence[str], batch_size: int, dtype: str, pool: int, shard_size: int) -> None:
    if not len(sample_ids):
        raise ValueError("sample_ids must name at least one sample, got none")
    if dtype not in ("float16", "float32"):
        raise ValueError(f"dtype must be 'float16' or 'float32', got {dtype!r}")
    for name, value in (("batch_size", batch_size), ("pool", pool), ("shard_size", shard_size)):
        if value < 1:
            raise ValueError(f"{name} must be at least 1, got {value}")
