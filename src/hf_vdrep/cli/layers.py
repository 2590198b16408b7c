# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""`hf-vdrep layers`: every layer that a model offers, its shape, and what it costs to get there."""

import argparse
import json

from .arguments import positive
from .model_options import MODELS, add_model_options, model_options

_DESCRIPTION = """\
List the layers of a model, as --layers of `features` takes them: index, name, shape of its features for one clip
(T' steps x H' x W' cells x C channels), stride (pixels along a cell's side), and how much of a whole forward pass is
done once the layer is reached, its FLOPs in percent.
"""

_EPILOG = """examples:
  hf-vdrep layers v-walt
  hf-vdrep layers i-walt --site attention
  hf-vdrep layers facebook/dinov2-small --resolution 224 --num-frames 1
  hf-vdrep layers path/to/pipeline --json
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `layers`."""
    parser.description, parser.epilog = _DESCRIPTION, _EPILOG
    add = parser.add_argument
    add("model", help=MODELS)
    add("--num-frames", type=positive, default=17, metavar="T", help="frames of the clip (default: 17)")
    add("--resolution", type=positive, default=64, metavar="PIXELS", help="side of a frame (default: 64)")
    add_model_options(add)
    add("--json", action="store_true", help="print JSON")


def run(args: argparse.Namespace) -> int:
    """Measure and print."""
    from ..backbones import open_backbone
    from ..backbones.layer_table import layer_table

    backbone = open_backbone(args.model, **model_options(args))
    rows = layer_table(backbone, num_frames=args.num_frames, resolution=args.resolution)
    if args.json:
        print(json.dumps([vars(row) for row in rows], indent=2))
        return 0
    width = max(len("name"), *(len(row.name) for row in rows))
    print(f"layer  {'name':<{width}}  {'shape':<22} stride  share of FLOPs")
    for row in rows:
        shape = " x ".join(map(str, row.shape))
        print(f"{row.layer:>5}  {row.name:<{width}}  {shape:<22} {row.stride:>6}  {100 * row.share:>12.1f} %")
    return 0
