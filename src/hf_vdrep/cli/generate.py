# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""`hf-vdrep generate`: images or videos drawn from a WALT model."""

import argparse
import inspect
import json
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .arguments import bars_off, check_folder, positive, rate, whole
from .failures import UsageError

if TYPE_CHECKING:
    import numpy as np

_BATCH = 8
_KINDS = ("WaltPipeline", "WaltImageToVideoPipeline", "WaltSuperResolutionPipeline", "WaltCascadePipeline")

_DESCRIPTION = """\
Draw images or videos from a WALT model of any kind: from nothing, a class or a text, on from a picture or a film
(--input), or larger from a small one (--input).

Writes MODEL-samples.png, a grid of the samples; for videos also MODEL-samples.mp4, or .gif, all of them playing. In the
grid a video is a row of five frames. Sample i depends on --seed and i alone, not on how many are drawn.
"""

_EPILOG = """examples:
  hf-vdrep generate
  hf-vdrep generate --model i-walt --num 16 --steps 100
  hf-vdrep generate --model path/to/class-walt --class-label all --num 20 --guidance-scale 4
  hf-vdrep generate --model path/to/frame-walt --input cat.jpg --num 4 --film gif
"""


def _label(text: str) -> int | str:
    return text if text == "all" else whole(text)


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `generate`."""
    parser.description, parser.epilog = _DESCRIPTION, _EPILOG
    add = parser.add_argument
    add("--model", default="v-walt", help="v-walt, i-walt, or the folder of a saved pipeline (default: v-walt)")
    add("--num", type=positive, default=8, metavar="N", help="samples (default: 8)")
    add("--class-label", type=_label, metavar="CLASS", help='of a class-conditional model, or "all" in turn')
    add("--prompt", metavar="TEXT", help="of a text-conditional model (default: none)")
    add("--guidance-scale", type=rate, default=1.0, metavar="W", help="weight of label or prompt (default: 1)")
    add("--steps", type=positive, default=50, metavar="N", help="denoising steps (default: 50)")
    add("--seed", type=whole, default=0, help="seed of the noise (default: 0)")
    words = "1, or 1 + 4k: 5, 9, 13, … (default: as the model was trained)"
    add("--frames", "--num-frames", type=positive, default=None, metavar="N", help=words)
    add("--fps", type=rate, default=8.0, help="frames a second of the film (default: 8)")
    add("--scale", type=positive, default=2, metavar="N", help="enlarge the pictures N times (default: 2)")
    add("--input", type=Path, metavar="FILE", help="photo or video to go on from, or to enlarge")
    add("--film", choices=("mp4", "gif"), default="mp4", help="format of the film (default: mp4)")
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
    outputs = [args.output / f"{stem}.png"] + [args.output / f"{stem}.{args.film}"] * is_video
    with ExitStack() as stack:
        places = [stack.enter_context(atomic_output(path)) for path in outputs]
        write_png(places[0], row_tiles(videos) if is_video else square_tiles(videos[:, 0]))
        if is_video:
            (_write_gif if args.film == "gif" else write_video)(places[1], film_tiles(videos), args.fps)
    print(*outputs, sep="\n")
    return 0


def _sample(args: argparse.Namespace) -> "np.ndarray":
    """uint8 (N, T, H, W, 3)."""
    import numpy as np

    pipeline = _open(args.model)
    pipeline.set_progress_bar_config(disable=bars_off(args.quiet))
    given = _given(args, pipeline)
    drawn = []
    for first in range(0, args.num, _BATCH):
        indices = range(first, min(first + _BATCH, args.num))
        output = pipeline(**_arguments(args, pipeline, indices, given))
        images = output.images[:, None] if output.frames is None else output.frames
        drawn.append((images * 255).round().clip(0, 255).astype(np.uint8))
    return np.concatenate(drawn)


def _arguments(args: argparse.Namespace, pipeline: Any, indices: range, given: dict[str, Any]) -> dict[str, Any]:
    """Of the call; what this kind of pipeline does not know is left out unless it was asked for."""
    import torch

    count = len(indices)
    found: dict[str, Any] = {
        "num_inference_steps": args.steps,
        "guidance_scale": args.guidance_scale,
        "generator": [torch.Generator().manual_seed(args.seed + index) for index in indices],
        "output_type": "np",
        **{name: [value] * count for name, value in given.items()},
    }
    known = inspect.signature(pipeline.__call__).parameters
    for name, value in (("num_frames", args.frames), ("prompt", args.prompt)):
        if value is not None and name not in known and "base" not in known:
            raise UsageError(f"--{name.removeprefix('num_')} must not be given to a {type(pipeline).__name__}")
        found |= {} if value is None else {name: value}
    if args.prompt is not None and "batch_size" not in known:
        found["prompt"] = [args.prompt] * count
    if args.class_label is not None:
        found["class_labels"] = [_class(args.class_label, pipeline, index) for index in indices]
    if not given and ("batch_size" in known or "base" in known):
        found["batch_size"] = count
    return found


def _class(label: int | str, pipeline: Any, index: int) -> int:
    classes = pipeline.transformer.config.num_classes
    if label == "all" and not classes:
        raise UsageError('--class-label must not be "all" for a model without classes')
    return index % classes if label == "all" else int(label)


def _given(args: argparse.Namespace, pipeline: Any) -> dict[str, Any]:
    """The picture or film to start from, under the name of its argument."""
    takes = "image" in inspect.signature(pipeline.__call__).parameters
    if takes != (args.input is not None):
        verb = "be a photo or video" if takes else "not be given"
        raise UsageError(f"--input must {verb} for a {type(pipeline).__name__}, got {args.input}")
    if not takes:
        return {}
    from PIL import Image

    from ..data.media import load_clip

    config = pipeline.transformer.config
    scale = pipeline.vae.spatial_compression_ratio
    side = int(config.sample_size * scale) // int(getattr(config, "low_res_scale", None) or 1)
    length = 5 if config.frame_conditioning else args.frames or 17  # of a film, its first two latents are given
    frames = load_clip(args.input, length, args.fps, resolution=side).frames.numpy()
    pictures = [Image.fromarray(frame) for frame in frames]
    return {"image": pictures[0]} if len(pictures) == 1 else {"video": pictures}


def _write_gif(path: Path, frames: Any, fps: float) -> None:
    from PIL import Image

    first, *rest = [Image.fromarray(frame) for frame in frames]
    first.save(path, format="GIF", save_all=True, append_images=rest, duration=round(1000 / fps), loop=0)


def _open(model: str) -> Any:
    """The pipeline, of the class that its folder names."""
    from diffusers.utils import logging

    from .. import models
    from ..models import shipped

    logging.disable_progress_bar()  # of loading; sampling has its own
    folder = Path(model) if Path(model).is_dir() else shipped.path(model)
    index = folder / "model_index.json"
    written = json.loads(index.read_text()).get("_class_name", "") if index.is_file() else ""
    name = written[-1] if isinstance(written, list) else written  # [library, class] where the class is not diffusers'
    return getattr(models, name if name in _KINDS else "WaltPipeline").from_pretrained(folder)
