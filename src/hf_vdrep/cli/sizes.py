# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""`hf-vdrep sizes`: the published WALT models with their parameters and work."""

import argparse
import json
import math
from typing import Any

from .failures import UsageError

_DESCRIPTION = """\
The published WALT models: parameters counted on the model that the config builds, beside the published count, and
FLOPs of one forward of one sample (two for every multiply-add; text of --text-length tokens where text is read).
An asterisk marks a model with fields that the papers do not state; --json lists them with the reason.
"""

_EPILOG = """examples:
  hf-vdrep sizes
  hf-vdrep sizes v-walt-284m i-walt-284m --json
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `sizes`."""
    parser.description, parser.epilog = _DESCRIPTION, _EPILOG
    add = parser.add_argument
    add("names", nargs="*", metavar="NAME", help="models to list (default: all)")
    add("--text-length", type=int, default=128, metavar="TOKENS", help="tokens of text (default: 128)")
    add("--json", action="store_true", help="print JSON, with configs and what was inferred")


def run(args: argparse.Namespace) -> int:
    """Count, and print a table or JSON."""
    from ..models.walt_sizes import SIZES

    unknown = [name for name in args.names if name not in SIZES]
    if unknown:
        raise UsageError(f"NAME must be one of {', '.join(SIZES)}, got {unknown[0]!r}")
    if args.text_length < 1:
        raise UsageError(f"--text-length must be at least 1, got {args.text_length}")
    rows = [describe_size(name, args.text_length) for name in args.names or SIZES]
    print(json.dumps(rows, indent=2) if args.json else table(rows))
    return 0


def describe_size(name: str, text_length: int) -> dict[str, Any]:
    """What `sizes` says of one model: parameters and FLOPs as plain numbers."""
    from ..models.walt_flops import forward_flops
    from ..models.walt_sizes import SIZES, build_size

    size, model = SIZES[name], build_size(name, device="meta")
    counted = sum(parameter.numel() for parameter in model.parameters())
    first: Any = model.blocks[0]
    published = size.published * 1e6
    return {
        "name": name,
        "layers": model.config.num_layers,
        "width": model.patch_embed.out_features,
        "heads": model.config.num_attention_heads,
        "tokens": math.prod(first.attn.position_bias.grid),
        "parameters": counted,
        "published_parameters": int(published),
        "difference": counted / published - 1,
        "flops": forward_flops(size.config, text_length=text_length),
        "source": size.source,
        "inferred": dict(size.inferred),
        "config": dict(size.config),
    }


def table(rows: list[dict[str, Any]]) -> str:
    """The rows as aligned text."""
    head = ["model", "layers", "width", "heads", "tokens", "parameters", "published", "off by", "GFLOPs", "source"]
    cells = [head, *(_cells(row) for row in rows)]
    widths = [max(len(line[column]) for line in cells) for column in range(len(head))]
    return "\n".join(_aligned(line, widths) for line in cells)


def _cells(row: dict[str, Any]) -> list[str]:
    # The MLP ratio follows from every count; what else is inferred earns the mark.
    marked = row["name"] + ("*" if set(row["inferred"]) - {"mlp_ratio"} else "")
    numbers = [str(row[key]) for key in ("layers", "width", "heads", "tokens")]
    counts = [f"{row[key] / 1e6:,.1f} M" for key in ("parameters", "published_parameters")]
    return [marked, *numbers, *counts, f"{row['difference']:+.1%}", f"{row['flops'] / 1e9:,.0f}", row["source"]]


def _aligned(line: list[str], widths: list[int]) -> str:
    """First and last column to the left, the numbers to the right."""
    first, *numbers, last = line
    middle = (cell.rjust(width) for cell, width in zip(numbers, widths[1:-1], strict=True))
    return "  ".join([first.ljust(widths[0]), *middle, last])
