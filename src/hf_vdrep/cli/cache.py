# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""`hf-vdrep cache`: look into a feature cache, check it, make room in it."""

import argparse
import json
import time
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .arguments import rate
from .failures import UsageError

if TYPE_CHECKING:
    from ..features.stored_cells import StoredCell

_DESCRIPTION = """\
Look into a cache that `features` has filled. A cell is one layer at one noise level; a shard is one of its files.

ls      what lies there: backbone, its fingerprint, site, layer, noise level, size; from index.json, which is kept up
        to date
verify  read every byte and compare with the hashes; exit code 1 if a shard is damaged
prune   delete cells: of one backbone, old ones, or the oldest beyond a size
"""

_EPILOG = """examples:
  hf-vdrep cache ls runs/features
  hf-vdrep cache verify runs/features
  hf-vdrep cache prune runs/features --keep-gb 20
  hf-vdrep cache prune runs/features --backbone v-walt --older-than 30 --dry-run
"""

_DAY = 86_400


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `cache`."""
    parser.description, parser.epilog = _DESCRIPTION, _EPILOG
    add = parser.add_argument
    add("action", choices=("ls", "verify", "prune"), help="what to do")
    add("folder", type=Path, help="the cache")
    add("--backbone", metavar="NAME", help="prune: only cells of this backbone, by name or fingerprint")
    add("--older-than", type=rate, metavar="DAYS", help="prune: only cells last written longer ago")
    add("--keep-gb", type=float, metavar="GB", help="prune: of those, the newest that fit into it stay")
    add("--json", action="store_true", help="ls: print JSON")
    add("--dry-run", action="store_true", help="prune: print what would go, delete nothing")


def run(args: argparse.Namespace) -> int:
    """Do one of the three."""
    from ..features.stored_cells import indexed_cells, list_cells

    if args.action == "ls":
        return _list(args, indexed_cells(args.folder))
    cells = list_cells(args.folder)
    code = {"verify": _verify, "prune": _prune}[args.action](args, cells)
    indexed_cells(args.folder)  # what is gone leaves the index too
    return code


def _list(args: argparse.Namespace, cells: "list[StoredCell]") -> int:
    if args.json:
        print(json.dumps([_facts(cell) for cell in cells], indent=2))
        return 0
    for cell in cells:
        print(_line(cell))
    print(f"{len(cells)} cells, {sum(cell.num_bytes for cell in cells) / 1e9:.3f} GB")
    return 0


def _facts(cell: "StoredCell") -> dict[str, Any]:
    counts = {"shards": len(cell.shards), "statistics": len(cell.statistics), "bytes": cell.num_bytes}
    return {
        "backbone_name": cell.backbone_name,
        "site": cell.site,
        **asdict(cell.key),
        **counts,
        "used": cell.used,
        "cell": cell.folder.name,
    }


def _verify(args: argparse.Namespace, cells: "list[StoredCell]") -> int:
    checked = damaged = 0
    for cell in cells:
        for _, fault in cell.verify():
            checked += 1
            if fault is not None:
                damaged += 1
                print(fault)
    print(f"{checked} shards, {damaged} damaged")
    return 1 if damaged else 0


def _prune(args: argparse.Namespace, cells: "list[StoredCell]") -> int:
    from ..features.stored_cells import remove_cells, select_to_prune

    if args.backbone is None and args.older_than is None and args.keep_gb is None:
        raise UsageError("prune needs --backbone, --older-than or --keep-gb: a rule that says what may go")
    keep = None if args.keep_gb is None else int(args.keep_gb * 1e9)
    chosen = select_to_prune(cells, backbone=args.backbone, older_than_days=args.older_than, keep_bytes=keep)
    for cell in chosen:
        print(_line(cell))
    freed = sum(cell.num_bytes for cell in chosen) if args.dry_run else remove_cells(chosen)
    print(f"{len(chosen)} cells, {freed / 1e9:.3f} GB {'would be ' if args.dry_run else ''}freed")
    return 0


def _line(cell: "StoredCell") -> str:
    key = cell.key
    level = "-" if key.timestep is None else str(key.timestep)
    days = (time.time() - cell.used) / _DAY
    return (
        f"{cell.backbone_name:<14} {key.backbone[:8]}  {cell.site:<9} layer {key.layer:<3} t={level:<4} "
        f"{key.dtype} pool {key.pool}  "
        f"{len(cell.shards):>4} shards {cell.num_bytes / 1e6:>9.1f} MB  {days:.1f} days  {cell.folder.name[:8]}"
    )
