# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Extraction of features over a data set, cached on disk."""

import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import torch

from ..backbones.base import Backbone
from .cache_index import refresh_index
from .cache_layout import CellKey, hash_samples, open_folder
from .cell import Cell
from .extraction_run import ExtractionRun, writing
from .feature_set import FeatureSet
from .options import ExtractionOptions
from .precision import autocast_name
from .process_share import ProcessShare
from .quota import check_quota
from .storage_dtype import StoredRows
from .token_statistics import keep_statistics, open_statistics

Videos = Callable[[Sequence[int]], torch.Tensor | np.ndarray]


def extract_features(
    backbone: Backbone,
    videos: Videos,
    sample_ids: Sequence[str],
    *,
    layers: Sequence[int | float | str],
    timesteps: Sequence[int | None],
    cache_dir: str | os.PathLike[str],
    data_fingerprint: str,
    seed: int = 0,
    batch_size: int = 32,
    dtype: str = "float16",
    autocast_dtype: str | None = "auto",
    pool: int = 1,
    shard_size: int = 256,
    keep_latents: bool = True,
    progress: bool = True,
    rank: int | None = None,
    world_size: int | None = None,
    quota: int | None = None,
    statistics: bool = False,
    stacking: str = "off",
) -> FeatureSet:
    """Features of every sample at every layer and noise level.

    What the cache holds is not computed again, shard by shard and cell by cell: a killed run goes on where it was,
    and another layer or noise level costs only itself. Memory is bounded by the batch. The result depends on the
    batch size only by rounding.

    Args:
        backbone: the frozen model.
        videos: positions in `sample_ids` -> uint8 (b, T, H, W, 3); not called for what the cache holds.
        sample_ids: N stable identifiers; they fix each sample's noise.
        layers: block indices, negative indices, relative depths in (0, 1], or names of blocks.
        timesteps: noise levels in [0, 999]; (None,) where the backbone uses none.
        cache_dir: folder, made if need be. Several processes may fill it at once.
        data_fingerprint: what decides the videos' content (config, split, size).
        seed: seed of the noise.
        batch_size: samples per forward pass.
        dtype: on disk, "float16", "float32", "bfloat16", or "int8" with a float32 scale per sample and channel.
        autocast_dtype: arithmetic, "bfloat16", "float16", None for float32, or "auto" (see `autocast_name`).
        pool: average the grid over pool x pool cells.
        shard_size: samples per file.
        keep_latents: keep the tokenizer's latents too, as float32, for other layers, noise levels and backbones.
        progress: show a bar, in the first process.
        rank, world_size: number of this process and of all that fill the cache together; as `accelerate launch` and
            `torchrun` say if not given. Each begins with its share of the shards, then takes over what a slow or dead
            one has left; all return the whole.
        quota: bytes that `cache_dir` may hold.
        statistics: keep mean and 1 / standard deviation of every token beside the features, for
            `FeatureArray.standardised`; made from what is stored where only they are missing.
        stacking: "on" runs all noise levels of a batch in one forward pass, where the backbone can; "auto" does so if
            a quick trial on the first batch finds it faster. The features agree up to rounding; bit for bit they are
            the same in another cache only with the same choice, so the default is "off". What the cache has begun one
            way goes on that way, whoever comes and whatever is asked then.

    Raises:
        ValueError: an argument out of range, or features that `dtype` cannot hold.
        OSError: `cache_dir` cannot be written or is full, complete shards stay; or it would outgrow `quota`, before
            the extraction begins.
    """
    options = ExtractionOptions(
        cache_dir=cache_dir,
        data_fingerprint=data_fingerprint,
        seed=seed,
        batch_size=batch_size,
        dtype=dtype,
        autocast_dtype=autocast_dtype,
        pool=pool,
        shard_size=shard_size,
        keep_latents=keep_latents,
        progress=progress,
        share=ProcessShare.of(rank, world_size),
        quota=quota,
        statistics=statistics,
        stacking=stacking,
    )
    if not len(sample_ids):
        raise ValueError("sample_ids must name at least one sample, got none")
    return _extract(backbone, videos, sample_ids, layers, timesteps, options)


def _extract(
    backbone: Backbone,
    videos: Videos,
    sample_ids: Sequence[str],
    layers: Sequence[int | float | str],
    timesteps: Sequence[int | None],
    options: ExtractionOptions,
) -> FeatureSet:
    cells = _open_cells(backbone, sample_ids, layers, timesteps, options)
    parts, open_latents = [(backbone, cells)], None
    if options.keep_latents and backbone.tokenizer is not None:
        # Their bytes are part of what the quota is asked for here.
        latents = replace(options, dtype="float32", pool=1, quota=None, statistics=False)
        parts.append((backbone.tokenizer, _open_cells(backbone.tokenizer, sample_ids, [0], [None], latents)))
        open_latents = partial(_extract, backbone.tokenizer, videos, sample_ids, [0], [None], latents)
    if options.quota is not None:
        check_quota(parts, videos, Path(options.cache_dir), options.quota, statistics=options.statistics)
    run = ExtractionRun(backbone, videos, sample_ids, cells, options, open_latents)
    done = run.run()
    kept = _statistics(cells, options)
    if done:
        refresh_index(options.cache_dir)
    return FeatureSet(sample_ids, {(cell.key.layer, cell.key.timestep): cell.array(kept.get(cell)) for cell in cells})


def _statistics(cells: list[Cell], options: ExtractionOptions) -> dict[Cell, list[StoredRows]]:
    """Those of every cell, made where they are missing; none where none are wanted."""
    if not options.statistics:
        return {}
    with writing(Path(options.cache_dir)):
        keep_statistics(cells, options.share)
    return {cell: [open_statistics(cell, shard) for shard in range(cell.num_shards)] for cell in cells}


def _open_cells(
    backbone: Backbone,
    sample_ids: Sequence[str],
    layers: Sequence[int | float | str],
    timesteps: Sequence[int | None],
    options: ExtractionOptions,
) -> list[Cell]:
    """The cells asked for, each once, timestep-major."""
    indices = backbone.resolve_layers(layers)
    backbone.check_timesteps(timesteps)
    samples = hash_samples(sample_ids)
    cells = []
    for timestep, layer in dict.fromkeys((timestep, layer) for timestep in timesteps for layer in indices):
        key = CellKey(
            backbone=backbone.fingerprint,
            data=options.data_fingerprint,
            samples=samples,
            layer=layer,
            timestep=timestep,
            seed=None if timestep is None else options.seed,
            autocast=autocast_name(options.autocast_dtype, backbone.device),
            dtype=options.dtype,
            pool=options.pool,
            shard_size=options.shard_size,
        )
        folder = open_folder(Path(options.cache_dir), key, backbone.name, backbone.site)
        cells.append(Cell(key, folder, len(sample_ids)))
    return cells
