# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""`hf-vdrep reconstruct`: what a tokenizer loses, in figures and as a picture."""

import argparse
import json
import math
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .arguments import bars_off, check_folder, positive, rate
from .failures import UsageError

if TYPE_CHECKING:
    import numpy as np

_DESCRIPTION = """\
Put clips through a tokenizer's encoder and decoder and measure what comes back: PSNR, SSIM, and flicker (how much of
the change between frames is not in the original).

Without FILE the clips are held-out ProbeWorld. Writes MODEL-reconstruction.png: originals, reconstructions and their
differences side by side.
"""

_EPILOG = """examples:
  hf-vdrep reconstruct
  hf-vdrep reconstruct holiday.mp4 pictures/ --resolution 128
  hf-vdrep reconstruct --vae runs/tokenizer-tiny/vae --clips 128 --json
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `reconstruct`."""
    parser.description, parser.epilog = _DESCRIPTION, _EPILOG
    add = parser.add_argument
    add("files", nargs="*", type=Path, metavar="FILE", help="photos, videos, or folders of them")
    add("--vae", default="v-walt", help="v-walt, i-walt, or the folder of a tokenizer or pipeline (default: v-walt)")
    add("--clips", type=positive, default=32, metavar="N", help="ProbeWorld clips (default: 32)")
    add("--split", choices=("validation", "test"), default="test", help="their split (default: test)")
    add(
        "--frames",
        "--num-frames",
        type=positive,
        default=17,
        metavar="N",
        help="frames of a clip, 1 + 4k (default: 17)",
    )
    add("--fps", type=rate, default=8.0, help="frames a second to sample from FILE (default: 8)")
    add("--resolution", type=positive, default=64, metavar="PIXELS", help="side of a frame (default: 64)")
    add("--shown", type=positive, default=4, metavar="N", help="clips in the picture (default: 4)")
    add("--tile", type=positive, metavar="PIXELS", help="cut layers into tiles of this side to save memory")
    add("-o", "--output", type=Path, default=Path("."), metavar="DIR", help="folder for the picture (default: here)")
    add("--json", action="store_true", help="print the figures of every clip as JSON")


def run(args: argparse.Namespace) -> int:
    """Measure, draw, write, and print; a file that cannot be read is reported, and the others are still done."""
    check_folder(args.output)
    rejected: list[dict[str, str]] = []
    clips, names = _clips(args, rejected)
    if not clips:
        return 2
    result, vae = _measure(args, clips, names)
    from ..data.media_write import write_png
    from ..study.panels_reconstruction import mean_words, reconstruction_sheet

    path = args.output / f"{_stem(args.vae)}-reconstruction.png"
    write_png(path, reconstruction_sheet(result, f"Tokenizer of {_stem(args.vae)}", args.shown))
    if args.json:
        print(json.dumps({"picture": str(path), **_report(result, vae), "rejected": rejected}, indent=2))
    else:
        print(mean_words(result), path, sep="\n")
    return 2 if rejected else 0


def _clips(args: argparse.Namespace, rejected: list[dict[str, str]]) -> "tuple[list[np.ndarray], list[str]]":
    if not args.files:
        from ..data.probeworld import ProbeWorld, ProbeWorldConfig

        world = ProbeWorld(args.split, args.clips, ProbeWorldConfig(resolution=args.resolution))
        rendered = world.render_batch(range(args.clips)).numpy()
        if args.frames > rendered.shape[1]:
            raise UsageError(f"--frames must be at most {rendered.shape[1]} for ProbeWorld, got {args.frames}")
        if (args.frames - 1) % 4:
            from ..models.compression import legal_lengths

            raise UsageError(f"--frames must be {legal_lengths(args.frames, 4, rendered.shape[1])}")
        return list(rendered[:, : args.frames]), [f"{args.split} {index}" for index in range(args.clips)]
    from ..data.media import load_clip
    from ..data.media_kind import MediaError

    clips, names = [], []
    for file in _files(args.files):
        try:
            clips.append(load_clip(file, args.frames, args.fps, resolution=args.resolution).frames.numpy())
            names.append(file.name)
        except MediaError as error:
            print(f"hf-vdrep: error: {error}", file=sys.stderr)
            rejected.append({"file": str(file), "error": str(error)})
    return clips, names


def _files(paths: list[Path]) -> list[Path]:
    """The files named, and the media in the folders named; what else lies in a folder is passed over."""
    from ..data.media_kind import MediaError, sniff

    found = []
    for path in paths:
        if not path.is_dir():
            found.append(path)
            continue
        before = len(found)
        for file in sorted(path.iterdir()):
            try:
                sniff(file)
                found.append(file)
            except MediaError:
                continue
        if len(found) == before:
            raise UsageError(f"FILE must be photos, videos or folders of them, got {path} without any")
    return found


def _measure(args: argparse.Namespace, clips: "list[np.ndarray]", names: list[str]) -> tuple[Any, Any]:
    from diffusers.utils import logging
    from tqdm.auto import tqdm

    from ..study.reconstruction import open_tokenizer, reconstruct

    logging.disable_progress_bar()  # of loading; measuring has its own
    vae = open_tokenizer(args.vae)
    if args.tile:
        vae.enable_tiling(args.tile, args.tile)
    with tqdm(total=len(clips), disable=bars_off(args.quiet), leave=False, unit="clip") as bar:
        return reconstruct(vae, clips, names, progress=bar.update), vae


def _report(result: Any, vae: Any) -> dict[str, Any]:
    rows = []
    for index, name in enumerate(result.names):
        values = {metric: scores[index] for metric, scores in result.scores.items()}
        plain = {metric: None if math.isnan(value) else round(value, 5) for metric, value in values.items()}
        rows.append({"name": name, "frames": len(result.originals[index]), **plain})
    parameters = sum(parameter.numel() for parameter in vae.parameters())
    return {"parameters": parameters, "mean": result.summary(), "clips": rows}


def _stem(vae: str) -> str:
    path = Path(vae).resolve()
    return path.parent.name if path.name == "vae" else path.name
