# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""What lies in a feature cache: listing it, checking it, making room in it."""

import json
import os
import shutil
import time
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from .cache_layout import CellKey
from .shard_file import ShardError, open_shard

# Ending of a folder that is being removed.
_ASIDE = ".removed"


@dataclass(frozen=True)
class StoredCell:
    """One (layer, noise level) on disk.

    Attributes:
        folder: where.
        backbone_name: for people; `key` holds the fingerprint.
        key: what it depends on.
        shards: its files, in order.
        statistics: files of its tokens' statistics, where they were kept.
        num_bytes: of all of them.
        used: seconds since the epoch when a shard was last written.
        site: where in a block the features were taken.
    """

    folder: Path
    backbone_name: str
    key: CellKey
    shards: tuple[Path, ...]
    num_bytes: int
    used: float
    statistics: tuple[Path, ...] = ()
    site: str = "block"

    def verify(self) -> Iterator[tuple[Path, str | None]]:
        """(shard, what is wrong with it or None); every byte is read."""
        size = self.key.shard_size
        for path in (*self.shards, *self.statistics):
            start = int(path.stem.partition("-")[2]) * size
            try:
                self._open(path, start)
            except ShardError as error:
                yield path, str(error)
            else:
                yield path, None

    def _open(self, path: Path, start: int) -> None:
        # The last shard's length is known to its writer alone, and its header says it.
        stop = start + shard_rows(path)
        description = {"cell": self.key.digest, "start": start, "stop": stop}
        kind = {"kind": "statistics"} if path in self.statistics else {}
        open_shard(path, {**description, **kind})


def list_cells(cache_dir: str | os.PathLike[str]) -> list[StoredCell]:
    """All cells of a cache, by backbone, layer and noise level.

    Raises:
        ValueError: `cache_dir` is no folder.
    """
    folder = Path(cache_dir)
    if not folder.is_dir():
        raise ValueError(f"cache_dir must be an existing folder, got {folder}")
    found = [cell for path in folder.glob("*/cell.json") if (cell := _read(path)) is not None]
    return sorted(found, key=_order)


def indexed_cells(cache_dir: str | os.PathLike[str]) -> list[StoredCell]:
    """As `list_cells`, from the cache's index: only folders that changed since it was written are opened.

    Raises:
        ValueError: `cache_dir` is no folder.
    """
    from .cache_index import refresh_index

    grouped: dict[str, list[dict[str, Any]]] = {}
    for row in refresh_index(cache_dir):
        grouped.setdefault(row["cell"], []).append(row)
    return sorted((_from_rows(Path(cache_dir), rows) for rows in grouped.values()), key=_order)


def _from_rows(cache_dir: Path, rows: list[dict[str, Any]]) -> StoredCell:
    first = rows[0]
    folder = cache_dir / first["cell"]
    key = CellKey(**{field.name: first[field.name] for field in fields(CellKey)})
    by_kind = {
        kind: tuple(folder / row["file"] for row in rows if row["kind"] == kind) for kind in ("features", "statistics")
    }
    size, used = sum(row["bytes"] for row in rows), max(row["written"] for row in rows)
    return StoredCell(
        folder, first["backbone_name"], key, by_kind["features"], size, used, by_kind["statistics"], first["site"]
    )


def _order(cell: StoredCell) -> tuple[str, str, int, int]:
    level = -1 if cell.key.timestep is None else cell.key.timestep
    return cell.backbone_name, cell.key.data, cell.key.layer, level


def select_to_prune(
    cells: Iterable[StoredCell],
    *,
    backbone: str | None = None,
    older_than_days: float | None = None,
    keep_bytes: int | None = None,
) -> list[StoredCell]:
    """Cells that a rule would remove: of a backbone (name or fingerprint), old ones, or the oldest beyond a size.

    Args:
        cells: what there is.
        backbone: only cells of this one.
        older_than_days: only cells that were last written before.
        keep_bytes: of those, the newest that fit in so many bytes stay.
    """
    chosen = [cell for cell in cells if backbone in (None, cell.backbone_name, cell.key.backbone)]
    if older_than_days is not None:
        chosen = [cell for cell in chosen if cell.used < time.time() - 86_400 * older_than_days]
    if keep_bytes is None:
        return chosen
    kept, removed = 0, []
    for cell in sorted(chosen, key=lambda cell: cell.used, reverse=True):
        if kept + cell.num_bytes <= keep_bytes:
            kept += cell.num_bytes
        else:
            removed.append(cell)
    return removed


def remove_cells(cells: Iterable[StoredCell]) -> int:
    """Delete them, each at once: its folder is renamed aside first. Returns the bytes freed.

    What a removal that was killed has left aside goes too.
    """
    freed = 0
    for cell in cells:
        os.replace(cell.folder, cell.folder.with_name(f".{cell.folder.name}.{uuid.uuid4().hex}{_ASIDE}"))
        for aside in cell.folder.parent.glob(f".*{_ASIDE}"):
            shutil.rmtree(aside, ignore_errors=True)
        freed += cell.num_bytes
    return freed


def shard_rows(path: Path) -> int:
    """Rows of a shard by its header, 0 where it cannot be read."""
    try:
        with path.open("rb") as file:
            length = int.from_bytes(file.read(8), "little")
            header = json.loads(file.read(min(length, path.stat().st_size)))
        return int(header["values"]["shape"][0])
    except (OSError, ValueError, KeyError, TypeError, IndexError):
        return 0


def _read(path: Path) -> StoredCell | None:
    try:
        note: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        name, site = note.pop("backbone_name"), note.pop("site", "unknown")
        key = CellKey(**note)
    except (OSError, ValueError, TypeError, KeyError):
        return None  # of another version, or half removed
    shards = tuple(sorted(path.parent.glob("shard-*.safetensors")))
    statistics = tuple(sorted(path.parent.glob("statistics-*.safetensors")))
    stats = [shard.stat() for shard in (*shards, *statistics)]
    used = max((stat.st_mtime for stat in stats), default=path.stat().st_mtime)
    return StoredCell(path.parent, name, key, shards, sum(stat.st_size for stat in stats), used, statistics, site)
