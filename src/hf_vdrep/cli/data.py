# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""`hf-vdrep data`: which real data sets are read, and whether a copy on disk can be."""

import argparse
import json
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .arguments import bars_off, check_folder, positive, whole
from .failures import UsageError

if TYPE_CHECKING:
    from ..data.sample import Sample
    from ..data.streams import SampleStream, StreamSpec

_DESCRIPTION = """\
Look at the real data sets.

list   the names, tasks and terms; with NAME, where one comes from and how it lies on disk
check  read samples of a copy on disk, say what was found, count what is corrupt, and draw a contact sheet;
       exit code 1 if anything was corrupt, or nothing could be given
"""

_EPILOG = """examples:
  hf-vdrep data list
  hf-vdrep data list scannet
  hf-vdrep data list --task box_tracks
  hf-vdrep data check kinetics-400 /data/k400 --split train
  hf-vdrep data check image-folder my-photos --split train --samples 0
"""

_SHOWN = {False: 4, True: 15}  # clips, stills


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `data`."""
    parser.description, parser.epilog = _DESCRIPTION, _EPILOG
    add = parser.add_argument
    add("action", choices=("list", "check"), help="what to do")
    add("name", nargs="?", metavar="NAME", help="of a data set")
    add("root", nargs="?", metavar="ROOT", help="check: folder of the copy")
    add("--task", metavar="TASK", help="list: only data sets of this task")
    add("--json", action="store_true", help="list: print JSON")
    add("--split", default="validation", help="check: train, validation or test (default: validation)")
    add("--samples", type=whole, default=32, metavar="N", help="check: records to read, 0 for all (default: 32)")
    add("--resolution", type=positive, default=128, metavar="PIXELS", help="check: side of a sample (default: 128)")
    add("--num-frames", type=positive, default=17, metavar="T", help="check: frames of a clip (default: 17)")
    add("--stride", type=positive, metavar="K", help="check: source frames from one to the next (default: the set's)")
    add(
        "-o", "--output", type=Path, default=Path("."), metavar="DIR", help="check: folder of the sheet (default: here)"
    )


def run(args: argparse.Namespace) -> int:
    """Do one of the two."""
    return {"list": _list, "check": _check}[args.action](args)


def _list(args: argparse.Namespace) -> int:
    from ..data.streams import SPECS, get_spec

    if args.root is not None:
        raise UsageError(f"list takes one NAME at most, got {args.root!r} too")
    specs = [get_spec(args.name)] if args.name else list(SPECS.values())
    specs = [spec for spec in specs if args.task is None or args.task in spec.tasks]
    if args.json:
        print(json.dumps([_facts(spec) for spec in specs], indent=2))
    elif args.name:
        print(_page(specs[0]) if specs else f"{args.name} does not serve {args.task}")
    else:
        for spec in specs:
            print(f"{spec.name:<24} {', '.join(spec.tasks) or 'training':<20} {', '.join(spec.splits)}")
            for words in (spec.licence, f"on disk: {spec.layout.splitlines()[0].split('  ')[0]} …"):
                print(_wrapped(words, " " * 4, " " * 4))
        print("\n`hf-vdrep data list NAME` says where one comes from and how it lies on disk.")
    return 0


def _facts(spec: "StreamSpec") -> dict[str, Any]:
    names = ("name", "title", "tasks", "labels", "reads", "source", "hub", "splits", "columns", "label_space")
    more = ("num_classes", "licence", "obtain", "layout", "decode", "crop", "defaults")
    return {name: getattr(spec, name) for name in (*names, *more)}


def _page(spec: "StreamSpec") -> str:
    facts = {
        "tasks": ", ".join(spec.tasks) or "training",
        "source": spec.source + (" (Hub)" if spec.hub else ""),
        "splits": ", ".join(f"{ours} ({theirs})" for ours, theirs in spec.splits.items()),
        "labels": f"{', '.join(spec.labels)}: {spec.label_space}",
        "terms": spec.licence,
        "to get it": spec.obtain,
        "frames": spec.decode,
        "crop": spec.crop,
    }
    lines = [spec.title]
    for name, words in facts.items():
        lines.append(_wrapped(words, f"  {name:<10} ", " " * 13))
    return "\n".join([*lines, "  on disk", textwrap.indent(spec.layout, "    ")])


def _wrapped(words: str, first: str, rest: str) -> str:
    return textwrap.fill(words, 100, initial_indent=first, subsequent_indent=rest, break_on_hyphens=False)


def _check(args: argparse.Namespace) -> int:
    if args.name is None or args.root is None:
        raise UsageError("check needs NAME and ROOT (see `hf-vdrep data check --help`)")
    check_folder(args.output)
    from ..data.streams import SkipLimit, open_stream

    options = {"stride": args.stride} if args.stride else {}
    limit = SkipLimit(count=None, share=None)
    stream = open_stream(
        args.name,
        args.root,
        split=args.split,
        shuffle=True,
        limit=limit,
        resolution=args.resolution,
        num_frames=args.num_frames,
        **options,
    )
    samples = _read(stream, args.samples, bars_off(args.quiet))
    _print(stream, samples)
    if samples:
        path = args.output / f"data-{args.name}-{args.split.replace('/', '-')}.png"
        _draw(path, stream, samples)
        print(path)
    return 1 if stream.report.corrupt or not samples else 0


def _read(stream: "SampleStream", count: int, quiet: bool) -> "list[Sample]":
    """Up to `count` records, of which the first samples are kept and the rest only read."""
    from tqdm.auto import tqdm

    from ..data.streams import TooManyCorrupt

    records = len(stream.source) if hasattr(stream.source, "__len__") else None
    total = min(count, records) if count and records else count or records
    kept: list[Sample] = []
    with tqdm(total=total, unit="sample", disable=quiet, leave=False) as bar:
        try:
            for sample in stream:
                kept += [sample] if len(kept) < max(_SHOWN.values()) else []
                bar.update()
                if count and stream.report.read >= count:
                    break
        except TooManyCorrupt:  # nothing but corrupt samples: the report says so
            pass
    return kept


def _print(stream: "SampleStream", samples: "list[Sample]") -> None:
    if hasattr(stream.source, "__len__"):
        print(f"{stream.spec.title}: {len(stream.source)} records")
    for key, names in stream.classes.items():
        published = f" of the {stream.spec.num_classes} published" if stream.spec.num_classes else ""
        print(f"  {key}: {len(names)} classes{published}")
    for key, value in (samples[0] if samples else {}).items():
        print(f"  {key:<13} {_words(value)}")
    print(f"  {stream.report}")
    for name, reason in stream.report.problems[:10]:
        print(f"  corrupt: {name}: {reason}")


def _words(value: Any) -> str:
    if not hasattr(value, "shape"):
        return textwrap.shorten(repr(value), 80)
    shape = " x ".join(map(str, value.shape))
    kind = str(value.dtype).removeprefix("torch.")
    if kind == "bool":
        return f"{kind} {shape}, true for {float(value.float().mean()):.0%}"
    return f"{kind} {shape}, from {float(value.min()):g} to {float(value.max()):g}"


def _draw(path: Path, stream: "SampleStream", samples: "list[Sample]") -> None:
    from ..data.media_write import write_png
    from ..study.panels_stream import stream_sheet

    stills = all("image" in sample for sample in samples)
    notes = {"boxes": "boxes: dashed where absent", "tracks": "tracks: hollow where hidden, with their last frames"}
    subtitle = " · ".join([str(stream.report), *(words for key, words in notes.items() if key in samples[0])])
    write_png(path, stream_sheet(samples[: _SHOWN[stills]], stream.spec.title, subtitle, stream.classes))
