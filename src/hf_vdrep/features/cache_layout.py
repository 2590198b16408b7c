# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Where features lie on disk, and what decides it."""

import hashlib
import json
import os
import time
import uuid
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from .shard_file import canonical_json

# Raised whenever the same inputs would give other features or another file layout.
FORMAT = 2


@dataclass(frozen=True)
class CellKey:
    """All that the features of one (layer, noise level) depend on.

    Args:
        backbone: the backbone's fingerprint.
        data: fingerprint of the videos that the samples stand for.
        samples: hash of the sample ids, in order.
        layer: block index.
        timestep: noise level, or None.
        seed: seed of the noise; None without noise.
        autocast: arithmetic of the backbone.
        dtype: dtype on disk.
        pool: cells averaged along each side of the grid.
        shard_size: samples per shard.
    """

    backbone: str
    data: str
    samples: str
    layer: int
    timestep: int | None
    seed: int | None
    autocast: str
    dtype: str
    pool: int
    shard_size: int
    format: int = FORMAT

    @property
    def digest(self) -> str:
        """Name of the cell's folder."""
        return hashlib.blake2b(canonical_json(asdict(self)).encode(), digest_size=16).hexdigest()


def hash_samples(sample_ids: Sequence[str]) -> str:
    """Hash of the ids in their order."""
    digest = hashlib.blake2b(digest_size=16)
    for sample_id in sample_ids:
        digest.update(f"{len(sample_id)}:{sample_id}".encode())
    return digest.hexdigest()


def open_folder(cache_dir: Path, key: CellKey, about: str, site: str = "block") -> Path:
    """Make the folder of a cell, with a note for people, and clear what a killed run left there.

    Args:
        cache_dir: of all cells.
        key: of this one.
        about: name of the backbone; its fingerprint is in the key.
        site: where in a block, for the note: the fingerprint already depends on it.

    Raises:
        OSError: the folder cannot be written.
    """
    folder = cache_dir / key.digest
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _clear_abandoned(folder)
        if not (folder / "cell.json").exists():
            _replace(folder / "cell.json", {"backbone_name": about, "site": site, **asdict(key)})
    except OSError as error:
        reason = f"cache_dir must be a writable folder, got {cache_dir} ({error.strerror or error})"
        raise OSError(error.errno, reason) from error
    return folder


def _replace(path: Path, note: dict[str, Any]) -> None:
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex}.tmp")
    try:
        temporary.write_text(json.dumps(note, indent=2) + "\n")
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def _clear_abandoned(folder: Path, age_s: float = 86_400.0) -> None:
    for temporary in folder.glob(".*.tmp"):
        try:
            if time.time() - temporary.stat().st_mtime > age_s:
                temporary.unlink()
        except FileNotFoundError:  # its writer finished meanwhile
            continue
