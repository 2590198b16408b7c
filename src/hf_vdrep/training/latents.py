# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Normalised latents of a clip pool, encoded once and shared by the twins that train on them."""

import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from tqdm.auto import tqdm

from .disk_arrays import new_array
from .pixels import to_pixel_values
from .stream import derive_seed

if TYPE_CHECKING:
    from ..models import AutoencoderWalt


@dataclass(frozen=True)
class LatentPool:
    """Latents of N clips.

    Attributes:
        video: float32 (N, c, F, h, w), each clip encoded whole.
        images: float32 (N, F, c, 1, h, w), F random frames of each clip, every one encoded alone.
    """

    video: np.ndarray
    images: np.ndarray

    def __len__(self) -> int:
        return len(self.video)


def open_latents(
    vae: "AutoencoderWalt", clips: np.ndarray, folder: Path, *, name: str, seed: int, batch_size: int = 16
) -> LatentPool:
    """The latents of `clips` under `vae`, from `folder` if they are there, else encoded and kept.

    Files are named by a hash of the tokenizer's weights and config, of the pool and of the seed, so a stale cache is
    never read. F random frames per clip are as many as the clip's latent frames, so that a clip and its stack of
    images hold the same number of tokens.

    Args:
        vae: frozen tokenizer, whose config holds the latents' statistics.
        clips: uint8 (N, T, H, W, 3).
        folder: where latents live.
        name: for humans, e.g. the split.
        seed: with the clip's index, picks the frames encoded alone.
        batch_size: clips at a time.
    """
    key = latents_key(vae, clips, seed)
    paths = [folder / f"latents-{name}-{len(clips)}-{key}-{kind}.npy" for kind in ("video", "images")]
    if not all(path.exists() for path in paths):
        folder.mkdir(parents=True, exist_ok=True)
        temporaries = [path.with_name(f".{path.name}.{os.getpid()}") for path in paths]
        try:
            _encode(vae, clips, temporaries, seed, batch_size)
            for temporary, path in zip(temporaries, paths, strict=True):
                os.replace(temporary, path)
        finally:
            for temporary in temporaries:
                temporary.unlink(missing_ok=True)
    # Small next to the clips (20 KiB each): held in memory.
    return LatentPool(np.load(paths[0]), np.load(paths[1]))


def latents_key(vae: Any, clips: np.ndarray, seed: int) -> str:
    """Ten hex digits of everything the latents depend on; the pool is sampled, not read whole."""
    digest = hashlib.sha256()
    for weight_name, value in sorted(vae.state_dict().items()):
        digest.update(weight_name.encode() + value.detach().cpu().float().contiguous().numpy().tobytes())
    config = {k: v for k, v in dict(vae.config).items() if not k.startswith("_")}
    digest.update(json.dumps([config, list(clips.shape), seed], default=str, sort_keys=True).encode())
    for index in np.linspace(0, len(clips) - 1, min(len(clips), 32)).astype(int):
        digest.update(np.ascontiguousarray(clips[index]).tobytes())
    return digest.hexdigest()[:10]


def random_frames(seed: int, index: int, *, frames: int, count: int) -> np.ndarray:
    """int64 (count,): distinct frames of clip `index`, a function of (seed, index) alone."""
    rng = np.random.default_rng(derive_seed("frames", seed, index))
    return rng.choice(frames, size=count, replace=count > frames)


@torch.no_grad()
def _encode(vae: "AutoencoderWalt", clips: np.ndarray, paths: list[Path], seed: int, batch_size: int) -> None:
    device = next(vae.parameters()).device
    vae.eval()
    quiet = os.environ.get("HF_HUB_DISABLE_PROGRESS_BARS", "").upper() in {"1", "ON", "YES", "TRUE"}
    stores: list[np.memmap] = []
    with tqdm(total=len(clips), desc="encoding clips", unit="clip", disable=quiet) as bar:
        for start in range(0, len(clips), batch_size):
            batch = torch.from_numpy(np.array(clips[start : start + batch_size]))
            video = vae.normalize(vae.encode(to_pixel_values(batch.to(device))).latent_dist.mode())
            singles = _single_frames(batch, start, seed, count=video.shape[2]).to(device)
            images = vae.normalize(vae.encode(to_pixel_values(singles)).latent_dist.mode())
            pair = (video, images.unflatten(0, (len(batch), video.shape[2])))
            if not stores:
                shapes = [(len(clips), *part.shape[1:]) for part in pair]
                stores = [new_array(path, np.float32, shape) for path, shape in zip(paths, shapes, strict=True)]
            for store, part in zip(stores, pair, strict=True):
                store[start : start + len(batch)] = part.float().cpu().numpy()
            bar.update(len(batch))
    for store in stores:
        store.flush()


def _single_frames(batch: torch.Tensor, start: int, seed: int, *, count: int) -> torch.Tensor:
    chosen = [random_frames(seed, start + i, frames=batch.shape[1], count=count) for i in range(len(batch))]
    rows = torch.arange(len(batch)).repeat_interleave(count)
    return batch[rows, torch.from_numpy(np.concatenate(chosen))].unsqueeze(1)
