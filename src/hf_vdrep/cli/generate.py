# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""`hf-vdrep generate`: images or videos drawn from a WALT model."""

import argparse
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .arguments import bars_off, check_folder, positive, rate, whole

if TYPE_CHECKING:
    import numpy as np

_BATCH = 8

_DESCRIPTION = """\
Draw images or videos from a WALT model.

Writes MODEL-samples.png, a grid of the samples; for videos also MODEL-samples.mp4, all of them playing. In the grid a
video is a row of five frames. Sample i depends on --seed and i alone, not on how many are drawn.
"""

_EPILOG = """examples:
  hf-vdrep generate
  hf-vdrep generate --model i-walt --num 16 --steps 100
  hf-vdrep generate --model path/to/my-walt --seed 7 --output pictures
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `generate`."""
    parser.description, parser.epilog = _DESCRIPTION, _EPILOG
    add = parser.add_argument
    add("--model", default="v-walt", help="v-walt, i-walt, or the folder of a saved pipeline (default: v-walt)")
    add("--num", type=positive, default=8, metavar="N", help="samples (default: 8)")
    add("--class-label", type=whole, metavar="CLASS", help="of a class-conditional model (default: none)")
    add("--prompt", metavar="TEXT", help="of a text-conditional model (default: none)")
    add("--guidance-scale", type=rate, default=1.0, metavar="W", help="weight of label or prompt (default: 1)")
    add("--steps", type=positive, default=50, metavar="N", help="denoising steps (default: 50)")
    add("--seed", type=whole, default=0, help="seed of the noise (default: 0)")
    add("--frames", type=positive, default=None, metavar="N", help="1, or 1 + 4k (default: as the model was trained)")
    add("--fps", type=rate, default=8.0, help="frames a second of the film (default: 8)")
    add("--scale", type=positive, default=2, metavar="N", help="enlarge the pictures N times (default: 2)")
    add("-o", "--output", type=Path, default=Path("."), metavar="DIR", help="folder for the results (default: here)")


def run(args: argparse.Namespace) -> int:
    """Sample, write, and print the paths."""
    check_folder(args.output)
    from ..data.media_write import atomic_output, write_png
    from ..data.video_write import write_video
    from ..study.panels_tiles import enlarge, film_tiles, row_tiles, square_tiles

    videos = enlarge(_sample(args), args.scale)
    is_video = videos.shape[1] > 1
    stem = f"{Path(args.model).resolve().name}-samples"
    outputs = [args.output / f"{stem}.png"] + [args.output / f"{stem}.mp4"] * is_video
    with ExitStack() as stack:
        places = [stack.enter_context(atomic_output(path)) for path in outputs]
        write_png(places[0], row_tiles(videos) if is_video else square_tiles(videos[:, 0]))
        if is_video:
            write_video(places[1], film_tiles(videos), args.fps)
    print(*outputs, sep="\n")
    return 0


def _sample(args: argparse.Namespace) -> "np.ndarray":
    """uint8 (N, T, H, W, 3)."""
    import numpy as np
    import torch

    pipeline = _open(args.model)
    pipeline.set_progress_bar_config(disable=bars_off(args.quiet))
    drawn = []
    for first in range(0, args.num, _BATCH):
        seeds = range(args.seed + first, args.seed + min(first + _BATCH, args.num))
        generators = [torch.Generator().manual_seed(seed) for seed in seeds]
        output = pipeline(
            batch_size=len(generators),
            class_labels=args.class_label,
            prompt=args.prompt,
            guidance_scale=args.guidance_scale,
            num_frames=args.frames,
            num_inference_steps=args.steps,
            generator=generators,
            output_type="np",
        )
        images = output.images[:, None] if output.frames is None else output.frames
        drawn.append((images * 255).round().clip(0, 255).astype(np.uint8))
    return np.concatenate(drawn)


def _open(model: str) -> Any:
    from diffusers.utils import logging

    from ..models import WaltPipeline, shipped

    logging.disable_progress_bar()  # of loading; sampling has its own
    folder = model if Path(model).is_dir() else shipped.path(model)
    return WaltPipeline.from_pretrained(folder)
