# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Every image and video denoiser of diffusers, and which lines of the table the installed release lacks."""

import inspect
import re
from typing import Any

import torch

from .denoiser_family import DenoiserFamily
from .denoiser_images import IMAGES
from .denoiser_unets import UNETS
from .denoiser_videos import VIDEOS

DENOISERS: dict[str, DenoiserFamily] = {**IMAGES, **VIDEOS, **UNETS}

# Modules of diffusers.models.transformers and .unets that denoise no image and no video, and why.
NOT_DENOISERS: dict[str, str] = {
    "Transformer2DModel": "a block of UNets; its whole models have classes of their own (DiT, PixArt)",
    "TransformerTemporalModel": "a block of UNets",
    "PriorTransformer": "denoises embeddings of CLIP",
    "LTX2VideoDiffusionDecoderModel": "a tokenizer's decoder",
    "Kandinsky6SRLatentUpscalerBank": "enlarges latents",
    "UNetControlNetXSModel": "a UNet and a ControlNet in one",
    "UNet1DModel": "signals and actions",
    "T5FilmDecoder": "sound",
    "AceStepTransformer1DModel": "sound",
    "StableAudioDiTModel": "sound",
    "StableAudio3DiTModel": "sound",
    "LongCatAudioDiTTransformer": "sound",
    "AudioLDM2UNet2DConditionModel": "sound",
    "MiniMaxMusic3Transformer1DModel": "sound",
    "RFD4ProteinaTransformer": "proteins",
}
_DENOISER_NAME = re.compile(r"Transformer|UNet|UVit|UniDiffuserModel|DiT|Diffusion|T5Film")
_OTHER_NAME = re.compile(r"ControlNet|Pipeline|Autoencoder|Vae")


def exported_denoisers() -> list[str]:
    """Names of the denoiser classes that the installed diffusers exports, by introspection."""
    import diffusers

    names = []
    for name in dir(diffusers):
        if not _DENOISER_NAME.search(name) or _OTHER_NAME.search(name) or name in NOT_DENOISERS:
            continue
        found = getattr(diffusers, name)
        if inspect.isclass(found) and issubclass(found, torch.nn.Module):
            names.append(name)
    return sorted(names)


def family_of(model: Any) -> DenoiserFamily:
    """The line of the table for a denoiser or the name of its class.

    Raises:
        ValueError: there is none.
    """
    name = model if isinstance(model, str) else type(model).__name__
    if name not in DENOISERS:
        why = f": {NOT_DENOISERS[name]}" if name in NOT_DENOISERS else ""
        raise ValueError(f"denoiser must be an image or video denoiser of diffusers, got {name}{why}")
    return DENOISERS[name]
