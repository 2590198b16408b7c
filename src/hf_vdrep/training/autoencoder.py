# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Training the tokenizer on clips and single frames (WALT §3, §4.1)."""

import os
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import nn

from .autoencoder_batches import draw_crops, measure_psnr
from .autoencoder_config import AutoencoderTrainConfig
from .autoencoder_objective import ReconstructionObjective
from .autoencoder_parts import build_autoencoder, make_adversary, make_perceptual
from .config import parse_config
from .entry import run_entry
from .loop import Batch, Run, build, chosen_copy, fit, leave, make_accelerator, write_summary
from .pixels import to_pixel_values
from .pool import open_pool
from .stream import IndexStream, derive_seed

if TYPE_CHECKING:
    from ..models import AutoencoderWalt
    from .autoencoder_stream import StreamTask


class AutoencoderTask:
    """Batches of cropped clips, and PSNR on held-out ones.

    Args:
        config: lengths, batch size and seed.
        pool: uint8 (N, T, H, W, 3) training clips.
        held_out: uint8 (M, T, H, W, 3) validation clips.
        device: where to validate.
    """

    def __init__(
        self, config: AutoencoderTrainConfig, pool: np.ndarray, held_out: np.ndarray, device: torch.device | str = "cpu"
    ) -> None:
        self.config, self.pool, self.held_out, self.device = config, pool, held_out, device
        self.stream = IndexStream(len(pool), config.batch_size, seed=config.seed)
        if max(config.lengths) > pool.shape[1]:
            raise ValueError(f"lengths must not exceed the clips' {pool.shape[1]} frames, got {config.lengths}")

    def batch(self, step: int, part: int, parts: int) -> Batch:
        """See `loop.Task`: `video` uint8 (B, L, H, W, 3), L and the crops drawn by (seed, step)."""
        length, starts = draw_crops(self.config, step, self.pool.shape[1])
        indices = self.stream.indices(step)[part::parts]
        clips = [self.pool[i, s : s + length] for i, s in zip(indices, starts[part::parts], strict=True)]
        return {"video": torch.from_numpy(np.stack(clips)), "ids": indices.tolist(), "items": len(indices)}

    def evaluate(self, model: nn.Module) -> dict[str, float]:
        """See `measure_psnr`."""
        return measure_psnr(model, self.held_out, self.device)

    def statistics_clips(self) -> np.ndarray:
        """uint8 (n, T, H, W, 3): the clips behind `latents_mean` and `latents_std`."""
        return self.pool[: self.config.stats_clips]


def train_autoencoder(config: AutoencoderTrainConfig) -> dict[str, float]:
    """Train a tokenizer and save `output_dir/vae/`.

    Returns:
        The final validation figures, which also stand in `summary.json`.
    """
    accelerator = make_accelerator(config)
    config.check(accelerator.num_processes * config.accumulation)
    with accelerator.main_process_first():
        task = open_task(config, accelerator.device)
    with accelerator.main_process_first():
        model, perceptual = build_autoencoder(config), make_perceptual(config)
    adversary = make_adversary(config, accelerator)
    objective = ReconstructionObjective(
        model,
        config.l1_weight,
        config.l2_weight,
        perceptual=perceptual,
        perceptual_weight=config.perceptual_weight,
        adversary=adversary,
        adversarial_weight=config.adversarial_weight,
    )
    run = build(config, objective, model, accelerator, companion=adversary)

    def save_results(figures: dict[str, float]) -> None:
        saved = chosen_copy(run)
        if saved is not None:
            finish(run, saved, task.statistics_clips, figures)

    figures = fit(run, task, save_results, results=("summary.json", "vae"))
    leave(accelerator)
    return figures


def open_task(config: AutoencoderTrainConfig, device: torch.device | str) -> "AutoencoderTask | StreamTask":
    """Batches from ProbeWorld's pool, or from a stream.

    Raises:
        ValueError: the data cannot be opened, or is too short for `lengths`.
    """
    if config.pooled:
        return AutoencoderTask(config, *open_clips(config), device)
    from .autoencoder_stream import StreamTask

    return StreamTask(config, device)


def open_clips(config: Any) -> tuple[np.ndarray, np.ndarray]:
    """The training pool and the held-out clips a config asks for."""
    from ..data.probeworld import ProbeWorld, ProbeWorldConfig

    folder = cache_folder(config)
    pools = []
    for split, size in ((config.train_split, config.pool_size), (config.eval_split, config.eval_clips)):
        world = ProbeWorld(split, size, ProbeWorldConfig(resolution=config.resolution))
        pools.append(open_pool(world, size, folder, name=split, workers=config.pool_workers))
    return pools[0], pools[1]


def cache_folder(config: Any) -> Path:
    """Where rendered clips and latents live: shared by the runs beside each other unless `cache_dir` says otherwise."""
    return Path(config.cache_dir) if config.cache_dir else Path(config.output_dir).parent / "cache"


def finish(run: Run, saved: Any, clips: Callable[[], np.ndarray], figures: dict[str, float]) -> None:
    """Measure the latents of `clips()`, save the chosen weights, the figures and the loss curve.

    Args:
        run: the training.
        saved: of `chosen_copy`; its config gets the latents' statistics.
        clips: uint8 (N, T, H, W, 3).
        figures: of the last validation.
    """
    from .plots import plot_log

    config: Any = run.config
    saved.eval()
    mean, std = saved.config.latents_mean, saved.config.latents_std
    if config.train_only != "decoder":
        mean, std = latent_statistics(saved, clips(), seed=config.seed)
        saved.register_to_config(latents_mean=mean, latents_std=std)
    parameters = sum(parameter.numel() for parameter in saved.parameters())
    # Not diffusers' own `to`, which warns of an empty list of layers that are to stay float32.
    nn.Module.to(saved, getattr(torch, config.storage_dtype))
    replace_folder(run.folder / "vae", saved.save_pretrained)
    counts = {"parameters": parameters, "steps": run.step, "clips": run.items, "seconds": round(run.seconds, 1)}
    write_summary(run.folder, {**counts, **figures, "latents_mean": mean, "latents_std": std})
    plot_log(run.folder / "log.jsonl", run.folder / "loss.png", title="Tokenizer")


@torch.no_grad()
def latent_statistics(
    model: "AutoencoderWalt", clips: np.ndarray, *, seed: int, batch_size: int = 16
) -> tuple[list[float], list[float]]:
    """Per-channel mean and standard deviation of raw latents, clips and single frames counting equally.

    Args:
        model: in eval mode.
        clips: uint8 (N, T, H, W, 3).
        seed: picks the one frame of each clip that is encoded as an image.
        batch_size: clips at a time.

    Returns:
        (mean, std), each of length c.
    """
    device = next(model.parameters()).device
    frames = np.random.default_rng(derive_seed("statistics", seed)).integers(0, clips.shape[1], size=len(clips))
    moments = []
    for start in range(0, len(clips), batch_size):
        pixels = to_pixel_values(torch.from_numpy(np.array(clips[start : start + batch_size])).to(device))
        chosen = torch.from_numpy(frames[start : start + batch_size]).to(device)
        single = pixels[torch.arange(len(pixels), device=device), :, chosen].unsqueeze(2)
        for part in (pixels, single):
            latents = model.encode(part).latent_dist.mode().double()
            moments.append(torch.stack([latents.mean((2, 3, 4)), latents.square().mean((2, 3, 4))]).cpu())
    first, second = torch.cat(moments, dim=1).mean(1)
    return first.tolist(), (second - first.square()).clamp_min(1e-12).sqrt().tolist()


def replace_folder(folder: Path, write: Any) -> None:
    """Let `write(path)` fill a temporary folder, then put it in the place of `folder`."""
    aside, old = folder.with_name(f".{folder.name}.part"), folder.with_name(f".{folder.name}.old")
    for leftover in (aside, old):
        shutil.rmtree(leftover, ignore_errors=True)
    try:
        write(aside)
    except BaseException:
        shutil.rmtree(aside, ignore_errors=True)
        raise
    if folder.exists():
        os.replace(folder, old)
    os.replace(aside, folder)
    shutil.rmtree(old, ignore_errors=True)


def main(argv: Sequence[str] | None = None) -> int:
    """Command line of `scripts/train_autoencoder.py`."""
    description = "Train the WALT tokenizer."
    return run_entry(
        train_autoencoder, lambda args: parse_config(AutoencoderTrainConfig, args, description=description), argv
    )
