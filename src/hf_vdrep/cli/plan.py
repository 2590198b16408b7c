# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""`hf-vdrep plan ACTION`: what a training or an extraction costs, before it starts."""

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .arguments import layer_list, positive, rate, timestep_list
from .failures import UsageError

if TYPE_CHECKING:
    from ..training.plan.figure import Plan
    from ..training.plan.hardware import Gpu
    from ..training.plan.jobs import DenoiserJob, TokenizerJob
    from ..training.plan.training import Machine

_DESCRIPTION = """\
What a training or an extraction costs, by arithmetic: parameters, FLOPs, GPU hours, memory of a GPU, bytes on disk.
FLOPs and bytes follow from the settings; speed is measured or given (--mfu), or assumed. What is an assumption, or
rests on one, carries an asterisk.
"""
_EPILOG = """examples:
  hf-vdrep plan train --config scripts/recipes/v-walt-tiny.yaml --mfu measured
  hf-vdrep plan train --size walt-l-k600 --steps 270000 --batch-size 512 --gpu h100 --gpus 64 --mfu 0.45
  hf-vdrep plan extract --data all --model v-walt-284m --layers 0.67 --timesteps 200
  hf-vdrep plan extract --data kinetics-400 --model v-walt --layers all --timesteps 0,50,200,600 --gpu a100
  hf-vdrep plan paper --gpu h100

`hf-vdrep plan ACTION --help` explains an action.
"""
_TRAIN = "A training: that of a recipe (--config), or of a published size (`hf-vdrep sizes`).\n"
_EXTRACT = "Features of the ten tasks' data sets, or of a number of clips.\n"
_PAPER = "The study's twins, 284 M and 1.9 B parameters, on 64 to 1,024 GPUs.\n"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the actions of `plan`."""
    parser.description, parser.epilog = _DESCRIPTION, _EPILOG
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION", title="actions")
    raw = argparse.RawDescriptionHelpFormatter
    train = actions.add_parser("train", help="a training", description=_TRAIN, formatter_class=raw)
    extract = actions.add_parser("extract", help="an extraction", description=_EXTRACT, formatter_class=raw)
    paper = actions.add_parser("paper", help="the study's twins", description=_PAPER, formatter_class=raw)
    _configure_train(train.add_argument)
    _configure_extract(extract.add_argument)
    _configure_paper(paper.add_argument)
    for action in (train, extract, paper):
        _configure_machine(action.add_argument)
        action.add_argument("--debug", action="store_true", default=argparse.SUPPRESS, help=argparse.SUPPRESS)
        action.add_argument("-q", "--quiet", action="store_true", default=argparse.SUPPRESS, help=argparse.SUPPRESS)


def _configure_machine(add: Any) -> None:
    add("--gpu", default=None, metavar="NAME", help="h100, a100, ...; here: this machine (default: h100)")
    add(
        "--network", type=rate, metavar="GBIT", help="network of each GPU, Gbit/s (default: as such nodes usually have)"
    )
    add("--mfu", default=None, metavar="X|measured", help="share of the peak that is reached; measured: time it here")
    add("--json", action="store_true", help="print JSON")


def _configure_train(add: Any) -> None:
    add("--config", type=Path, metavar="FILE", help="recipe, or config.yaml of a run")
    add("--size", metavar="NAME", help="published size, in place of --config")
    add("--gpus", type=positive, default=1, metavar="N", help="GPUs (default: 1)")
    add("--strategy", choices=("ddp", "fsdp2"), default="ddp", help="how a step is divided (default: ddp)")
    add("--steps", type=positive, metavar="N", help="optimiser steps (default: the recipe's)")
    add("--batch-size", type=positive, metavar="B", help="items of a step over all GPUs (default: the recipe's)")
    add("--checkpointing", action="store_true", help="recompute activations")
    add("--clips", type=positive, metavar="N", help="clips that are encoded once and kept (default: the recipe's)")
    add("--threads", type=positive, default=0, metavar="N", help="CPU threads, where speed is measured")


def _configure_extract(add: Any) -> None:
    add("--model", required=True, help="published size, v-walt, i-walt, or a folder or Hub id of a saved model")
    add("--data", default="all", help="all ten data sets, one of them, or probeworld (default: all)")
    add("--samples", type=positive, metavar="N", help="clips, in place of what the data set holds")
    add("--layers", type=layer_list, default="all", help="all, or indices and depths (default: all)")
    add("--timesteps", type=timestep_list, default="200", help="noise levels (default: 200)")
    add("--resolution", type=positive, metavar="PIXELS", help="side of a frame (default: the model's)")
    add("--num-frames", type=positive, default=17, metavar="T", help="frames of a clip (default: 17)")
    add("--dtype", choices=("float16", "bfloat16", "float32", "int8"), default="float16", help="on disk")
    add("--pool", type=positive, default=1, metavar="P", help="average the grid over P x P cells")
    add("--gpus", type=positive, default=1, metavar="N", help="GPUs (default: 1)")


def _configure_paper(add: Any) -> None:
    add("--gpus", type=positive, nargs="+", metavar="N", help="counts of GPUs (default: 64 128 256 512 1024)")
    add("--steps", type=positive, metavar="N", help="optimiser steps (default: 550,000, assumed)")
    add("--batch-size", type=positive, metavar="B", help="clips of a step (default: 512, assumed)")


def run(args: argparse.Namespace) -> int:
    """Make the plan, print it."""
    from ..training.plan.report import render

    plan = {"train": _train, "extract": _extract, "paper": _paper}[args.action](args)
    print(json.dumps(plan.to_dict(), indent=2) if args.json else render(plan))
    return 0


def _train(args: argparse.Namespace) -> "Plan":
    from ..training.plan.training import plan_training

    if (args.config is None) == (args.size is None):
        raise UsageError("--config or --size must be given, one of the two")
    job = _job(args)
    return plan_training(job, _machine(args, job), args.strategy)


def _job(args: argparse.Namespace) -> "DenoiserJob | TokenizerJob":
    from dataclasses import replace

    from ..training.plan.jobs import TokenizerJob, job_from_config
    from ..training.plan.sized import size_job

    job = size_job(args.size) if args.size else job_from_config(args.config)
    changes = {"steps": args.steps, "batch_size": args.batch_size, "checkpointing": args.checkpointing or None}
    if not isinstance(job, TokenizerJob):
        changes["pool"] = args.clips
    return replace(job, **{name: value for name, value in changes.items() if value is not None})


def _machine(args: argparse.Namespace, job: "DenoiserJob | TokenizerJob | None" = None) -> "Machine":
    from ..training.plan.training import Machine

    if args.mfu == "measured" or args.gpu == "here":
        from ..training.plan.measure import measure_machine

        if job is None:
            raise UsageError("--mfu must be a number for this action, got measured")
        return measure_machine(job, threads=args.threads)
    return Machine.of(_gpu(args), args.gpus, _mfu(args))


def _gpu(args: argparse.Namespace) -> "Gpu":
    from ..training.plan.hardware import find_gpu

    return find_gpu(args.gpu or "h100").with_network(args.network)


def _mfu(args: argparse.Namespace) -> float | None:
    if args.mfu is None:
        return None
    try:
        value = float(args.mfu)
    except ValueError:
        value = 0.0
    if not 0 < value <= 1:
        raise UsageError(f"--mfu must lie in (0, 1] or be measured, got {args.mfu}")
    return value


def _extract(args: argparse.Namespace) -> "Plan":
    from ..models.layer_index import resolve_layers
    from ..training.plan.extraction import plan_extraction
    from ..training.plan.sized import data_of, extractor_of

    data = data_of(args.data, args.samples, args.num_frames)
    extractor = extractor_of(args.model, args.num_frames, args.resolution)
    names = range(len(extractor.clip)) if args.layers == "all" else args.layers
    layers = resolve_layers(list(names), len(extractor.clip))
    options = {"layers": layers, "levels": len(args.timesteps), "dtype": args.dtype, "pool": args.pool}
    return plan_extraction(extractor, data, _machine(args), **options)


def _paper(args: argparse.Namespace) -> "Plan":
    from ..training.plan.paper import BATCH, COUNTS, STEPS, plan_paper

    counts, mfu = args.gpus or COUNTS, _mfu(args)
    return plan_paper(
        _gpu(args), counts=counts, mfu=mfu, steps=args.steps or STEPS, batch_size=args.batch_size or BATCH
    )
