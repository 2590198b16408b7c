# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Opening the parts of a WALT pipeline folder."""

import os
from pathlib import Path
from typing import Any

import torch
from diffusers import DDIMScheduler
from safetensors import SafetensorError

from ..models.autoencoder_walt import AutoencoderWalt
from ..models.folder import read_json
from ..models.scheduler_walt import make_scheduler
from ..models.transformer_walt import WaltTransformer3DModel


def load_vae(folder: str | os.PathLike[str]) -> AutoencoderWalt:
    """The tokenizer in `folder`/vae, float32, in eval mode."""
    return _load(AutoencoderWalt, folder, "vae")


def load_transformer(folder: str | os.PathLike[str]) -> WaltTransformer3DModel:
    """The denoiser in `folder`/transformer, float32, in eval mode."""
    return _load(WaltTransformer3DModel, folder, "transformer")


def load_scheduler(folder: str | os.PathLike[str]) -> DDIMScheduler:
    """The scheduler in `folder`/scheduler, or WALT's own where the folder has none."""
    if Path(folder).is_dir() and not (Path(folder) / "scheduler").is_dir():
        return make_scheduler()
    return DDIMScheduler.from_pretrained(folder, subfolder="scheduler")


def _load(cls: type, folder: str | os.PathLike[str], part: str) -> Any:
    here = Path(folder)
    if here.exists() and not (here / part).is_dir():
        raise FileNotFoundError(f"folder must hold {part}/, which {here} lacks (expected a saved WALT pipeline)")
    if here.exists():
        # Without it diffusers would take the root's config.json, which belongs to transformers.
        read_json(here / part / "config.json")
    try:
        model = cls.from_pretrained(  # type: ignore[attr-defined]
            folder, subfolder=part, torch_dtype=torch.float32, use_safetensors=True, low_cpu_mem_usage=False
        )
    except (OSError, SafetensorError, ValueError, RuntimeError) as error:
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise OSError(f"folder must hold a readable {part}/ of a WALT pipeline, got {folder}: {reason}") from error
    return model.eval().requires_grad_(False)
