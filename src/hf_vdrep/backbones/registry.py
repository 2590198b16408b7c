# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Backbones by name."""

import os
import re
from pathlib import Path
from typing import Any

from .._hub_reach import reach_hub
from .base import Backbone

# user/name; one word alone is a typing error more often than a repository.
_HUB_ID = re.compile(r"[\w.-]+/[\w.-]+")
NAMES = ("v-walt", "i-walt", "pixels", "latents", "random")
# Of a pipeline, of an encoder, and of a WALT in parts.
_MARKS = ("model_index.json", "config.json", "transformer", "vae")
# Options of denoisers of diffusers alone; `site` is one of a WALT too.
_DENOISER_OPTIONS = ("discard", "part", "conditioning")
_WALTS = ("v-walt", "i-walt", "random")


def open_backbone(name_or_path: str | os.PathLike[str], **options: Any) -> Backbone:
    """Open a backbone.

    Args:
        name_or_path: "v-walt" or "i-walt", the pair that ships with the package; a floor: "pixels" (patch means),
            "latents" (the pair's tokenizer alone), "random" (V-WALT with random weights); or a folder or Hub id: of a
            saved WALT or diffusers pipeline (`model_index.json`), or of a vision encoder of transformers
            (`config.json` alone).
        options: arguments of that backbone, such as `video_as` for a WALT, `site` for it and for other diffusers
            pipelines, `resolution` for an encoder.

    Raises:
        ValueError: neither a name nor a folder, a pipeline without an image or video denoiser, or an option that this
            kind of model has not.
        OSError: a folder that does not hold a readable pipeline.
        ConnectionError: a Hub id that was not downloaded before, and the Hub cannot be reached.
    """
    from .floors import LatentBackbone, PixelBackbone
    from .walt import WaltBackbone

    name = os.fspath(name_or_path)
    if name in NAMES:
        _refuse(name, options, _DENOISER_OPTIONS, "denoisers of diffusers")
        _refuse(name, options, ("revision",), "models on the Hub")
        if name not in _WALTS:
            _refuse(name, options, ("site",), "denoisers")
    if name == "pixels":
        return PixelBackbone(**options)
    if name == "latents":
        return LatentBackbone.from_pretrained(_shipped("v-walt"), **options)
    if name == "random":
        return WaltBackbone.random_like(_shipped("v-walt"), **options)
    if name in ("v-walt", "i-walt"):
        return WaltBackbone.from_pretrained(_shipped(name), **options)
    if not Path(name).is_dir() and not _HUB_ID.fullmatch(name):
        known = ", ".join(NAMES)
        raise ValueError(f"backbone must be one of {known}, or the folder or Hub id of a saved model, got {name!r}")
    if Path(name).is_dir() and not any((Path(name) / part).exists() for part in _MARKS):
        raise ValueError(f"folder must hold a model: any of {', '.join(_MARKS)}; {name} holds none of them")
    if not Path(name).is_dir():
        reach_hub(name, options.get("revision"))
    if _is_encoder(name):
        from .encoders import EncoderBackbone

        _refuse(name, options, _DENOISER_OPTIONS, "denoisers of diffusers")
        _refuse(name, options, ("site",), "denoisers")
        return EncoderBackbone.from_pretrained(name, **options)
    if _is_denoiser(name, options.get("revision")):
        from .denoisers import DenoiserBackbone

        return DenoiserBackbone.from_pretrained(name, **options)
    _refuse(name, options, (*_DENOISER_OPTIONS, "revision"), "denoisers of diffusers")
    return WaltBackbone.from_pretrained(name, **options)


def _refuse(name: str, options: dict[str, Any], unknown: tuple[str, ...], takers: str) -> None:
    for option in unknown:
        if option in options:
            raise ValueError(f"{option} must be left out for {name}: only {takers} take it")


def _is_encoder(name: str) -> bool:
    """A model of transformers: it has a config, and no index of pipeline components."""
    if Path(name).is_dir():
        return (Path(name) / "config.json").is_file() and not (Path(name) / "model_index.json").exists()
    from transformers.utils.hub import cached_file

    missing = {"_raise_exceptions_for_missing_entries": False, "_raise_exceptions_for_connection_errors": False}
    return cached_file(name, "model_index.json", **missing) is None and bool(cached_file(name, "config.json"))


def _is_denoiser(name: str, revision: str | None = None) -> bool:
    """A pipeline of diffusers, by its index; WALT's, and folders of parts without an index, are WALT's own."""
    if Path(name).is_dir() and not (Path(name) / "model_index.json").exists():
        return False
    from .denoiser_folder import read_index

    parts = read_index(name, revision)
    return not any("Walt" in str(value) for value in parts.values())


def _shipped(name: str) -> Path:
    from ..models import shipped

    return shipped.path(name)
