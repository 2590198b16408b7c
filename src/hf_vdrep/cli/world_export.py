# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""`hf-vdrep world export`."""

import argparse

from .arguments import bars_off, check_folder, positive
from .failures import UsageError

_DEFAULT = {"train": 2000, "validation": 400, "test": 400}


def split_size(text: str) -> tuple[str, int]:
    """ "train=2000" as a pair."""
    name, equals, count = text.partition("=")
    if not equals or name not in _DEFAULT:
        raise argparse.ArgumentTypeError(f"must be SPLIT=N with SPLIT one of {', '.join(_DEFAULT)}, got {text!r}")
    return name, positive(count)


def export(args: argparse.Namespace) -> int:
    """Write the data set and print its folder."""
    check_folder(args.output, "DIR")
    if args.seed < 0:
        raise UsageError(f"--seed must be at least 0, got {args.seed}")
    from ..data.probeworld import ProbeWorldConfig, export_world

    config = ProbeWorldConfig.preset(args.preset, seed=args.seed)
    splits = dict(args.clips) if args.clips else _DEFAULT
    progress = not bars_off(args.quiet)
    options = {"shard_size": args.shard_size, "lossless": not args.lossy, "progress": progress}
    print(export_world(args.output, splits, config, **options))
    return 0
