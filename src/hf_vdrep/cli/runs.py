# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""`hf-vdrep runs ls|show|plot`: training runs, read from their folders."""

import argparse
import json
from pathlib import Path

from .arguments import check_folder
from .failures import UsageError

_DESCRIPTION = """\
Training runs, read from their folders.

ls    every run at or below the folders: kind, state, step, loss, validation, speed, age
show  one run: figures, checkpoints (each read and compared with its manifest), settings
plot  a PNG of one or several runs: training loss, validation by noise level, validation against FLOPs
"""
_EPILOG = """examples:
  hf-vdrep runs ls
  hf-vdrep runs ls runs/ model_cards/walt-tiny --json
  hf-vdrep runs show runs/v-walt-tiny
  hf-vdrep runs plot runs/v-walt-tiny runs/i-walt-tiny --output twins.png
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `runs`."""
    parser.description, parser.epilog = _DESCRIPTION, _EPILOG
    add = parser.add_argument
    add("action", choices=("ls", "show", "plot"), help="what to do")
    add("folders", nargs="*", type=Path, metavar="FOLDER", help="runs, or folders of runs (default: runs)")
    add("-o", "--output", type=Path, default=Path("runs.png"), metavar="PNG", help="plot: file (default: runs.png)")
    add("--no-verify", action="store_true", help="show: do not read the checkpoints")
    add("--json", action="store_true", help="print JSON")


def run(args: argparse.Namespace) -> int:
    """Do one of the three."""
    return {"ls": _list, "show": _show, "plot": _plot}[args.action](args)


def _list(args: argparse.Namespace) -> int:
    from ..training.run_folders.folder import find_runs
    from ..training.run_folders.table import row, table

    rows = [row(found) for found in find_runs(args.folders or [Path("runs")])]
    print(json.dumps(rows, indent=2) if args.json else table(rows) if rows else "no runs")
    return 0


def _show(args: argparse.Namespace) -> int:
    from ..training.run_folders.folder import open_run
    from ..training.run_folders.table import details, text

    if len(args.folders) != 1:
        raise UsageError(f"show takes one run, got {len(args.folders)}")
    shown = details(open_run(args.folders[0]), verify=not args.no_verify)
    print(json.dumps(shown, indent=2) if args.json else text(shown))
    return 1 if any(item.get("damage") for item in shown["checkpoints"]) else 0


def _plot(args: argparse.Namespace) -> int:
    from ..training.run_folders.curves import plot_folders
    from ..training.run_folders.folder import find_runs

    if args.output.suffix.lower() != ".png":
        raise UsageError(f"--output must be a .png, got {args.output}")
    check_folder(args.output.parent)
    args.output.parent.mkdir(parents=True, exist_ok=True)
    path = plot_folders(find_runs(args.folders or [Path("runs")]), args.output)
    print(json.dumps({"plot": str(path)}) if args.json else path)
    return 0
