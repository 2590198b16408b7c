# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Which denoisers and encoders are read, counted: `python -m hf_vdrep.backbones.denoiser_coverage`."""

from collections.abc import Iterable
from importlib.metadata import version

from .denoiser_families import DENOISERS, NOT_DENOISERS, exported_denoisers
from .denoiser_family import DenoiserFamily
from .encoder_families import FAMILIES, EncoderFamily

# Classes for which no test runs a pipeline of the class and finds its step by our call, and why; the grid is tested
# for all.
WITHOUT_STEP = {"DreamLiteTransformer2DModel": "no pipeline calls it by itself"}
# What the test of the step hands over from the pipeline, because there is no null for it.
STEP_GIVEN = {
    "UniDiffuserModel": "the noise of text and of CLIP's picture",
    "WanAnimateTransformer3DModel": "a picture and a pose",
    "WanAnimate2Transformer3DModel": "a driving clip",
    "ChronoEditTransformer3DModel": "a picture",
    "ConsisIDTransformer3DModel": "a picture",
    "SanaWMTransformer3DModel": "a picture and a camera's path",
}
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
    "left": "maps, their left half",
    "latte": "space or time",
    "fractal": "squares of 8 x 8",
    "sequence_first": "sequence first",
}


def coverage_table() -> str:
    """Markdown: a row per class and model type, counts first.

    A class that the installed diffusers exports and the table lacks stands as such. Status: "grid", the features lie
    where the latents are; "step", the model's answer at every step is that of its own pipeline, "given" what the
    pipeline cannot do without.
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
    rows += ["", f"**Encoders: {len(FAMILIES)}**", "", *_encoder_rows()]
    return "\n".join([*counts(), "", *rows]) + "\n"


def counts() -> list[str]:
    """The lines that head the table."""
    exported = exported_denoisers()
    read = sorted(set(exported) & set(DENOISERS))
    return [
        f"Denoisers of diffusers {version('diffusers')}: {len(read)} of {len(exported)}.",
        "",
        f"Of these the step is that of their own pipelines: {len(set(read) - set(WITHOUT_STEP))}.",
        "",
        f"Encoders of transformers {version('transformers')}: {len(FAMILIES)} model types.",
    ]


def _header() -> Iterable[str]:
    return (
        "| class | blocks | takes | gives | noise level | levels in one pass | status | |",
        "|---|---|---|---|---|---|---|---|",
    )


def _row(name: str) -> str:
    family = DENOISERS[name]
    blocks = ", ".join(f"`{one}`" for one in family.blocks.split("|"))
    level = family.scale if family.time or name in ("SanaWMTransformer3DModel", "Cosmos3OmniTransformer") else "none"
    one_pass = "no" if family.single or family.one_level else "yes"
    facts = (name, blocks, _LAYOUTS[family.layout], _gives(family), level, one_pass, _status(name), family.note)
    return f"| {' | '.join(facts)} |"


def _status(name: str) -> str:
    if name in WITHOUT_STEP:
        return f"grid; {WITHOUT_STEP[name]}"
    return "grid, step" + (f" (given {STEP_GIVEN[name]})" if name in STEP_GIVEN else "")


def _encoder_rows() -> Iterable[str]:
    yield "| model type | blocks | reads | status |"
    yield "|---|---|---|---|"
    for name, family in FAMILIES.items():
        blocks = ", ".join(f"`{one}`" for one in family.blocks.split("|"))
        yield f"| {name} | {blocks} | {_reads(family)} | grid |"


def _reads(family: EncoderFamily) -> str:
    return "clips" if family.video else "frames, each on its own"


def _gives(family: DenoiserFamily) -> str:
    if family.output != "tokens":
        return _OUTPUTS[family.output]
    return "tokens" if family.side == "last" else "tokens, before text"


if __name__ == "__main__":
    print(coverage_table(), end="")
