# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""`hf-vdrep inspect`: the user's photos and videos through the eyes of the models."""

import argparse
import json
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .arguments import bars_off, check_folder, layer, positive, rate, whole
from .failures import UsageError

if TYPE_CHECKING:
    from ..data.media import Clip
    from ..study.inspect_clip import Inspection

_EXAMPLES = ("brick-wall", "pan", "photo", "probeworld")
_SHOWN = 256  # pixels: the input is drawn finer than the models see it

_DESCRIPTION = """\
See what the models see in your own photos and videos.

Writes NAME-inspect.png, a contact sheet, and NAME-inspect.mp4, the same in motion. Both show the input, the first
three principal components of each model's features (one basis per model over the whole clip, so that colours hold
still), and how far the features move from frame to frame. A photo has no motion: its film is one frame long.

Reads jpg, png, webp, gif, bmp, mp4, mov, webm, mkv and avi of any size and length. A video is sampled at --fps from
--start on; one that is too short is trimmed to 1 + 4k frames.
"""

_MODELS_HELP = """i-walt, v-walt, latents, pixels, random, or folders of saved pipelines; after the files
(default: i-walt v-walt)"""
_VIDEO_AS_HELP = """how I-WALT reads a video: its latents, every 4th frame, or all frames, as images
(default: stack)"""

_POSITION_HELP = """show also what features hold because of their place alone, which is subtracted otherwise"""
_DENSITY_HELP = """take features N times as densely as the models' grid, by shifting the input; divides the 8 pixels
of a cell (default: 4)"""
_DRAWS_HELP = """average features over this many draws of the noise, which would show as flicker; probes see 1
(default: 8)"""

_EPILOG = """examples:
  hf-vdrep inspect holiday.mp4
  hf-vdrep inspect *.jpg --output pictures --timestep 50
  hf-vdrep inspect clip.webm --layer -1 --models v-walt path/to/my-walt
  hf-vdrep inspect --example brick-wall
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `inspect`."""
    parser.description, parser.epilog = _DESCRIPTION, _EPILOG
    add = parser.add_argument
    add("files", nargs="*", type=Path, metavar="FILE", help="photos and videos")
    add(
        "--example", action="append", choices=_EXAMPLES, help="a clip that is made on the spot, beside or without files"
    )
    add("-o", "--output", type=Path, default=Path("."), metavar="DIR", help="folder for the results (default: here)")
    add("--models", nargs="+", default=["i-walt", "v-walt"], metavar="MODEL", help=_MODELS_HELP)
    add("--layer", type=layer, default=0.67, help="block index, or relative depth in (0, 1] (default: 0.67)")
    add("--timestep", type=whole, default=200, help="noise level in [0, 999] (default: 200)")
    add("--seed", type=whole, default=0, help="seed of the noise (default: 0)")
    add("--draws", type=positive, default=8, help=_DRAWS_HELP)
    add(
        "--frames",
        "--num-frames",
        type=positive,
        default=17,
        metavar="N",
        help="frames of a clip, 1 + 4k (default: 17)",
    )
    add("--fps", type=rate, default=8.0, help="frames a second to sample (default: 8)")
    add("--start", type=float, default=0.0, metavar="SECONDS", help="where in a video to begin (default: 0)")
    add("--resolution", type=positive, metavar="PIXELS", help="side of the square seen (default: the models' own)")
    add("--density", type=positive, default=4, metavar="N", help=_DENSITY_HELP)
    add("--crop", choices=("center", "pad"), default="center", help="how to make the square (default: center)")
    add("--video-as", choices=("stack", "stride", "frames"), default="stack", help=_VIDEO_AS_HELP)
    add("--keep-position", action="store_true", help=_POSITION_HELP)
    add("--json", action="store_true", help="print what was done as JSON")


def run(args: argparse.Namespace) -> int:
    """Inspect every file; a file that cannot be read is reported, and the others are still done."""
    _check(args)
    report: list[dict[str, Any]] = []
    sources = _sources(args, report)
    if sources:
        _inspect_all(args, sources, report)
    if args.json:
        print(json.dumps(report, indent=2))
    return 2 if any("error" in entry for entry in report) else 0


def _check(args: argparse.Namespace) -> None:
    if not args.files and not args.example:
        raise UsageError("FILE must name at least one photo or video, ahead of --models, or use --example brick-wall")
    if (args.frames - 1) % 4:
        from ..models.compression import legal_lengths

        raise UsageError(f"--frames must be {legal_lengths(args.frames, 4)}")
    check_folder(args.output)
    stems = [path.stem for path in args.files] + list(args.example or [])
    twice = sorted({stem for stem in stems if stems.count(stem) > 1})
    if twice:
        raise UsageError(f"FILE names must differ, but two would write {twice[0]}-inspect.png; inspect them one by one")


def _sources(args: argparse.Namespace, report: list[dict[str, Any]]) -> list[Path | str]:
    """Files of a known kind, and examples; found before the slow imports, so that a typing error costs no wait."""
    from ..data.media_kind import MediaError, sniff

    good: list[Path | str] = []
    for path in args.files:
        try:
            sniff(path)
            good.append(path)
        except MediaError as error:
            _reject(path, error, report)
    return good + list(args.example or [])


def _reject(path: Path | str, error: ValueError, report: list[dict[str, Any]]) -> None:
    print(f"hf-vdrep: error: {error}", file=sys.stderr)
    report.append({"file": str(path), "error": str(error)})


def _inspect_all(args: argparse.Namespace, sources: list[Path | str], report: list[dict[str, Any]]) -> None:
    from tqdm.auto import tqdm

    from ..data.media_kind import MediaError
    from ..study.inspect_models import open_models

    backbones = open_models(args.models, args.video_as)
    for backbone in backbones:
        backbone.resolve_layers([args.layer])
        backbone.check_timesteps([args.timestep if backbone.uses_timestep else None])
    with tqdm(total=3 * len(sources), disable=bars_off(args.quiet), leave=False, unit="step") as bar:
        for source in sources:
            bar.set_description(f"{_stem(source)}: features")
            try:
                inspection = _inspect(args, source, backbones)
            except MediaError as error:
                bar.update(3)
                bar.clear()
                _reject(source, error, report)
                continue
            bar.update()
            outputs = _write(args.output, _stem(source), inspection, bar)
            report.append(_entry(source, inspection, outputs))
            if not args.json:
                bar.clear()
                print(*outputs, sep="\n", flush=True)


def _inspect(args: argparse.Namespace, source: Path | str, backbones: list[Any]) -> "Inspection":
    from ..study.inspect_clip import inspect_clip
    from ..study.inspect_dense import Tap
    from ..study.inspect_examples import EXAMPLES
    from ..study.inspect_models import native_resolution

    resolution = args.resolution or native_resolution(backbones)
    tap = Tap(args.layer, args.timestep, args.seed, args.draws, args.density)
    title = EXAMPLES[source] if isinstance(source, str) else source.name
    pictures = _clip(args, source, max(resolution, _SHOWN)).frames
    clip = _clip(args, source, resolution)
    return inspect_clip(clip, backbones, tap, title=title, keep_position=args.keep_position, pictures=pictures)


def _clip(args: argparse.Namespace, source: Path | str, resolution: int) -> "Clip":
    from ..data.media import load_clip
    from ..study.inspect_examples import make_example

    if isinstance(source, str):
        return make_example(source, args.frames, args.fps, resolution)
    return load_clip(source, args.frames, args.fps, resolution=resolution, crop=args.crop, start=args.start)


def _write(folder: Path, stem: str, inspection: "Inspection", bar: Any) -> list[str]:
    """Draw and write both files; either both are there afterwards, or neither is new."""
    from ..data.media_write import atomic_output, write_png
    from ..data.video_write import write_video
    from ..study.panels_film import film
    from ..study.panels_sheet import contact_sheet

    outputs = [folder / f"{stem}-inspect.png", folder / f"{stem}-inspect.mp4"]
    with ExitStack() as stack:
        png, mp4 = (stack.enter_context(atomic_output(path)) for path in outputs)
        bar.set_description(f"{stem}: contact sheet")
        write_png(png, contact_sheet(inspection))
        bar.update()
        bar.set_description(f"{stem}: film")
        write_video(mp4, film(inspection), 1.0 if inspection.clip.is_photo else inspection.clip.fps)
        bar.update()
    return [str(path) for path in outputs]


def _entry(source: Path | str, inspection: "Inspection", outputs: list[str]) -> dict[str, Any]:
    clip = inspection.clip
    models = [
        {
            "name": view.name,
            "reading": view.reading,
            "layer": view.layer,
            "timestep": view.timestep,
            "cell": view.cell,
            "grid": list(view.change.shape[1:]),
            "explained_variance": [round(share, 4) for share in view.explained],
            "mean_change": None if clip.is_photo else round(float(view.change[1:].mean()), 4),
        }
        for view in inspection.views
    ]
    return {
        "file": str(source),
        "outputs": outputs,
        "frames": len(clip.frames),
        "fps": clip.fps,
        "source_size": list(clip.source_size),
        "resolution": list(clip.frames.shape[1:3]),
        "seed": inspection.tap.seed,
        "draws": inspection.tap.draws,
        "models": models,
    }


def _stem(source: Path | str) -> str:
    return source if isinstance(source, str) else source.stem
