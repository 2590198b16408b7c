# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""ProbeWorld as a folder of parquet shards, every clip an embedded mp4: an ordinary Hugging Face data set.

    folder/README.md                              dataset card
    folder/probeworld.json                        config, splits and shard size: what a resumed export must agree with
    folder/data/train-00000-of-00004.parquet

A shard is written under a temporary name and moved into place, so that every shard which is there is whole, and an
export that was stopped goes on with the first one missing.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import datasets
import pyarrow as pa
import pyarrow.parquet as pq
import torch
from tqdm.auto import tqdm

from ..media_write import atomic_output
from ..sample import Sample
from .config import ProbeWorldConfig
from .export_card import card
from .export_codec import encode_clip
from .selection import in_fine
from .stream import features
from .vocabulary import SPLITS
from .world import ProbeWorld

MANIFEST = "probeworld.json"
ROW_GROUP = 16
"""Clips that are rendered, written and read together."""


def export_features(world: ProbeWorld) -> datasets.Features:
    """The columns of an export: those of the stream, the video as mp4, and membership in the fine-grained task."""
    columns = dict(features(world))
    columns["video"] = datasets.Video(decode=False)
    columns["in_fine"] = datasets.Value("bool")
    return datasets.Features(columns)


def shard_path(folder: Path, split: str, shard: int, shards: int) -> Path:
    """Where a shard lies."""
    return folder / "data" / f"{split}-{shard:05d}-of-{shards:05d}.parquet"


def export_world(
    folder: str | Path,
    splits: Mapping[str, int],
    config: ProbeWorldConfig | None = None,
    *,
    shard_size: int = 512,
    lossless: bool = True,
    progress: bool = True,
) -> Path:
    """Render and write an export, or finish one that was stopped.

    Args:
        folder: made where needed; an earlier export there must have the same settings.
        splits: clips per split.
        config: the world.
        shard_size: clips per shard, the last of a split may hold fewer.
        lossless: pixels come back exactly; see `export_codec.encode_clip`.
        progress: show a bar.

    Returns:
        The folder.

    Raises:
        ValueError: no or unknown splits, a size below 1, or `folder` holds an export with other settings.
    """
    if not splits:
        raise ValueError(f"splits must name at least one of {SPLITS}, got none")
    if shard_size < 1:
        raise ValueError(f"shard_size must be positive, got {shard_size}")
    folder = Path(folder)
    worlds = {split: ProbeWorld(split, size, config) for split, size in splits.items()}
    resolved = next(iter(worlds.values())).config
    manifest = {
        "config": resolved.to_dict(),
        "splits": dict(splits),
        "shard_size": shard_size,
        "lossless": lossless,
    }
    _agree(folder, json.loads(json.dumps(manifest)))
    with tqdm(total=sum(splits.values()), unit="clip", disable=not progress) as bar:
        for split, world in worlds.items():
            shards = -(-len(world) // shard_size)
            for shard in range(shards):
                clips = range(shard * shard_size, min((shard + 1) * shard_size, len(world)))
                bar.set_description(f"{split} {shard + 1}/{shards}")
                path = shard_path(folder, split, shard, shards)
                if path.exists():
                    bar.update(len(clips))
                else:
                    _write_shard(path, world, clips, lossless, bar)
    size = sum(path.stat().st_size for path in (folder / "data").glob("*.parquet"))
    _write_text(folder / "README.md", card(resolved, splits, lossless, size))
    return folder


def _agree(folder: Path, manifest: dict[str, Any]) -> None:
    path = folder / MANIFEST
    if path.exists():
        found = json.loads(path.read_text(encoding="utf-8"))
        for name, value in manifest.items():
            if found.get(name) != value:
                raise ValueError(
                    f"folder must be empty or hold an export with the same {name}, got {folder} with "
                    f"{_brief(found.get(name), value)}"
                )
    else:
        _write_text(path, json.dumps(manifest, indent=2) + "\n")


def _brief(found: Any, wanted: Any) -> str:
    """What differs, of two dictionaries only the fields that do."""
    if isinstance(found, dict) and isinstance(wanted, dict):
        differ = [name for name in {*found, *wanted} if found.get(name) != wanted.get(name)]
        return ", ".join(f"{name} {found.get(name)} instead of {wanted.get(name)}" for name in sorted(differ))
    return f"{found} instead of {wanted}"


def _write_text(path: Path, text: str) -> None:
    with atomic_output(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def _row(sample: Sample, world: ProbeWorld, index: int, lossless: bool) -> dict[str, Any]:
    row: dict[str, Any] = {
        name: value.numpy() if isinstance(value, torch.Tensor) else value for name, value in sample.items()
    }
    data = encode_clip(row["video"], world.config.fps, lossless)
    row["video"] = {"bytes": data, "path": f"{sample['id']}.mp4"}
    row["in_fine"] = in_fine(world.scene(index), world.config.seed, bool(world.config.photographs))
    return row


def _write_shard(path: Path, world: ProbeWorld, clips: range, lossless: bool, bar: tqdm) -> None:
    columns = export_features(world)
    with (
        atomic_output(path) as temporary,
        pq.ParquetWriter(temporary, columns.arrow_schema, compression="zstd") as writer,
    ):
        for start in range(clips.start, clips.stop, ROW_GROUP):
            group = range(start, min(start + ROW_GROUP, clips.stop))
            rows = [_row(s, world, i, lossless) for i, s in zip(group, world.batch(group), strict=True)]
            table: pa.Table = datasets.Dataset.from_list(rows, features=columns).with_format("arrow")[:]
            writer.write_table(table.cast(columns.arrow_schema), row_group_size=ROW_GROUP)
            bar.update(len(rows))
