# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""`index.json` of a feature cache: an entry for every shard, so that a large cache is listed without opening it.

The shards are the truth and the index a memory of them: it is brought up to date from the folders that changed, made
anew where it is lost or damaged, and always replaced whole. Several processes may do so at once.
"""

import json
import os
import time
import uuid
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

from .cache_layout import CellKey
from .cell import PATIENCE_S

NAME = "index.json"
_VERSION = 2
# A folder that changed so recently may change again without a later time stamp: it is looked at anew.
_RACY_NS = 2_000_000_000
Row = dict[str, Any]
Entry = dict[str, Any]


def refresh_index(cache_dir: str | os.PathLike[str]) -> list[Row]:
    """The rows of the index, brought up to date; it is written again if anything changed.

    A row has the fields of the cell's key, `cell` (its digest and folder), `backbone_name`, `site`, `file`, `kind`
    ("features" or "statistics"), `rows`, `bytes`, `blake2b` and `written` (seconds since the epoch).

    Raises:
        ValueError: `cache_dir` is no folder.
    """
    folder = Path(cache_dir)
    if not folder.is_dir():
        raise ValueError(f"cache_dir must be an existing folder, got {folder}")
    known = _read(folder / NAME)
    found = {}
    for cell in sorted(path.parent for path in folder.glob("*/cell.json")):
        stamp, entry = _stamp(cell), known.get(cell.name)
        if entry is None or not stamp or entry["folder_time"] != stamp:
            entry = _scan(cell, stamp)
        if entry is not None:
            found[cell.name] = entry
    if found != known:
        with suppress(OSError):  # a cache that is only read can be listed too
            _write(folder / NAME, found)
    return [
        {"cell": name, "backbone_name": entry["backbone_name"], "site": entry["site"], **entry["key"], **file}
        for name, entry in found.items()
        for file in entry["files"]
    ]


def _stamp(cell: Path) -> int:
    """When files last came or went, 0 where that is too recent to rely on."""
    changed = cell.stat().st_mtime_ns
    return changed if time.time_ns() - changed > _RACY_NS else 0


def _scan(cell: Path, stamp: int) -> Entry | None:
    """What lies in a cell's folder; None for another version's, or one half removed."""
    try:
        note = json.loads((cell / "cell.json").read_text(encoding="utf-8"))
        name, site = note.pop("backbone_name"), note.pop("site", "unknown")
        key = CellKey(**note)
    except (OSError, ValueError, TypeError, KeyError):
        return None
    files = []
    for path in sorted(cell.glob("*-*.safetensors")):
        with suppress(OSError, ValueError, KeyError, TypeError, IndexError):
            files.append(_facts(path))
    return {"backbone_name": name, "site": site, "key": asdict(key), "folder_time": stamp, "files": files}


def _facts(path: Path) -> Row:
    """What a shard's header and its directory entry say."""
    stat = path.stat()
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        header = json.loads(file.read(min(length, stat.st_size)))
    kind = "features" if path.name.startswith("shard-") else path.name.partition("-")[0]
    return {
        "file": path.name,
        "kind": kind,
        "rows": int(header["values"]["shape"][0]),
        "bytes": stat.st_size,
        "blake2b": str(header["__metadata__"]["blake2b"]),
        "written": stat.st_mtime,
    }


def _read(path: Path) -> dict[str, Entry]:
    try:
        content = json.loads(path.read_bytes())
        cells = content["cells"] if content["version"] == _VERSION else {}
        wanted = {"backbone_name", "site", "key", "folder_time", "files"}
        return {name: entry for name, entry in cells.items() if entry.keys() == wanted}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}


def _write(path: Path, cells: dict[str, Entry]) -> None:
    for abandoned in path.parent.glob(f".{path.name}.*.tmp"):  # of processes that were killed
        with suppress(OSError):
            if time.time() - abandoned.stat().st_mtime > PATIENCE_S:
                abandoned.unlink()
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex}.tmp")
    try:
        temporary.write_text(json.dumps({"version": _VERSION, "cells": cells}, separators=(",", ":")))
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
