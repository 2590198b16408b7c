# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Which denoisers and encoders are read, counted: `python -m hf_vdrep.backbones.denoiser_coverage`."""

from collections.abc import Iterable
from importlib.metadata import version

from .denoiser_families import DENOISERS, NOT_DENOISERS, exported_denoisers
from .denoiser_family import DenoiserFamily
from .encoder_families import FAMILIES, EncoderFamily

# Classes for which a test runs the class's own pipeline and finds its step by our call; the grid is tested for all.
STEP_TESTED = frozenset(
    {
        "AllegroTransformer3DModel",
        "AnyFlowTransformer3DModel",
        "AuraFlowTransformer2DModel",
        "BriaFibo2Transformer2DModel",
        "BriaTransformer2DModel",
        "ChromaTransformer2DModel",
        "CogVideoXTransformer3DModel",
        "CogView3PlusTransformer2DModel",
        "CogView4Transformer2DModel",
        "DiTTransformer2DModel",
        "EasyAnimateTransformer3DModel",
        "ErnieImageTransformer2DModel",
        "Flux2Transformer2DModel",
        "FluxTransformer2DModel",
        "GlmImageTransformer2DModel",
        "HiDreamImageTransformer2DModel",
        "HunyuanDiT2DModel",
        "HunyuanImageTransformer2DModel",
        "HunyuanVideo15Transformer3DModel",
        "HunyuanVideoTransformer3DModel",
        "Kandinsky3UNet",
        "Kandinsky5Transformer3DModel",
        "Krea2Transformer2DModel",
        "LTXVideoTransformer3DModel",
        "LatteTransformer3DModel",
        "Lumina2Transformer2DModel",
        "LuminaNextDiT2DModel",
        "MochiTransformer3DModel",
        "MotifVideoTransformer3DModel",
        "NucleusMoEImageTransformer2DModel",
        "OvisImageTransformer2DModel",
        "PRXTransformer2DModel",
        "PixArtTransformer2DModel",
        "QwenImageTransformer2DModel",
        "SD3Transformer2DModel",
        "SanaTransformer2DModel",
        "SanaVideoTransformer3DModel",
        "SkyReelsV2Transformer3DModel",
        "UNet2DConditionModel",
        "UNet2DModel",
        "UNet3DConditionModel",
        "UNetMotionModel",
        "UNetSpatioTemporalConditionModel",
        "UVit2DModel",
        "WanTransformer3DModel",
        "ZImageTransformer2DModel",
    }
)
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
    """Markdown: a row per class and model type, counts first.

    A class that the installed diffusers exports and the table lacks stands as such. Status: "grid", the features lie
    where the latents are; "step", the model's answer at every step is that of its own pipeline.
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
    status = "grid, step" if name in STEP_TESTED else "grid"
    facts = (name, blocks, _LAYOUTS[family.layout], _gives(family), level, one_pass, status, family.note)
    return f"| {' | '.join(facts)} |"


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
