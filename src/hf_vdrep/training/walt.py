# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Training the denoiser, as V-WALT (`objective: video`) or as its twin I-WALT (`objective: image`).

Both twins see the same clips in the same order and equally many latent tokens: where V-WALT takes a clip of F latent
frames, I-WALT takes F frames of that clip, each an image with its own noise.
"""

import copy
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import nn

from ..models.scheduler_walt import make_scheduler
from .autoencoder import cache_folder, open_clips, replace_folder
from .config import build_parser, merge_flags, option, read_yaml
from .denoising import DenoisingObjective
from .entry import run_entry
from .latents import LatentPool, open_latents
from .loop import Batch, Run, build, fit, leave, make_accelerator, write_summary
from .loop_config import LoopConfig
from .stream import IndexStream, derive_seed

if TYPE_CHECKING:
    from ..models import AutoencoderWalt, WaltTransformer3DModel

EVAL_TIMESTEPS = (25, 100, 200, 300, 400, 500, 700, 900)


@dataclass
class WaltTrainConfig(LoopConfig):
    """Settings of `train_walt`."""

    output_dir: str = option("runs/walt", "folder for config, log, checkpoints and pipeline/")
    objective: str = option("video", "video: V-WALT; image: I-WALT, its twin", choices=["video", "image"])
    vae: str = option("runs/tokenizer-tiny/vae", "trained tokenizer: folder or Hub id")
    model: dict[str, Any] = field(default_factory=dict, metadata={"help": "arguments of WaltTransformer3DModel"})
    image_fraction: float = option(0.0, "share of a V-WALT batch that is stacks of images instead of clips")
    self_condition_probability: float = option(0.9, "share of samples trained with a first estimate as input")
    resolution: int = option(64, "height and width of the clips, pixels")
    pool_size: int = option(8192, "training clips, encoded once")
    pool_workers: int = option(0, "processes that render the pool; 0 renders in this one")
    cache_dir: str | None = option(None, "where clips and latents live; default: cache/ beside output_dir")
    latents_seed: int = option(0, "picks the frames that are encoded as images")
    train_split: str = option("train", "ProbeWorld split to train on")
    eval_split: str = option("validation", "ProbeWorld split to validate on")
    eval_clips: int = option(128, "held-out clips")
    storage_dtype: str = option("float32", "dtype of the saved weights", choices=["float32", "bfloat16", "float16"])

    def check(self, parts: int = 1) -> None:
        super().check(parts)
        for name in ("image_fraction", "self_condition_probability"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name} must lie in [0, 1], got {getattr(self, name)}")
        if "objective" in self.model:
            raise ValueError("objective must be set beside model, not inside it")


class WaltTask:
    """Batches of latents with their noise, and the v-loss on held-out ones.

    Args:
        config: objective, batch size, seeds.
        pool: training latents.
        held_out: validation latents.
        device: where to validate.
    """

    def __init__(
        self, config: WaltTrainConfig, pool: LatentPool, held_out: LatentPool, device: torch.device | str = "cpu"
    ) -> None:
        self.config, self.pool, self.held_out, self.device = config, pool, held_out, device
        self.stream = IndexStream(len(pool), config.batch_size, seed=config.seed)
        self.scheduler = make_scheduler()

    def batch(self, step: int, part: int, parts: int) -> Batch:
        """See `loop.Task` and `DenoisingObjective`; noise is drawn for the whole batch, then divided."""
        mine = slice(part, None, parts)
        indices = self.stream.indices(step)
        stacks = image_rows(self.config, len(indices))[mine]
        batch: Batch = {"ids": indices[mine].tolist(), "items": len(stacks)}
        drawn = self._draw(step)
        for kind, rows in (("video", ~stacks), ("image", stacks)):
            if rows.any():
                clean = self.pool.video if kind == "video" else self.pool.images
                batch.update(_gather(kind, clean, indices[mine][rows], {k: v[mine][rows] for k, v in drawn.items()}))
        batch["tokens"] = int(np.prod(self.pool.video.shape[2:])) * len(stacks)
        return batch

    def _draw(self, step: int) -> dict[str, np.ndarray]:
        """Noise, timesteps and self-conditioning of every element, as a function of (seed, step).

        Frames of a stack get their own timestep; a clip uses its first.
        """
        rng = np.random.default_rng(derive_seed("noise", self.config.seed, step))
        size, (channels, frames, height, width) = self.config.batch_size, self.pool.video.shape[1:]
        return {
            "timestep": rng.integers(0, len(self.scheduler.alphas_cumprod), size=(size, frames)),
            "self": rng.random((size, frames)) < self.config.self_condition_probability,
            "noise": rng.standard_normal((size, frames, channels, 1, height, width), dtype=np.float32),
        }

    def evaluate(self, model: nn.Module) -> dict[str, float]:
        """Mean v-loss over fixed timesteps and noise, in the model's own objective and at each timestep.

        `v_loss_image` is the loss on single images for either twin, which makes the twins comparable.
        """
        own = self.config.objective
        figures: dict[str, float] = {}
        for kind in dict.fromkeys((own, "image")):
            losses = {timestep: self._loss_at(model, kind, timestep) for timestep in EVAL_TIMESTEPS}
            mean = float(np.mean(list(losses.values())))
            figures["v_loss" if kind == own else f"v_loss_{kind}"] = mean
            if kind == own:
                figures.update({f"v_loss@{timestep}": loss for timestep, loss in losses.items()})
        return figures

    def _loss_at(self, model: Any, kind: str, timestep: int, chunk: int = 128) -> float:
        stored = self.held_out.video if kind == "video" else self.held_out.images
        clean = torch.from_numpy(stored) if kind == "video" else torch.from_numpy(stored).flatten(0, 1)
        rng = torch.Generator().manual_seed(derive_seed("validation", timestep))
        noise = torch.randn(clean.shape, generator=rng)
        objective = DenoisingObjective(model, self.scheduler).eval()
        total = 0.0
        for start in range(0, len(clean), chunk):
            part = {kind: clean[start : start + chunk], f"{kind}_noise": noise[start : start + chunk]}
            part = {name: value.to(self.device) for name, value in part.items()}
            part[f"{kind}_timestep"] = torch.full((len(part[kind]),), timestep, device=self.device)
            total += float(objective.velocity_loss(part, kind)) * len(part[kind])
        return total / len(clean)


def image_rows(config: WaltTrainConfig, size: int) -> np.ndarray:
    """bool (size,): which places of a batch hold stacks of images, spread evenly over the batch."""
    fraction = 1.0 if config.objective == "image" else config.image_fraction
    edges = np.floor(np.arange(size + 1) * fraction + 1e-9)
    return np.diff(edges) > 0


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


def open_pools(config: WaltTrainConfig, vae: "AutoencoderWalt") -> tuple[LatentPool, LatentPool]:
    """Training and held-out latents."""
    folder = cache_folder(config)
    clips = open_clips(config)
    names = (config.train_split, config.eval_split)
    pools = [
        open_latents(vae, part, folder, name=name, seed=config.latents_seed)
        for part, name in zip(clips, names, strict=True)
    ]
    return pools[0], pools[1]


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


def _gather(kind: str, latents: np.ndarray, indices: np.ndarray, drawn: dict[str, np.ndarray]) -> Batch:
    """Clean latents and their draws for one kind; stacks of images are unrolled into single images."""
    clean, noise = torch.from_numpy(latents[indices]), torch.from_numpy(drawn["noise"])
    timestep, chosen = torch.from_numpy(drawn["timestep"]), torch.from_numpy(drawn["self"])
    if kind == "video":
        noise, timestep, chosen = noise.squeeze(3).transpose(1, 2), timestep[:, 0], chosen[:, 0]
    else:
        clean, noise, timestep, chosen = (tensor.flatten(0, 1) for tensor in (clean, noise, timestep, chosen))
    return {kind: clean, f"{kind}_noise": noise, f"{kind}_timestep": timestep, f"{kind}_self": chosen}


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
