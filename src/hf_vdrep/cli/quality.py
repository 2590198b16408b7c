# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""`hf-vdrep quality`: how good generated images and videos are."""

import argparse
import json
from pathlib import Path
from typing import Any

from .arguments import bars_off, check_folder, positive, rate, whole
from .failures import UsageError

_TITLES = {
    "frechet_distance": "Fréchet distance",
    "kernel_distance": "kernel distance",
    "precision": "precision",
    "recall": "recall",
}

_DESCRIPTION = """\
Compare what a model generates with what is real: Fréchet and kernel distance, precision and recall, in the features of
a named network, with 95 % intervals. Beside them stands the floor, the same figures of real clips against other real
clips of the same number: what a perfect generator would get.

Networks: probeworld (the embedded world's own end-to-end reference), pixels (no learning), or any backbone: latents,
v-walt, a folder, a Hub id.

With --consistency also what the end-to-end reference and the trained readouts see in the clips, generated beside real:
how sure they are of classes, how steadily depth and tracks move, whether colours stay along tracks, and how far
readouts and reference agree.
"""

_EPILOG = """examples:
  hf-vdrep quality
  hf-vdrep quality --model i-walt --num 1000 --steps 50 --network probeworld --network pixels
  hf-vdrep quality --model v-walt --consistency --json
  hf-vdrep quality --model folder/of/videos --kind video --real folder/of/real/videos --network pixels

Samples and features are kept in --cache: a stopped run goes on where it was, and another network costs no new samples.
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `quality`."""
    parser.description, parser.epilog = _DESCRIPTION, _EPILOG
    add = parser.add_argument
    words = "v-walt, i-walt, the folder or Hub id of a pipeline, or a folder of images or videos (default: v-walt)"
    add("--model", default="v-walt", help=words)
    add("--kind", choices=("image", "video"), help="what is compared (default: what the model was trained on)")
    add("--network", action="append", metavar="NAME", help="feature network, repeatable (default: probeworld)")
    add("--real", default="probeworld", help="probeworld, or a folder of photos or videos (default: probeworld)")
    add("--num", type=positive, default=256, metavar="N", help="samples of each side (default: 256)")
    add("--steps", type=positive, default=20, metavar="N", help="denoising steps (default: 20)")
    add("--seed", type=whole, default=0, help="seed of the samples (default: 0)")
    add("--class-label", metavar="CLASS", help='of a class-conditional model, or "all" in turn (default: none)')
    add("--prompt", action="append", metavar="TEXT", help="of a text-conditional model, repeatable, in turn")
    add("--guidance-scale", type=rate, metavar="W", help="weight of label or prompt (default: the pipeline's own)")
    add(
        "--consistency",
        action="store_true",
        help="also what trained networks see in the clips; about 2 s a clip for videos",
    )
    add("--cache", type=Path, default=Path("runs/quality"), metavar="DIR", help="for samples and features")
    add("--json", action="store_true", help="print the figures as JSON")


def run(args: argparse.Namespace) -> int:
    """Measure and print."""
    check_folder(args.cache, "--cache")
    label = args.class_label
    if label not in (None, "all") and not label.isdigit():
        raise UsageError(f'--class-label must be a whole number or "all", got {label}')
    from tqdm.auto import tqdm

    from ..study.generation.quality import measure, work

    networks = args.network or ["probeworld"]
    generated = _generated(args, int(label) if label and label != "all" else label)
    found: dict[str, Any] = {"distances": []}
    total = work(args.num) * len(networks) if args.real == "probeworld" else None
    with tqdm(total=total, disable=bars_off(args.quiet), leave=False, unit="clip") as bar:
        for network in networks:
            options = {"real": args.real, "cache_dir": args.cache, "progress": bar.update}
            found["distances"].append(
                measure(generated, generated.kind, network, args.num, args.seed, args.steps, **options)
            )
    if args.consistency:
        found["consistency"] = _consistency(args, generated)
    print(json.dumps(found, indent=2) if args.json else _text(found))
    return 0


def _generated(args: argparse.Namespace, label: int | str | None) -> Any:
    from ..study.generation.quality import generated_set

    return generated_set(
        args.model,
        args.kind,
        args.num,
        seed=args.seed,
        steps=args.steps,
        labels=label,
        prompts=args.prompt or (),
        guidance_scale=args.guidance_scale,
        cache_dir=args.cache,
    )


def _consistency(args: argparse.Namespace, generated: Any) -> dict[str, Any]:
    from tqdm.auto import tqdm

    from ..study.generation.consistency import consistency
    from ..study.generation.quality import real_set

    real = real_set(args.real, generated)
    sides = 2 if generated.kind == "image" else 6
    with tqdm(total=sides * args.num, disable=bars_off(args.quiet), leave=False, unit="clip") as bar:
        return consistency(generated, real, generated.kind, cache_dir=args.cache, progress=bar.update)


def _text(found: dict[str, Any]) -> str:
    lines = []
    for one in found["distances"]:
        steps = f", {one['steps']} steps" if one["steps"] else ""
        lines.append(
            f"{one['model']}: {one['num']} {one['kind']}s{steps}, against {one['num_real']} of {one['real']}, "
            f"features of {one['network']}"
        )
        lines.append(f"  {'':18s} {'generated':>26s} {'real against real':>26s}")
        lines += [f"  {title:18s} {_cell(one[key])} {_cell(one['floor'][key])}" for key, title in _TITLES.items()]
    if "consistency" in found:
        lines.append(f"  {'':26s} {'generated':>26s} {'real':>26s} {'difference':>26s}")
        for name, row in found["consistency"].items():
            lines.append(f"  {name:26s} " + " ".join(_cell(row[k]) for k in ("generated", "real", "difference")))
    return "\n".join(lines)


def _cell(interval: dict[str, float]) -> str:
    return f"{interval['value']:8.4f} [{interval['low']:.4f}, {interval['high']:.4f}]".rjust(26)
