# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Options of commands that open any model: which part of it, which revision, and where features are taken."""

import argparse
from typing import Any

from .arguments import whole

_NAMES = ("site", "discard", "part", "revision")


def add_model_options(parser: argparse.ArgumentParser) -> None:
    """Add them."""
    add = parser.add_argument
    words = "place in a block of a denoiser: block, norm, attention or mlp (default: block)"
    add("--site", metavar="NAME", help=words)
    add("--discard", type=channel_list, metavar="C,C", help="channels of a denoiser that are left out")
    add("--part", metavar="NAME", help="denoiser of a pipeline with two, such as transformer_2")
    add("--revision", metavar="NAME", help="branch, tag or commit of a model on the Hub")


def channel_list(text: str) -> list[int]:
    """Channels with commas between them."""
    return [whole(part.strip()) for part in text.split(",")]


def model_options(args: argparse.Namespace) -> dict[str, Any]:
    """Those that were given, for `open_backbone`."""
    return {name: getattr(args, name) for name in _NAMES if getattr(args, name) is not None}
