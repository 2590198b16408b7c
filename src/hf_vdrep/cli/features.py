# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""`hf-vdrep features`: extract features of a data set into a cache."""

import argparse
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .arguments import bars_off, check_folder, layer_list, positive, rate, timestep_list, whole
from .failures import UsageError
from .model_options import MODELS, add_model_options, model_options

if TYPE_CHECKING:
    from ..backbones import Backbone
    from ..features.estimate import CellEstimate
    from ..features.sources import Source

_DESCRIPTION = """\
Extract features of a data set into a cache: one forward pass per batch and noise level serves all layers.

What the cache holds is not computed again; a killed run goes on where it was. In Python the same choices read the
features back, without the model having to run:

  from hf_vdrep.backbones import open_backbone
  from hf_vdrep.features import extract_features, open_source

  source = open_source("probeworld:test")              # --data; size, num_frames, fps and resolution as here
  features = extract_features(
      open_backbone("v-walt"), source.videos, source.sample_ids, layers=[3], timesteps=[200],
      cache_dir="runs/features", data_fingerprint=source.fingerprint,
  )
  features[3, 200][:10]                                # layer 3, noise level 200: (10, T', H', W', C)
"""

_EPILOG = """examples:
  hf-vdrep features --model v-walt --data probeworld:test --layers all --timesteps 0,50,200,600
  hf-vdrep features --model v-walt --data probeworld:test --layers 0.67 --site attention
  hf-vdrep features --model facebook/dinov2-small --data holidays/ --resolution 224 --layers 0.5,1.0
  hf-vdrep features --model i-walt --data probeworld:train --size 2048 --dry-run
  hf-vdrep features --model v-walt --data kinetics-400:/data/k400 --size 1000 --layers 0.75
  hf-vdrep features --model Wan-AI/Wan2.1-T2V-1.3B-Diffusers --data clips/ --site norm --layers 0.5 --resolution 256
  accelerate launch --num-processes 4 -m hf_vdrep.cli.main features --model v-walt --data probeworld --dtype int8
  torchrun --nproc-per-node 2 -m hf_vdrep.cli.main features --model v-walt --data probeworld    # processes on CPUs
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `features`."""
    parser.description, parser.epilog = _DESCRIPTION, _EPILOG
    add = parser.add_argument_group("model").add_argument
    add("--model", required=True, help=MODELS)
    add_model_options(add)
    words = "cpu, cuda, cuda:N, or auto: this process's GPU where there is one (default: auto)"
    add("--device", type=device_name, default="auto", metavar="NAME", help=words)
    _add_data(parser.add_argument_group("data").add_argument)
    _add_features(parser.add_argument_group("features").add_argument)
    _add_cache(parser.add_argument_group("cache").add_argument)


def _add_data(add: Callable[..., Any]) -> None:
    words = (
        "probeworld (its test split), probeworld:SPLIT (train, validation, test), SET:ROOT (a set of `hf-vdrep data "
    )
    add("--data", required=True, help=f"{words}list` and its folder), or a folder: every picture and video below it")
    words = "of a published set, as `hf-vdrep data list SET` says (default: validation, or test where there is none)"
    add("--split", help=words)
    words = "clips of ProbeWorld or of a published set (default: 256); a folder is taken whole"
    add("--size", type=positive, metavar="N", help=words)
    add("--num-frames", type=positive, default=17, metavar="T", help="frames of a clip (default: 17)")
    add("--fps", type=rate, help="frames a second that videos are read at (default: 8, or the set's own stride)")
    words = "clips are squares of this side; the model says which sizes it takes (default: 64)"
    add("--resolution", type=positive, default=64, metavar="PIXELS", help=words)


def _add_features(add: Callable[..., Any]) -> None:
    words = (
        "all, or some, with commas: an index (3, or from the end: --layers=-1,-2), a depth in (0, 1] (0.67) or a name "
        "(blocks.3); `hf-vdrep layers` lists them (default: all)"
    )
    add("--layers", type=layer_list, default="all", metavar="L,L", help=words)
    words = "noise levels in [0, 999], with commas; a model without noise takes none (default: 200)"
    add("--timesteps", type=timestep_list, default="200", metavar="T,T", help=words)
    add("--seed", type=whole, default=0, help="of the noise (default: 0)")
    add("--batch-size", type=positive, default=16, metavar="B", help="samples per forward pass (default: 16)")
    words = (
        "whether all noise levels of a batch share one forward pass; auto: if a trial finds it faster, for long runs"
    )
    add("--stacking", choices=("auto", "on", "off"), default="auto", help=f"{words} (default: auto)")
    add("--pool", type=positive, default=1, metavar="P", help="average the grid over P x P cells (default: 1)")


def _add_cache(add: Callable[..., Any]) -> None:
    words = "where it lies; several runs may share it (default: runs/features)"
    add("-o", "--output", type=Path, default=Path("runs/features"), metavar="DIR", help=words)
    types = ("float16", "bfloat16", "float32", "int8")
    add("--dtype", choices=types, default="float16", help="of the features on disk (default: float16)")
    add("--statistics", action="store_true", help="keep mean and deviation of every token too, for folded readouts")
    add("--quota-gb", type=rate, metavar="GB", help="refuse to begin where the whole cache would come to hold more")
    add("--dry-run", action="store_true", help="print shapes and sizes, extract nothing")


def run(args: argparse.Namespace) -> int:
    """Estimate, extract, print what was made."""
    check_folder(args.output)
    device = _device(args.device)
    from ..backbones import open_backbone
    from ..features.estimate import estimate, latents_bytes
    from ..features.process_share import ProcessShare
    from ..features.sources import open_source

    read = {name: getattr(args, name) for name in ("size", "num_frames", "fps", "resolution", "split")}
    backbone = open_backbone(args.model, **model_options(args))
    source = open_source(args.data, **read, cache_dir=args.output)
    if (move := getattr(backbone, "to", None)) is not None:
        move(device)
    cells: dict[str, Any] = {
        "layers": range(backbone.num_layers) if args.layers == "all" else args.layers,
        "timesteps": args.timesteps if backbone.uses_timestep else [None],
    }
    stored = {"dtype": args.dtype, "pool": args.pool, "statistics": args.statistics}
    example, samples = source.videos([0]), len(source.sample_ids)
    planned = estimate(backbone, example, samples, **cells, **stored)
    first = ProcessShare.of(None, None).rank == 0
    if first:
        _print(planned, backbone, samples, latents_bytes(backbone, example, samples))
    if not args.dry_run:
        _extract(args, backbone, source, cells)
        if first:
            print(args.output)
    return 0


def _extract(args: argparse.Namespace, backbone: "Backbone", source: "Source", cells: dict) -> None:
    from ..features import extract_features

    extract_features(
        backbone,
        source.videos,
        source.sample_ids,
        **cells,
        cache_dir=args.output,
        data_fingerprint=source.fingerprint,
        seed=args.seed,
        batch_size=args.batch_size,
        dtype=args.dtype,
        pool=args.pool,
        statistics=args.statistics,
        stacking=args.stacking,
        progress=not bars_off(args.quiet),
        quota=None if args.quota_gb is None else int(args.quota_gb * 1e9),
    )


def device_name(text: str) -> str:
    """ "auto", or the name of a device of torch."""
    if re.fullmatch(r"auto|cpu|cuda(:\d+)?", text):
        return text
    raise argparse.ArgumentTypeError(f"must be auto, cpu, cuda or cuda:N, got {text!r}")


def _device(name: str) -> str:
    """Where the model is to run; `accelerate launch` and `torchrun` number the GPUs by LOCAL_RANK."""
    import torch

    count = torch.cuda.device_count()
    if name == "auto":
        return f"cuda:{int(os.environ.get('LOCAL_RANK', '0')) % count}" if count else "cpu"
    if name.startswith("cuda") and int(name.partition(":")[2] or 0) >= count:
        there = f"cuda:0 to cuda:{count - 1}" if count else "no GPU"
        raise UsageError(f"--device must be one that is there ({there}), cpu or auto, got {name}")
    return name


def _print(planned: "list[CellEstimate]", backbone: "Backbone", samples: int, latents: int) -> None:
    names = backbone.layer_names()
    width = max(len(name) for name in names)
    features = sum(cell.num_bytes for cell in planned)
    beside = f", {latents / 1e6:.1f} MB of latents" if latents else ""
    print(f"{backbone.name}: {samples} samples, site {backbone.site}, {features / 1e6:.1f} MB{beside}")
    for cell in planned:
        level = "-" if cell.timestep is None else str(cell.timestep)
        shape = " x ".join(map(str, cell.shape))
        print(f"  {names[cell.layer]:<{width}}  t={level:<4} {shape:<22} {cell.num_bytes / 1e6:9.1f} MB")
