# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Generation quality in one call."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from .distances import distances
from .drawing import GeneratedSet, open_pipeline
from .embedding import embed
from .networks import FeatureNetwork, open_network
from .sets import ClipSet, FolderSet, WorldSet

NUM, STEPS = 256, 20


def measure(
    pipeline: Any,
    kind: str = "image",
    network: str = "probeworld",
    num: int = NUM,
    seed: int = 0,
    steps: int = STEPS,
    *,
    real: str | Path = "probeworld",
    split: str = "test",
    labels: int | str | None = None,
    prompts: Sequence[str] = (),
    guidance_scale: float | None = None,
    cache_dir: str | Path | None = None,
    progress: Callable[[int], object] | None = None,
) -> dict[str, Any]:
    """How far what a pipeline generates is from what is real.

    The floor is the same distance between two real sets of the same size: what a perfect generator would get with so
    few samples. With 256 samples and 20 steps the shipped twins take, on one CPU core, about half a minute for images
    and one and a half for videos; the real sets take another once for all measurements of a process or `cache_dir`.

    Args:
        pipeline: a pipeline; its name or folder; or the folder of images or videos made elsewhere.
        kind: "image" or "video".
        network: "probeworld", "pixels", or whatever `open_backbone` takes.
        num: samples a side; a real folder is halved, one half for the floor.
        seed: of the samples.
        steps: denoising steps.
        real: "probeworld", or a folder of photos or videos.
        split: of ProbeWorld.
        labels, prompts, guidance_scale: conditions, as of `GeneratedSet`.
        cache_dir: keeps samples and features, by content, so that a stopped run goes on; None keeps nothing.
        progress: called with the number of clips done; `work` counts them.

    Returns:
        `frechet_distance`, `kernel_distance`, `precision`, `recall`: each {"value", "low", "high"} with a 95 %
        interval; `floor`: the same of real against real; `kind`, `network`, `real`, `model`, `num`, `num_real`,
        `steps`, `seed`, `seconds`.

    Raises:
        ValueError: a name, number or combination that is not possible.
    """
    if num < 20:
        raise ValueError(f"num must be at least 20, got {num}")
    started = time.perf_counter()
    trunk = shared_network(network)
    generated = generated_set(
        pipeline, kind, num, seed=seed, steps=steps, labels=labels, prompts=prompts, guidance_scale=guidance_scale,
        cache_dir=cache_dir,
    )  # fmt: skip
    vectors = embed(generated, trunk, cache_dir=cache_dir, progress=progress)
    truth, floor = _real(str(real), kind, split, generated.size, generated.shape, network, cache_dir, progress)
    return {
        "model": generated.name,
        "kind": kind,
        "network": network,
        "real": "probeworld" if str(real) == "probeworld" else Path(real).name,
        "num": len(vectors),
        "num_real": len(truth),
        "seed": seed,
        "steps": steps,
        **distances(vectors, truth),
        "floor": distances(floor, truth),
        "seconds": round(time.perf_counter() - started, 1),
    }


def work(num: int) -> int:
    """Clips that `measure` reports to `progress` when the real sets are not known yet."""
    return 3 * num


def generated_set(pipeline: Any, kind: str, num: int, **options: Any) -> ClipSet:
    """The set that `pipeline` stands for: a live pipeline, a name, a saved pipeline's folder, or a folder of media."""
    if not isinstance(pipeline, str | Path):
        return GeneratedSet(pipeline, kind, num, **options)
    folder = Path(pipeline)
    if folder.is_dir() and not (folder / "model_index.json").exists():
        found = FolderSet(folder, kind, size=num)
        if found.size < 20:
            raise ValueError(f"{folder} must hold at least 20 samples, got {found.size}")
        return found
    opened = open_pipeline(pipeline)
    opened.set_progress_bar_config(disable=True)
    return GeneratedSet(opened, kind, num, name=folder.resolve().name if folder.is_dir() else str(pipeline), **options)


@lru_cache(maxsize=2)
def shared_network(name: str) -> FeatureNetwork:
    """A network, opened once."""
    return open_network(name)


def _real(
    real: str,
    kind: str,
    split: str,
    num: int,
    shape: tuple[int, int, int],
    network: str,
    cache_dir: str | Path | None,
    progress: Callable[[int], object] | None,
) -> tuple[np.ndarray, np.ndarray]:
    """Vectors of the real set and of another as large, for the floor."""
    if real != "probeworld":
        found = embed(_folder(real, kind, 2 * num, shape), shared_network(network), cache_dir=cache_dir)
        if len(found) < 40:
            raise ValueError(f"{real} must hold at least 40 real samples, half of them for the floor, got {len(found)}")
        mixed = found[np.random.default_rng(0).permutation(len(found))]
        return mixed[: len(mixed) // 2], mixed[len(mixed) // 2 : len(mixed) // 2 * 2]
    key = (kind, split, num, shape, network)
    if key not in _WORLD:
        if shape[1] != shape[2]:
            raise ValueError(f"samples must be square to be compared with ProbeWorld, got {shape[1]}x{shape[2]}")
        sets = [
            WorldSet(kind, num, split=split, resolution=shape[1], first=first, num_frames=shape[0])
            for first in (0, num)
        ]
        vectors = [embed(one, shared_network(network), cache_dir=cache_dir, progress=progress) for one in sets]
        _WORLD[key] = (vectors[0], vectors[1])
    return _WORLD[key]


def _folder(real: str, kind: str, most: int, shape: tuple[int, int, int]) -> FolderSet:
    return FolderSet(real, kind, num_frames=shape[0], resolution=shape[1], size=most)


_WORLD: dict[tuple, tuple[np.ndarray, np.ndarray]] = {}
"""Vectors of ProbeWorld, of this process: a few hundred kilobytes a network."""
