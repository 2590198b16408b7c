# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""`hf-vdrep world [ACTION]`: the embedded world drawn, written as a data set, and measured."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from .arguments import bars_off, check_folder, positive, whole
from .failures import UsageError
from .world_export import split_size

ACTIONS = ("render", "export", "calibrate")
_SPLITS = ("train", "validation", "test")
_MOST = 16
_CHOSEN = (23, 61, 101, 116)  # of the test split: four motions in four rooms

_DESCRIPTION = """\
ProbeWorld, the embedded world, with its labels. A clip is a pure function of its split and index.
"""
_EPILOG = """examples:
  hf-vdrep world render
  hf-vdrep world export probeworld --clips train=2000 --clips test=500
  hf-vdrep world calibrate

`hf-vdrep world ACTION --help` explains an action; without one, `world` renders.
"""
_RENDER = """\
Write world-SPLIT.png, a contact sheet: every clip with its class names and its camera's path, with boxes around its
objects, with point tracks, and as depth.
"""
_RENDER_EPILOG = """examples:
  hf-vdrep world render
  hf-vdrep world render 7 19 23 --split train --resolution 64 --output pictures
"""
_EXPORT = """\
Write clips with all labels as a Hugging Face data set: parquet shards with an mp4 in every row, and a card. The folder
loads with `datasets.load_dataset(folder, streaming=True)`. An export that was stopped goes on where it was.
"""
_EXPORT_EPILOG = """examples:
  hf-vdrep world export probeworld
  hf-vdrep world export probeworld-base --preset base --clips train=8000 --clips validation=1000 --clips test=1000
"""
_CALIBRATE = """\
Print the floor under every task: what chance gives, and what ridge regression reads from raw pixels of the middle
frame, of a frame at a random time, of the clip with its frames shuffled, and of the clip. For tasks of space, what the
best constant answer scores.
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the actions of `world`; without one, the arguments are those of `render`."""
    parser.description, parser.epilog = _DESCRIPTION, _EPILOG
    parse = parser.parse_known_args
    parser.parse_known_args = lambda args, namespace=None: parse(_with_action(args), namespace)  # type: ignore
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION", title="actions")
    raw = argparse.RawDescriptionHelpFormatter
    render = actions.add_parser(
        "render", help="draw a contact sheet", description=_RENDER, epilog=_RENDER_EPILOG, formatter_class=raw
    )
    export = actions.add_parser(
        "export", help="write a data set", description=_EXPORT, epilog=_EXPORT_EPILOG, formatter_class=raw
    )
    calibrate = actions.add_parser(
        "calibrate", help="print the floor under every task", description=_CALIBRATE, formatter_class=raw
    )
    _configure_render(render.add_argument)
    _configure_export(export.add_argument)
    calibrate.add_argument("--train", type=positive, default=1920, metavar="N", help="clips to fit (default: 1920)")
    calibrate.add_argument("--test", type=positive, default=960, metavar="N", help="clips to score (default: 960)")
    calibrate.add_argument("--json", action="store_true", help="print JSON instead of tables")
    for action in (render, export, calibrate):
        action.add_argument("-q", "--quiet", action="store_true", default=argparse.SUPPRESS, help="no progress bars")
        action.add_argument("--debug", action="store_true", default=argparse.SUPPRESS, help=argparse.SUPPRESS)


def _with_action(words: Sequence[str]) -> list[str]:
    first = next((word for word in words if word not in ("-q", "--quiet", "--debug")), None)
    return list(words) if first in (*ACTIONS, "-h", "--help") else ["render", *words]


def _configure_render(add) -> None:  # type: ignore[no-untyped-def]
    add("indices", nargs="*", type=whole, metavar="INDEX", help="clips to draw (default: four different ones)")
    add("--split", choices=_SPLITS, default="test", help="split (default: test)")
    add("--resolution", type=positive, default=128, metavar="PIXELS", help="side of a frame (default: 128)")
    add("-o", "--output", type=Path, default=Path("."), metavar="DIR", help="folder for the picture (default: here)")


def _configure_export(add) -> None:  # type: ignore[no-untyped-def]
    add("output", type=Path, metavar="DIR", help="folder of the data set")
    add("--preset", choices=("tiny", "base"), default="tiny", help="64 x 64 or 128 x 128 pixels (default: tiny)")
    words = "clips of a split, repeatable (default: train=2000, validation=400, test=400)"
    add("--clips", type=split_size, action="append", metavar="SPLIT=N", help=words)
    add("--shard-size", type=positive, default=512, metavar="N", help="clips per shard (default: 512)")
    add("--seed", type=whole, default=0, help="seed of the world (default: 0)")
    add("--lossy", action="store_true", help="small 4:2:0 videos that browsers play, instead of exact pixels")


def run(args: argparse.Namespace) -> int:
    """Do what `args.action` says."""
    if args.action == "export":
        from .world_export import export

        return export(args)
    if args.action == "calibrate":
        from .world_calibrate import calibrate

        return calibrate(args.train, args.test, args.json, not bars_off(args.quiet))
    return _render(args)


def _render(args: argparse.Namespace) -> int:
    """Render, draw, write, and print the path."""
    indices = args.indices or list(_CHOSEN)
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
