# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""A tiny V-WALT, a counted source of clips, and extraction in processes of their own."""

import multiprocessing
import os
import threading
from collections.abc import Sequence
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any

import torch
from tqdm.auto import tqdm

from hf_vdrep.backbones import WaltBackbone
from hf_vdrep.backbones.random_init import randomize
from hf_vdrep.features import cell, extract_features
from hf_vdrep.models import AutoencoderWalt, WaltTransformer3DModel

# The server imports torch once and computes nothing, so its children start in milliseconds.
PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload(
    ["hf_vdrep.features.extract", "hf_vdrep.models.autoencoder_walt", "hf_vdrep.models.transformer_walt"]
)


class Clips:
    """Clips of 5 frames at 16x16, and the positions that were read."""

    def __init__(self, number: int = 10) -> None:
        generator = torch.Generator().manual_seed(2)
        self.pixels = torch.randint(0, 256, (number, 5, 16, 16, 3), dtype=torch.uint8, generator=generator)
        self.ids = [f"train-{index}" for index in range(number)]
        self.read: list[int] = []

    def __call__(self, positions: Sequence[int]) -> torch.Tensor:
        self.read += positions
        return self.pixels[list(positions)]


def tiny_backbone() -> WaltBackbone:
    """The same weights every time."""
    torch.manual_seed(0)
    vae = AutoencoderWalt(
        latent_channels=4,
        block_out_channels=(8, 8, 8, 8),
        layers_per_block=0,
        mid_block_layers=1,
        norm_num_groups=4,
    )
    transformer = WaltTransformer3DModel(
        in_channels=4,
        num_layers=4,
        num_attention_heads=2,
        attention_head_dim=8,
        sample_frames=2,
        sample_size=2,
        spatial_window=(2, 2),
        spatiotemporal_window=(2, 2),
    )
    return WaltBackbone(vae, randomize(transformer))


def extract_apart(
    cache_dir: Path,
    env: dict[str, str],
    begin: Connection | None = None,
    patience_s: float = cell.PATIENCE_S,
    **choices: Any,
) -> None:
    """Extraction as a process of its own runs it; `begin` hears when the model is built."""
    torch.set_num_threads(1)
    cell.PATIENCE_S = patience_s
    os.environ.update(env)
    tqdm.set_lock(threading.RLock())  # its own lock is a semaphore that a killed process would leave behind
    clips, backbone = Clips(12), tiny_backbone()
    options: dict[str, Any] = {"layers": [0, 2], "timesteps": [0, 200], "batch_size": 2, "shard_size": 2, **choices}
    ready = {"dtype": "float32", "autocast_dtype": None, "progress": False, "data_fingerprint": "clips"}
    if begin is not None:
        begin.send(True)
    extract_features(backbone, clips, clips.ids, cache_dir=cache_dir, **ready, **options)


def start(
    cache_dir: Path, env: dict[str, str] | None = None, begin: Connection | None = None, **choices: Any
) -> ForkServerProcess:
    """Begin `extract_apart` in another process."""
    process = PROCESSES.Process(target=extract_apart, args=(cache_dir, env or {}, begin), kwargs=choices)
    process.start()
    return process


def shard_bytes(cache_dir: Path) -> dict[Path, bytes]:
    """Every shard that has its name, and its content."""
    return {path.relative_to(cache_dir): path.read_bytes() for path in sorted(cache_dir.rglob("shard-*.safetensors"))}
