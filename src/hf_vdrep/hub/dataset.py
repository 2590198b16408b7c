# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""An exported ProbeWorld as a push."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ..data.probeworld.export import MANIFEST, shard_path
from .cards import render
from .folder_files import files_of
from .plan import PlannedFile, PushPlan, make_plan

_PLACE = "path/to/this/folder"
_SIZES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"))


def dataset_plan(folder: str | Path, repo_id: str) -> PushPlan:
    """One commit that makes `repo_id` this data set.

    Args:
        folder: written by `hf-vdrep world export`.
        repo_id: user/name.

    Raises:
        ValueError: no export there, or one that is not finished.
    """
    folder = Path(folder)
    splits = _finished(folder)
    files = [file for file in files_of(folder) if file.path != "README.md"]
    card = dataset_card((folder / "README.md").read_text(encoding="utf-8"), repo_id, sum(splits.values()))
    clips = ", ".join(f"{count:,} {split}" for split, count in splits.items())
    return make_plan(
        [*files, PlannedFile("README.md", card.encode())],
        kind="dataset",
        repo_id=repo_id,
        repo_type="dataset",
        message=f"Upload ProbeWorld: {clips} clips, card",
        replaces=("data/*.parquet",),  # the card's patterns would read shards of an earlier export too
        marks=(MANIFEST,),
        note="ProbeWorld: rendered clips with exact labels for ten tasks",
    )


def _finished(folder: Path) -> dict[str, int]:
    """Clips per split, once every shard is there."""
    try:
        manifest: dict[str, Any] = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        splits, size = manifest["splits"], manifest["shard_size"]
    except (OSError, ValueError, KeyError) as error:
        raise ValueError(f"dataset must be a folder of `hf-vdrep world export`, got {folder} ({error})") from None
    for split, count in splits.items():
        shards = -(-count // size)
        for shard in range(shards):
            if not (path := shard_path(folder, split, shard, shards)).is_file():
                raise ValueError(f"dataset must be a finished export, got {folder} without {path.name}")
    if not (folder / "README.md").is_file():
        raise ValueError(f"dataset must be a finished export, got {folder} without README.md")
    return splits


def dataset_card(text: str, repo_id: str, clips: int) -> str:
    """The export's own card, with its place on the Hub, its size class, use, limits and citation.

    Args:
        text: README.md of the export.
        repo_id: where it goes.
        clips: of all splits.
    """
    from huggingface_hub import DatasetCard

    card = DatasetCard(text.replace(_PLACE, repo_id))
    data: Any = card.data
    data.size_categories = [next((name for most, name in _SIZES if clips < most), "1M<n<10M")]
    data.tags = sorted({*(getattr(data, "tags", None) or []), "hf_vdrep", "probing"})
    return f"{str(card).rstrip()}\n\n{render('dataset_more.md')}"
