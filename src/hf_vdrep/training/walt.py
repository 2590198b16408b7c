# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Training the denoiser, as V-WALT (`objective: video`) or as its twin I-WALT (`objective: image`)."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from ..models.scheduler_walt import make_scheduler
from .autoencoder import replace_folder
from .condition_draws import ConditionDraws
from .conditioned_task import ConditionedTask, step_flops
from .conditions import Told, make_sampler, open_conditions
from .config import build_parser, merge_flags
from .denoising import DenoisingObjective
from .entry import run_entry
from .init_from import start_from
from .latents import LatentPool
from .loop import Run, build, fit, leave, make_accelerator, write_summary
from .lora import add_adapters, merge_adapters, save_adapters
from .run import chosen_copy
from .stream import derive_seed
from .twins import check_identity, check_twin, run_identity, twin_settings, write_identity
from .walt_config import WaltTrainConfig
from .walt_task import WaltTask, open_pools

if TYPE_CHECKING:
    from ..models import AutoencoderWalt, WaltTransformer3DModel


def train_walt(config: WaltTrainConfig) -> dict[str, float]:
    """Train a denoiser on the latents of a frozen tokenizer and save `output_dir/pipeline/` (or `lora/`).

    Returns:
        The final validation figures, which also stand in `summary.json`.

    Raises:
        ValueError: settings that cannot run, or a twin that differs in more than the objective.
    """
    mixed = config.objective == "video" and config.image_fraction > 0
    accelerator = make_accelerator(config, find_unused=mixed)
    config.check(accelerator.num_processes * config.accumulation)
    check_twin(config)
    vae = load_vae(config.vae, accelerator.device)
    with accelerator.main_process_first():
        pool, held_out = open_pools(config, vae)
        told = open_conditions(config, accelerator.device)
    model = build_denoiser(config, pool, told)
    inner = WaltTask(config, pool, held_out, accelerator.device)
    identity = run_identity(config, model, vae, inner)
    check_identity(config, identity)
    task = ConditionedTask(
        inner,
        ConditionDraws(config, told.known, told.encoder),
        make_sampler(config, vae, told),
        step_flops(config, model.config),
    )
    run = build(config, make_objective(config, model), model, accelerator)
    if accelerator.is_main_process:
        write_identity(run.folder, identity)

    def save_results(figures: dict[str, float]) -> None:
        saved = chosen_copy(run)
        if saved is not None:
            finish(run, vae, saved, {**figures, "flops_per_item": task.flops_per_item})

    figures = fit(run, task, save_results, results=_results(config))
    leave(accelerator)
    return figures


def _results(config: WaltTrainConfig) -> list[str]:
    pipeline = ["pipeline"] if config.lora_merge or not config.lora_rank else []
    return ["summary.json", *(["lora"] if config.lora_rank else []), *pipeline]


def make_objective(config: WaltTrainConfig, model: "WaltTransformer3DModel") -> DenoisingObjective:
    """The denoising objective that a config asks for."""
    return DenoisingObjective(
        model,
        make_scheduler(),
        weighting=config.loss_weighting,
        min_snr_gamma=config.min_snr_gamma,
        given_frames_count=config.given_frames_count,
        kinds=("video", "image") if config.objective == "video" and config.image_fraction else (config.objective,),
    )


def load_vae(path: str, device: torch.device | str = "cpu") -> "AutoencoderWalt":
    """The frozen tokenizer, on its own, in a pipeline folder, or of a shipped model.

    Raises:
        ValueError: nothing loadable there, or its config lacks the latents' statistics.
    """
    from ..models import AutoencoderWalt, shipped

    source = str(shipped.path(path)) if path in shipped.names() else path
    if not Path(source).exists() and source.count("/") != 1:  # a Hub id has one
        raise ValueError(
            f"vae must be a trained AutoencoderWalt (folder, Hub id or {' or '.join(shipped.names())}), got {path}: "
            "no such folder; scripts/train_autoencoder.py makes one"
        )
    try:
        inside = "vae" if (Path(source) / "vae").is_dir() else None
        vae = AutoencoderWalt.from_pretrained(source, subfolder=inside)
    except (OSError, ValueError) as error:
        reason = str(error).partition("\n")[0].partition(". ")[0]
        raise ValueError(f"vae must be a trained AutoencoderWalt (folder or Hub id), got {path} ({reason})") from error
    if vae.config.latents_std is None:
        raise ValueError(f"vae must have latents_mean and latents_std in its config, got {path} without them")
    return vae.to(device, memory_format=torch.channels_last_3d).eval().requires_grad_(False)  # type: ignore


def build_denoiser(config: WaltTrainConfig, pool: LatentPool, told: Told | None = None) -> "WaltTransformer3DModel":
    """A denoiser sized to the latents, fresh or from `init_from`, with adapters under LoRA.

    Equal seeds give the twins equal starting weights.
    """
    from ..models import WaltTransformer3DModel

    channels, frames, height, width = pool.video.shape[1:]
    sizes = {
        "in_channels": channels,
        "sample_frames": frames,
        "sample_size": height if height == width else [height, width],
    }
    asked = {**(told.model_arguments() if told else {}), **config.model}
    if config.frame_prediction_probability:
        asked.setdefault("frame_conditioning", True)
    torch.manual_seed(derive_seed("weights", config.seed))
    if config.init_from is None:
        return WaltTransformer3DModel(**{**sizes, **asked}, objective=config.objective)  # type: ignore[arg-type]
    model = start_from(config.init_from, config.objective, asked, sizes, frozen=bool(config.lora_rank))
    if config.lora_rank:
        add_adapters(model, config.lora_rank, alpha=config.lora_alpha, targets=config.lora_targets)
    return model


def finish(run: Run, vae: "AutoencoderWalt", saved: Any, figures: dict[str, float]) -> None:
    """Save the chosen weights as a pipeline folder or adapters, the figures and the loss curves."""
    from .plots import plot_levels, plot_log

    config: Any = run.config
    dtype = getattr(torch, config.storage_dtype)
    write_summary(run.folder, {**summarise(run, saved.eval()), **figures})
    if config.lora_rank:
        replace_folder(run.folder / "lora", lambda path: save_adapters(saved, path, dtype))
        saved = merge_adapters(saved) if config.lora_merge else saved
    if config.lora_merge or not config.lora_rank:
        # Not diffusers' own `to`, which warns of an empty list of layers that are to stay float32.
        torch.nn.Module.to(saved, dtype)
        replace_folder(run.folder / "pipeline", lambda path: save_pipeline(path, vae, saved))
    title = "V-WALT" if config.objective == "video" else "I-WALT"
    plot_log(run.folder / "log.jsonl", run.folder / "loss.png", title=title)
    plot_levels(run.folder / "log.jsonl", run.folder / "levels.png", title=title)


def summarise(run: Run, model: "WaltTransformer3DModel") -> dict[str, Any]:
    """What a run was and what it cost."""
    config: Any = run.config
    parameters = sum(parameter.numel() for parameter in model.parameters())
    trained = sum(parameter.numel() for parameter in model.parameters() if parameter.requires_grad)
    counts = {"steps": run.step, "clips": run.items, "tokens": run.tokens, "seconds": round(run.seconds, 1)}
    start = {"twin_of": config.twin_of, "init_from": config.init_from}
    flops = {"flops": run.items * step_flops(config, model.config)}
    return {
        "objective": config.objective,
        **{name: value for name, value in start.items() if value},
        "parameters": parameters,
        "trained_parameters": trained,
        **counts,
        **flops,
    }


def save_pipeline(folder: Path, vae: "AutoencoderWalt", transformer: "WaltTransformer3DModel") -> None:
    """Write tokenizer, denoiser and noise schedule as a `WaltPipeline` folder."""
    from ..models import WaltPipeline

    WaltPipeline(vae=vae, transformer=transformer, scheduler=make_scheduler()).save_pretrained(folder)


def parse(argv: Sequence[str]) -> WaltTrainConfig:
    """Command line -> config; `--twin-of RUN` lays the other flags over RUN's settings with the objective flipped."""
    parser = build_parser(WaltTrainConfig, description="Train V-WALT or I-WALT.")
    given = vars(parser.parse_args(argv))
    twin = given.get("twin_of")
    return merge_flags(WaltTrainConfig, given, twin_settings(twin) if twin else None)


def main(argv: Sequence[str] | None = None) -> int:
    """Command line of `scripts/train_walt.py`."""
    return run_entry(train_walt, parse, argv)
