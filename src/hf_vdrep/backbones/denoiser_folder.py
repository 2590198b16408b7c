# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Opening the parts of a saved diffusers pipeline that features need: denoiser, tokenizer and scheduler, no text."""

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from .denoiser_families import DENOISERS

DENOISER_PARTS = ("transformer", "unet", "prior", "decoder")
TOKENIZER_PARTS = ("vae", "vqvae", "movq", "vqgan")


@dataclass(frozen=True)
class Parts:
    """Live modules of a pipeline; `vae` None where the denoiser reads pixels."""

    denoiser: Any
    vae: Any
    scheduler: Any
    name: str


def read_index(path: str | os.PathLike[str], revision: str | None = None) -> dict[str, Any]:
    """The pipeline's `model_index.json`, from a folder or the Hub.

    Raises:
        OSError: there is none that can be read.
    """
    name = os.fspath(path)
    if Path(name).is_dir():
        file: str | None = str(Path(name) / "model_index.json")
    else:
        from huggingface_hub import hf_hub_download

        file = hf_hub_download(name, "model_index.json", revision=revision)
    try:
        index = json.loads(Path(str(file)).read_text())
    except (OSError, ValueError) as error:
        raise OSError(f"folder must hold a readable model_index.json of a pipeline, got {name}: {error}") from error
    if not isinstance(index, dict):
        raise OSError(f"folder must hold a model_index.json with named parts, got {name}")
    return index


def denoiser_part(index: dict[str, Any], part: str | None = None) -> str:
    """Name of the component that denoises.

    Raises:
        ValueError: the pipeline has none that is known, as a pipeline of text alone.
    """
    names = {key: value[1] for key, value in index.items() if isinstance(value, list) and value[1]}
    candidates = [part] if part else [key for key in DENOISER_PARTS if key in names]
    for key in candidates:
        if names.get(key) in DENOISERS:
            return key
    if part:
        known = ", ".join(key for key, value in names.items() if value in DENOISERS) or "none"
        kind = "folder must hold a pipeline with an image or video denoiser of that name"
        raise ValueError(f"{kind}: part must be a denoiser of the pipeline ({known}), got {part!r}")
    kind = index.get("_class_name", "a pipeline")
    listed = ", ".join(f"{key} ({value})" for key, value in names.items()) or "nothing"
    raise ValueError(f"folder must hold a pipeline with an image or video denoiser, got {kind} with {listed}")


def load_parts(path: str | os.PathLike[str], part: str | None = None, **options: Any) -> Parts:
    """Load denoiser, tokenizer and scheduler in float32, or in the options' `torch_dtype`.

    Args:
        path: folder or Hub id of a pipeline.
        part: name of the denoiser's component, where a pipeline has two ("transformer_2" of Wan 2.2).
        options: of `from_pretrained`, such as `revision` and `torch_dtype`.

    Raises:
        ValueError: a pipeline without a denoiser that is known.
        OSError: a part that is missing or cannot be read.
    """
    index = read_index(path, options.get("revision"))
    key = denoiser_part(index, part)
    options = {"torch_dtype": torch.float32, **options}
    denoiser = _load(path, key, index[key], options)
    vae = _load_tokenizer(path, index, denoiser, options)
    if not _present(index, "scheduler"):
        raise OSError(f"folder must hold scheduler/, which {os.fspath(path)} lacks (expected a saved pipeline)")
    scheduler = _load(path, "scheduler", index["scheduler"], {k: options[k] for k in options if k == "revision"})
    return Parts(denoiser, vae, scheduler, str(index.get("_class_name", "")))


def _load_tokenizer(path: str | os.PathLike[str], index: dict[str, Any], denoiser: Any, options: dict[str, Any]) -> Any:
    for key in TOKENIZER_PARTS:
        if _present(index, key):
            return _load(path, key, index[key], options)
    if denoiser.config.get("in_channels") == 3:
        return None
    raise OSError(
        f"folder must hold vae/, which {os.fspath(path)} lacks: {type(denoiser).__name__} denoises latents, not pixels"
    )


def _present(index: dict[str, Any], key: str) -> bool:
    return isinstance(index.get(key), list) and bool(index[key][1])


def _load(path: str | os.PathLike[str], part: str, entry: list[str], options: dict[str, Any]) -> Any:
    import diffusers

    here = Path(path)
    if here.is_dir() and not (here / part).is_dir():
        raise OSError(f"folder must hold {part}/, which {here} lacks (expected a saved pipeline)")
    found = getattr(diffusers, entry[1], None)
    if found is None:
        raise ValueError(f"{part} must be a class of diffusers, got {'.'.join(map(str, entry))}")
    try:
        return found.from_pretrained(os.fspath(path), subfolder=part, **options)
    except Exception as error:
        lines = str(error).strip().splitlines() or [type(error).__name__]
        raise OSError(f"folder must hold a readable {part}/, got {os.fspath(path)}: {lines[0]}") from error
