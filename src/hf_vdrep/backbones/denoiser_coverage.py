# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Which denoisers and encoders are read, counted: `python -m hf_vdrep.backbones.denoiser_coverage`."""

from collections.abc import Iterable
from importlib.metadata import version

from .denoiser_families import DENOISERS, NOT_DENOISERS, exported_denoisers
from .denoiser_family import DenoiserFamily
from .encoder_families import FAMILIES

_LAYOUTS = {
    "image": "(B, C, H, W)",
    "clip": "(B, C, T, H, W)",
    "frames": "(B, T, C, H, W)",
    "last": "(B, T, H, W, C)",
    "packed": "(B, N, C)",
    "own": "its own",
}
_OUTPUTS = {
    "maps": "maps",
    "latte": "space or time",
    "fractal": "squares of 8 x 8",
    "sequence_first": "sequence first",
}


def coverage_table() -> str:
    """Markdown: a row per class, counts first.

    A class that the installed diffusers exports and the table lacks stands as such.
    """
    exported = exported_denoisers()
    rows = []
    for kind in ("image", "video"):
        names = [name for name, family in DENOISERS.items() if family.kind == kind]
        found = [name for name in names if name in exported]
        rows += [f"**{kind.capitalize()}: {len(found)} of {len(names)}**", "", *_header(), *map(_row, names), ""]
    missing = sorted(set(exported) - set(DENOISERS))
    rows += [f"Not covered: {', '.join(missing) if missing else 'none'}.", ""]
    rows += ["Left out, as they denoise no image and no video:", ""]
    rows += [f"- {name}: {why}" for name, why in NOT_DENOISERS.items()]
    return "\n".join([*counts(), "", *rows]) + "\n"


def counts() -> list[str]:
    """The lines that head the table."""
    exported = exported_denoisers()
    read = sorted(set(exported) & set(DENOISERS))
    return [
        f"Denoisers of diffusers {version('diffusers')}: {len(read)} of {len(exported)}.",
        "",
        f"Encoders of transformers: {len(FAMILIES)} model types.",
    ]


def _header() -> Iterable[str]:
    return ("| class | blocks | takes | gives | noise level | |", "|---|---|---|---|---|---|")


def _row(name: str) -> str:
    family = DENOISERS[name]
    blocks = ", ".join(f"`{one}`" for one in family.blocks.split("|"))
    level = family.scale if family.time or name in ("SanaWMTransformer3DModel", "Cosmos3OmniTransformer") else "none"
    return f"| {name} | {blocks} | {_LAYOUTS[family.layout]} | {_gives(family)} | {level} | {family.note} |"


def _gives(family: DenoiserFamily) -> str:
    if family.output != "tokens":
        return _OUTPUTS[family.output]
    return "tokens" if family.side == "last" else "tokens, before text"


if __name__ == "__main__":
    print(coverage_table(), end="")
