# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Training the denoiser, as V-WALT (`objective: video`) or as its twin I-WALT (`objective: image`)."""

import copy
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from ..models.scheduler_walt import make_scheduler
from .autoencoder import replace_folder
from .config import build_parser, merge_flags, read_yaml
from .denoising import DenoisingObjective
from .entry import run_entry
from .latents import LatentPool
from .loop import Run, build, fit, leave, make_accelerator, write_summary
from .stream import derive_seed
from .walt_config import WaltTrainConfig
from .walt_task import WaltTask, open_pools

if TYPE_CHECKING:
    from ..models import AutoencoderWalt, WaltTransformer3DModel


def train_walt(config: WaltTrainConfig) -> dict[str, float]:
    """Train a denoiser on the latents of a frozen tokenizer and save `output_dir/pipeline/`.

    Returns:
        The final validation figures, which also stand in `summary.json`.
    """
    mixed = config.objective == "video" and config.image_fraction > 0
    accelerator = make_accelerator(config, find_unused=mixed)
    config.check(accelerator.num_processes * config.accumulation)
    vae = load_vae(config.vae, accelerator.device)
    with accelerator.main_process_first():
        pool, held_out = open_pools(config, vae)
    model = build_denoiser(config, pool)
    run = build(config, DenoisingObjective(model, make_scheduler()), model, accelerator)
    figures = fit(run, WaltTask(config, pool, held_out, accelerator.device))
    if accelerator.is_main_process:
        finish(run, vae, model, figures)
    leave(accelerator)
    return figures


def load_vae(path: str, device: torch.device | str = "cpu") -> "AutoencoderWalt":
    """The frozen tokenizer.

    Raises:
        ValueError: nothing loadable there, or its config lacks the latents' statistics.
    """
    from ..models import AutoencoderWalt

    try:
        vae = AutoencoderWalt.from_pretrained(path)
    except (OSError, ValueError) as error:
        reason = str(error).partition("\n")[0].partition(". ")[0]
        raise ValueError(f"vae must be a trained AutoencoderWalt (folder or Hub id), got {path} ({reason})") from error
    if vae.config.latents_std is None:
        raise ValueError(f"vae must have latents_mean and latents_std in its config, got {path} without them")
    return vae.to(device, memory_format=torch.channels_last_3d).eval().requires_grad_(False)  # type: ignore


def build_denoiser(config: WaltTrainConfig, pool: LatentPool) -> "WaltTransformer3DModel":
    """A fresh denoiser sized to the latents; equal seeds give the twins equal starting weights."""
    from ..models import WaltTransformer3DModel

    channels, frames, height, _ = pool.video.shape[1:]
    sizes = {"in_channels": channels, "sample_frames": frames, "sample_size": height}
    torch.manual_seed(derive_seed("weights", config.seed))
    return WaltTransformer3DModel(**{**sizes, **config.model}, objective=config.objective)  # type: ignore[arg-type]


def finish(run: Run, vae: "AutoencoderWalt", model: "WaltTransformer3DModel", figures: dict[str, float]) -> None:
    """Save the averaged weights as a pipeline folder, the figures and the loss curve."""
    from .plots import plot_log

    config: Any = run.config
    with run.ema.applied(model):
        saved = copy.deepcopy(model).eval().to(getattr(torch, config.storage_dtype))
    replace_folder(run.folder / "pipeline", lambda path: save_pipeline(path, vae, saved))
    counts = {"steps": run.step, "clips": run.items, "tokens": run.tokens, "seconds": round(run.seconds, 1)}
    parameters = sum(parameter.numel() for parameter in model.parameters())
    write_summary(run.folder, {"objective": config.objective, "parameters": parameters, **counts, **figures})
    title = "V-WALT" if config.objective == "video" else "I-WALT"
    plot_log(run.folder / "log.jsonl", run.folder / "loss.png", title=title)


def save_pipeline(folder: Path, vae: "AutoencoderWalt", transformer: "WaltTransformer3DModel") -> None:
    """Write tokenizer, denoiser and noise schedule as a `WaltPipeline` folder."""
    from ..models import WaltPipeline

    WaltPipeline(vae=vae, transformer=transformer, scheduler=make_scheduler()).save_pretrained(folder)


def twin_settings(run: str | os.PathLike) -> dict[str, Any]:
    """The settings of a run with the objective flipped; the output folder is renamed to match.

    Raises:
        ValueError: no config there.
    """
    path = Path(run) / "config.yaml" if Path(run).is_dir() else Path(run)
    settings = read_yaml(path)
    flipped = "image" if settings.get("objective", "video") == "video" else "video"
    return {**settings, "objective": flipped, "output_dir": _twin_folder(settings.get("output_dir", str(path.parent)))}


def _twin_folder(folder: str) -> str:
    path = Path(folder)
    for mine, other in (("v-walt", "i-walt"), ("i-walt", "v-walt")):
        if mine in path.name:
            return str(path.with_name(path.name.replace(mine, other, 1)))
    return str(path.with_name(path.name + "-twin"))


def parse(argv: Sequence[str]) -> WaltTrainConfig:
    """Command line -> config, including `--twin-of RUN`."""
    parser = build_parser(WaltTrainConfig, description="Train V-WALT or I-WALT on ProbeWorld latents.")
    parser.add_argument("--twin-of", metavar="RUN", help="RUN's settings (folder or YAML file), objective flipped")
    given = vars(parser.parse_args(argv))
    twin = given.pop("twin_of", None)
    return merge_flags(WaltTrainConfig, given, twin_settings(twin) if twin else None)


def main(argv: Sequence[str] | None = None) -> int:
    """Command line of `scripts/train_walt.py`."""
    return run_entry(train_walt, parse, argv)
