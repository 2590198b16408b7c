# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Batches of latents for the twins: both see the same clips in the same order and equally many latent tokens.

Where V-WALT takes a clip of F latent frames, I-WALT takes F frames of that clip, each an image with its own noise.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import nn

from ..models.scheduler_walt import make_scheduler
from .autoencoder import cache_folder, open_clips
from .data_feed import merge_positions
from .denoising import DenoisingObjective
from .latent_batches import CleanLatents, LatentSource
from .latent_encoding import Encoder
from .latent_stream import HeldOutLatents, StreamLatents
from .latents import LatentPool, open_latents
from .loop import Batch
from .stream import IndexStream, derive_seed
from .walt_config import WaltTrainConfig

if TYPE_CHECKING:
    from ..models import AutoencoderWalt

EVAL_TIMESTEPS = (25, 100, 200, 300, 400, 500, 700, 900)


class WaltTask:
    """Batches of latents with their noise, and the v-loss on held-out ones.

    Args:
        config: objective, batch size, seeds.
        pool: training latents: a pool, a stream or a cache.
        held_out: validation latents.
        device: where to validate.
    """

    def __init__(
        self,
        config: WaltTrainConfig,
        pool: "LatentPool | LatentSource",
        held_out: "LatentPool | HeldOutLatents",
        device: torch.device | str = "cpu",
    ) -> None:
        self.config, self.pool, self.held_out, self.device = config, pool, held_out, device
        self.source: LatentSource = PoolLatents(config, pool) if isinstance(pool, LatentPool) else pool
        self.scheduler = make_scheduler()

    def batch(self, step: int, part: int, parts: int) -> Batch:
        """See `loop.Task` and `DenoisingObjective`; noise is drawn for the whole batch, then divided."""
        mine, clean = slice(part, None, parts), self.source.draw(step, part, parts)
        stacks = clean.stacks
        batch: Batch = {"ids": clean.ids, "items": len(stacks), **clean.extra}
        drawn = self._draw(step)
        for kind, rows in (("video", ~stacks), ("image", stacks)):
            if rows.any():
                latents = clean.video if kind == "video" else clean.images
                batch.update(_gather(kind, latents, {k: v[mine][rows] for k, v in drawn.items()}))
        batch["tokens"] = int(np.prod(self.source.shape[1:])) * len(stacks)
        return batch

    def seek(self, position: Mapping[str, Any]) -> None:
        """Go on after a batch's `position`; pools and caches have none, since they are read at random."""
        if isinstance(self.source, StreamLatents):
            self.source.seek(position)

    def merge_positions(self, positions: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        """The positions of all processes as one, which `seek` takes whatever their number is now."""
        return merge_positions(positions)

    def fingerprint(self) -> str | None:
        """Of the training data, which twins share; None for a pool, whose latents speak for themselves."""
        return self.source.fingerprint()

    def _draw(self, step: int) -> dict[str, np.ndarray]:
        """Noise, timesteps and self-conditioning of every element, as a function of (seed, step).

        Frames of a stack get their own timestep; a clip uses its first.
        """
        rng = np.random.default_rng(derive_seed("noise", self.config.seed, step))
        size, (channels, frames, height, width) = self.config.batch_size, self.source.shape
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


class PoolLatents:
    """Places of a batch out of a pool, shuffled anew in every epoch.

    Args:
        config: objective, batch size, seed, share of images.
        pool: the latents.
    """

    def __init__(self, config: WaltTrainConfig, pool: LatentPool) -> None:
        self.config, self.pool = config, pool
        self.shape = pool.video.shape[1:]
        self.stream = IndexStream(len(pool), config.batch_size, seed=config.seed)

    def fingerprint(self) -> None:
        """See `LatentSource`."""
        return None

    def draw(self, step: int, part: int, parts: int) -> CleanLatents:
        """See `LatentSource`."""
        indices = self.stream.indices(step)
        stacks = image_rows(self.config, len(indices))[part::parts]
        indices = indices[part::parts]
        video, images = self.pool.video[indices[~stacks]], self.pool.images[indices[stacks]]
        return CleanLatents(indices.tolist(), stacks, video, images)


def open_pools(config: WaltTrainConfig, vae: "AutoencoderWalt") -> tuple[Any, Any]:
    """Training and held-out latents: ProbeWorld's pool, or a stream, encoded as it comes or once for all.

    Returns:
        A `LatentPool` or `LatentSource`, and a `LatentPool` or `HeldOutLatents`, as `WaltTask` takes them.

    Raises:
        ValueError: the data cannot be opened.
    """
    if not config.pooled:
        return _open_streams(config, vae)
    folder = cache_folder(config)
    clips = open_clips(config)
    names = (config.train_split, config.eval_split)
    pools = [
        open_latents(vae, part, folder, name=name, seed=config.latents_seed)
        for part, name in zip(clips, names, strict=True)
    ]
    return pools[0], pools[1]


def _open_streams(config: WaltTrainConfig, vae: "AutoencoderWalt") -> tuple["LatentSource", "HeldOutLatents"]:
    if config.only_pictures and config.objective == "video":
        raise ValueError("objective must be image where image_fraction is 1, got video")
    if config.image_data and config.condition != "none":
        # A place of pictures holds F of them, and one condition.
        raise ValueError(f"condition must be none where image_data is mixed in, got {config.condition}")
    encoder = Encoder(vae, config.resolution, config.num_frames, seed=config.latents_seed)
    source: LatentSource
    if config.latent_cache:
        from .latent_cache import CachedLatents

        source = CachedLatents(config, vae, cache_folder(config))
    else:
        source = StreamLatents(config, vae)
    return source, HeldOutLatents(config, encoder)


def _gather(kind: str, latents: np.ndarray, drawn: dict[str, np.ndarray]) -> Batch:
    """Clean latents and their draws for one kind; stacks of images are unrolled into single images."""
    clean, noise = torch.from_numpy(latents), torch.from_numpy(drawn["noise"])
    timestep, chosen = torch.from_numpy(drawn["timestep"]), torch.from_numpy(drawn["self"])
    if kind == "video":
        noise, timestep, chosen = noise.squeeze(3).transpose(1, 2), timestep[:, 0], chosen[:, 0]
    else:
        clean, noise, timestep, chosen = (tensor.flatten(0, 1) for tensor in (clean, noise, timestep, chosen))
    return {kind: clean, f"{kind}_noise": noise, f"{kind}_timestep": timestep, f"{kind}_self": chosen}
