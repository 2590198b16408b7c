# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""`hf-vdrep world`: clips of the embedded world with their labels."""

import argparse
from pathlib import Path

from .arguments import check_folder, positive, whole
from .failures import UsageError

_SPLITS = ("train", "validation", "test")
_MOST = 16

_DESCRIPTION = """\
Look at ProbeWorld, the embedded world, with its labels.

Writes world-SPLIT.png: every clip with its class names and point tracks, and its depth below. A clip is a pure
function of its split and index.
"""

_EPILOG = """examples:
  hf-vdrep world
  hf-vdrep world 7 19 23 --split train --resolution 128 --output pictures
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `world`."""
    parser.description, parser.epilog = _DESCRIPTION, _EPILOG
    add = parser.add_argument
    add("indices", nargs="*", type=whole, metavar="INDEX", help="clips to draw (default: 0 1 2 3)")
    add("--split", choices=_SPLITS, default="test", help="split (default: test)")
    add("--resolution", type=positive, default=64, metavar="PIXELS", help="side of a frame (default: 64)")
    add("-o", "--output", type=Path, default=Path("."), metavar="DIR", help="folder for the picture (default: here)")


def run(args: argparse.Namespace) -> int:
    """Render, draw, write, and print the path."""
    indices = args.indices or [0, 1, 2, 3]
    if min(indices) < 0:
        raise UsageError(f"INDEX must be at least 0, got {min(indices)}")
    if len(indices) > _MOST:
        raise UsageError(f"INDEX may name at most {_MOST} clips, got {len(indices)}")
    check_folder(args.output)
    from ..data.media_write import write_png
    from ..data.probeworld import ProbeWorld, ProbeWorldConfig
    from ..study.panels_world import world_sheet

    world = ProbeWorld(args.split, max(indices) + 1, ProbeWorldConfig(resolution=args.resolution))
    path = args.output / f"world-{args.split}.png"
    write_png(path, world_sheet(world.batch(indices), f"ProbeWorld, {args.split} split"))
    print(path)
    return 0
