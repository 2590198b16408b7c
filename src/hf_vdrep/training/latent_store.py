# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Kept latents on disk: safetensors shards that know their hash, and an index beside them.

latents-<kind>-<key>/  key.json                  what the latents depend on
                       shard-00000.safetensors   `values` (n, rows, c, h, w); ids, labels and counts in its header
                       index.json                shards, samples and bytes, once all are there
"""

import json
import os
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from ..features.cell import PATIENCE_S
from ..features.shard_file import ShardError, ShardWriter, open_shard
from ..features.storage_dtype import StoredRows, decode
from .latent_key import digest_of


class LatentStore:
    """The latents of one data set under one tokenizer.

    Args:
        folder: where caches live.
        key: of `latent_key.cache_key`.
        num_shards: parts of the data set.
    """

    def __init__(self, folder: Path, key: dict[str, Any], num_shards: int) -> None:
        self.key, self.num_shards, self.digest = key, num_shards, digest_of(key)
        self.folder = folder / f"latents-{key['kind']}-{self.digest}"
        self._shards: dict[int, tuple[StoredRows, dict[str, Any]]] = {}

    def is_complete(self, shard: int) -> bool:
        """Whether a shard is there and sound."""
        if shard in self._shards:
            return True
        try:
            self._shards[shard] = open_shard(self._path(shard), self._description(shard))
        except ShardError:
            # Left where it is: another process may put a sound one in its place at any moment.
            return False
        return True

    @contextmanager
    def claim(self, shard: int) -> Iterator[Path]:
        """Say that this process works on a shard; touch the path now and then, it counts for a minute."""
        self.folder.mkdir(parents=True, exist_ok=True)
        mark = self.folder / f".{self._path(shard).name}.{uuid.uuid4().hex}.claim.tmp"
        mark.touch()
        try:
            yield mark
        finally:
            mark.unlink(missing_ok=True)

    def is_claimed(self, shard: int) -> bool:
        """Whether some process is at work on the shard."""
        for mark in self.folder.glob(f".{self._path(shard).name}.*.tmp"):
            with suppress(FileNotFoundError):  # finished meanwhile
                if time.time() - mark.stat().st_mtime < PATIENCE_S:
                    return True
        return False

    def write(self, shard: int, rows: list[StoredRows], facts: dict[str, Any]) -> None:
        """Put a shard in its place, whole."""
        shape = (sum(len(block) for block in rows), *rows[0].shape[1:])
        writer = ShardWriter(self._path(shard), shape, self.key["dtype"], self._description(shard), facts)
        try:
            for block in rows:
                writer.append(block)
            writer.commit()
        except FileNotFoundError:  # taken for abandoned by a process that has written the shard meanwhile
            if not self.is_complete(shard):
                raise
        finally:
            writer.abort()

    def finish(self) -> None:
        """Write key and index, and remove what killed processes left."""
        files = [self._path(shard) for shard in range(self.num_shards)]
        counts = [len(self._facts(shard)["ids"]) for shard in range(self.num_shards)]
        entries = [{"file": path.name, "samples": n, "bytes": path.stat().st_size} for path, n in zip(files, counts)]  # noqa: B905
        _write_json(self.folder / "key.json", self.key)
        _write_json(self.folder / "index.json", {"digest": self.digest, "samples": sum(counts), "shards": entries})
        for left in self.folder.glob(".*.tmp"):
            with suppress(FileNotFoundError):
                if time.time() - left.stat().st_mtime > PATIENCE_S:
                    left.unlink()

    def __len__(self) -> int:
        return len(self.ids)

    @cached_property
    def ids(self) -> list[str]:
        """Of all samples, in the order of the shards."""
        return [name for shard in range(self.num_shards) for name in self._facts(shard)["ids"]]

    @cached_property
    def labels(self) -> list[dict[str, Any]]:
        """Class labels and captions of all samples."""
        return [labels for shard in range(self.num_shards) for labels in self._facts(shard)["labels"]]

    @cached_property
    def skipped(self) -> int:
        """Samples left out as corrupt or too short."""
        return sum(int(self._facts(shard)["skipped"]) for shard in range(self.num_shards))

    def rows(self, numbers: np.ndarray, part: slice) -> np.ndarray:
        """float32 (n, rows, c, h, w): a part of the rows of some samples.

        Args:
            numbers: of the samples, in [0, len(self)).
            part: of each sample's rows.
        """
        shards = np.searchsorted(self._ends, numbers, side="right")
        starts = np.concatenate([[0], self._ends])[shards]
        parts = []
        for shard, place in zip(shards.tolist(), (numbers - starts).tolist(), strict=True):
            stored = self._shards[shard][0]
            parts.append(decode(StoredRows(np.array(stored.values[place : place + 1, part]), stored.dtype)).numpy())
        return np.concatenate(parts)

    @cached_property
    def _ends(self) -> np.ndarray:
        return np.cumsum([len(self._facts(shard)["ids"]) for shard in range(self.num_shards)])

    def _facts(self, shard: int) -> dict[str, Any]:
        if not self.is_complete(shard):
            raise ShardError(f"latents must be complete, got shard {shard} missing: {self._path(shard)}")
        return self._shards[shard][1]

    def _path(self, shard: int) -> Path:
        return self.folder / f"shard-{shard:05d}.safetensors"

    def _description(self, shard: int) -> dict[str, Any]:
        return {"latents": self.digest, "shard": shard, "of": self.num_shards}


def _write_json(path: Path, content: Any) -> None:
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex}.tmp")
    try:
        temporary.write_text(json.dumps(content, indent=1) + "\n")
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
