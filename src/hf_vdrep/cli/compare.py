# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""`hf-vdrep compare`: the main job."""

import argparse
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .arguments import check_folder, positive, rate, whole
from .failures import UsageError

if TYPE_CHECKING:
    from ..study.compare import CompareConfig

_DESCRIPTION = """\
How much do frozen features of an image and of a video diffusion model know?

Renders ProbeWorld, extracts features of I-WALT, of V-WALT and of the floors at several blocks and noise levels, trains
a small readout on each, chooses on validation clips, scores on test clips, and prints one table: task x (floors,
I-WALT, V-WALT, end-to-end reference, gain of V-WALT over I-WALT, 95 % interval).

Writes into the output folder: table.txt, table.json, figure.png, report.html (open it in a browser), results.jsonl
with every score ever measured there, per-sample/ with the values behind them, and config.yaml with the settings. What
is in the folder already is not measured again, so an interrupted run goes on where it was.
"""

_EPILOG = """examples:
  hf-vdrep compare
  hf-vdrep compare --tasks all --output-dir runs/all
  hf-vdrep compare --tasks depth point_tracks --layers 0.5 0.75 1.0 --output-dir runs/geometry
  hf-vdrep compare --v-walt path/to/my-v-walt --i-walt path/to/my-i-walt --output-dir runs/mine
  hf-vdrep compare --preset full
  hf-vdrep compare --config runs/demo/config.yaml --json
"""

_PRESETS = ("demo", "full")


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `compare`; what is not given is not set, so that presets and files show through."""
    parser.description, parser.epilog, parser.argument_default = _DESCRIPTION, _EPILOG, argparse.SUPPRESS
    _what(parser.add_argument_group("what is compared"))
    _how_much(parser.add_argument_group("how much"))
    run = parser.add_argument_group("the run")
    run.add_argument("-o", "--output-dir", metavar="DIR", help="folder for everything (default: runs/demo)")
    run.add_argument("--preset", choices=_PRESETS, default="demo", help="demo: minutes on two cores; full: hours")
    run.add_argument("--config", type=Path, metavar="FILE", help="YAML file of settings; flags win over it")
    run.add_argument("--seed", type=whole, help="of world, noise, readouts and bootstrap (default: 0)")
    run.add_argument("--workers", type=whole, help="processes; results do not depend on it (default: one per core)")
    run.add_argument("--json", action="store_true", default=False, help="print the table as JSON")
    parser.argument_default = None  # what `main` adds later has defaults


def _what(group: Any) -> None:
    add = group.add_argument
    add(
        "--tasks",
        nargs="+",
        metavar="TASK",
        help="all, or of object, scene, fine, action_coarse, action_many, action_motion, depth, camera_pose,"
        " point_tracks, box_tracks (default: object action_motion depth camera_pose)",
    )
    add("--i-walt", metavar="MODEL", help="the image model: i-walt, or a folder of a saved pipeline")
    add("--v-walt", metavar="MODEL", help="the video model: v-walt, or a folder of a saved pipeline")
    add("--floors", nargs="*", metavar="FLOOR", help="of chance, pixels, latents, random (default: all)")
    add("--reference", action=argparse.BooleanOptionalAction, help="the end-to-end reference (default: yes)")
    add("--layers", nargs="+", type=float, metavar="DEPTH", help="relative depths in (0, 1] (default: 0.5 0.75)")
    add("--timesteps", nargs="+", type=whole, metavar="T", help="noise levels in [0, 999] (default: 50 200)")
    add("--readings", nargs="+", metavar="R", help="I-WALT's, of stack, stride, frames (default: stack stride)")


def _how_much(group: Any) -> None:
    add = group.add_argument
    add("--resolution", type=positive, metavar="PIXELS", help="side of the clips (default: 64)")
    add("--train-size", type=positive, metavar="N", help="training clips (default: 2016)")
    add("--validation-size", type=positive, metavar="N", help="validation clips (default: 288)")
    add("--test-size", type=positive, metavar="N", help="test clips (default: 480)")
    add("--steps", nargs="+", type=_steps, metavar="TASK=N", help="optimiser steps of a task's readouts")
    add("--learning-rates", nargs="+", type=rate, metavar="LR", help="of the readouts (default: each task's own)")
    add(
        "--search-steps", type=rate, metavar="X", help="length of trainings that only choose, as a share (default: 0.3)"
    )
    add("--search-train-size", type=positive, metavar="N", help="training clips of those (default: 512)")
    add("--seeds", type=positive, help="readout seeds of the twins (default: 3)")
    add("--floor-seeds", type=positive, help="readout seeds of the floors (default: 1)")
    add("--resamples", type=positive, help="of the bootstrap (default: 10000)")
    add("--examples", type=whole, help="test clips shown in the report (default: 4)")


def _steps(text: str) -> tuple[str, int]:
    """ "depth=300" -> ("depth", 300)."""
    task, _, number = text.partition("=")
    if not number.isdecimal():
        raise argparse.ArgumentTypeError(f"must be TASK=N such as depth=300, got {text!r}")
    return task, int(number)


def run(args: argparse.Namespace) -> int:
    """Compare, and print the table."""
    config = _config(args)
    check_folder(Path(config.output_dir), "--output-dir")
    config.check()
    # The settings are sound: only now the slow imports.
    from ..study.compare import format_table, run, to_json

    begin = time.monotonic()
    results = run(config, quiet=args.quiet)
    print(to_json(results) if args.json else format_table(results), flush=True)
    if not args.quiet:
        minutes, seconds = divmod(round(time.monotonic() - begin), 60)
        print(f"{minutes} min {seconds} s; report: {Path(config.output_dir) / 'report.html'}", file=sys.stderr)
    return 0


def _config(args: argparse.Namespace) -> "CompareConfig":
    """Flags over the file over the preset over the defaults."""
    from ..study.compare import PRESETS, CompareConfig
    from ..training.config import from_dict, read_yaml

    known = set(CompareConfig.__dataclass_fields__)
    values = dict(PRESETS[args.preset])
    file = getattr(args, "config", None)
    if file is not None:
        values |= read_yaml(file)
    given = {name: value for name, value in vars(args).items() if name in known}
    if "steps" in given:
        given["steps"] = {**values.get("steps", CompareConfig().steps), **dict(given["steps"])}
    values |= given
    try:
        return from_dict(CompareConfig, values, source=str(file or "command line"))
    except TypeError as error:
        raise UsageError(str(error)) from error
