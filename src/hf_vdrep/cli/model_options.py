# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Options of commands that open any model: which part of it, which revision, and where features are taken."""

import argparse
from collections.abc import Callable
from typing import Any

from .arguments import whole

_NAMES = ("site", "discard", "part", "revision")


MODELS = (
    "v-walt or i-walt, the pair that ships; a floor to compare with: pixels, latents (their tokenizer alone), random "
    "(V-WALT untrained); or a folder or Hub id of a saved model"
)


def add_model_options(add: Callable[..., Any]) -> None:
    """Add them.

    Args:
        add: `add_argument` of a parser or of a group.
    """
    words = (
        "where in a block of a denoiser: block, its output; norm, what goes into its attention; attention or mlp, what "
        "these give; middle, the stream between the two (WALT alone) (default: block)"
    )
    add("--site", metavar="NAME", help=words)
    words = "channels to leave out, massive activations for instance, by number with commas (denoisers of diffusers)"
    add("--discard", type=channel_list, metavar="C,C", help=words)
    add("--part", metavar="NAME", help="denoiser of a pipeline with two, such as transformer_2")
    add("--revision", metavar="NAME", help="branch, tag or commit of a model on the Hub")


def channel_list(text: str) -> list[int]:
    """Channels with commas between them."""
    return [whole(part.strip()) for part in text.split(",")]


def model_options(args: argparse.Namespace) -> dict[str, Any]:
    """Those that were given, for `open_backbone`."""
    return {name: getattr(args, name) for name in _NAMES if getattr(args, name) is not None}
