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
    kind: str | None = None,
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
        pipeline: a pipeline; its name or folder; the folder of images or videos made elsewhere; or a `ClipSet`.
        kind: "image" or "video"; None for what the pipeline makes by itself.
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
    generated = pipeline if isinstance(pipeline, ClipSet) else generated_set(
        pipeline, kind, num, seed=seed, steps=steps, labels=labels, prompts=prompts, guidance_scale=guidance_scale,
        cache_dir=cache_dir,
    )  # fmt: skip
    vectors = embed(generated, trunk, cache_dir=cache_dir, progress=progress)
    truth, floor = _real(str(real), generated, split, network, cache_dir, progress)
    return {
        "model": generated.name,
        "kind": generated.kind,
        "network": network,
        "real": "probeworld" if str(real) == "probeworld" else Path(real).name,
        "num": len(vectors),
        "num_real": len(truth),
        "seed": getattr(generated, "seed", None),
        "steps": getattr(generated, "steps", None),
        **distances(vectors, truth),
        "floor": distances(floor, truth),
        "seconds": round(time.perf_counter() - started, 1),
    }


def work(num: int) -> int:
    """Clips that `measure` reports to `progress` when the real sets are not known yet."""
    return 3 * num


def generated_set(pipeline: Any, kind: str | None, num: int, **options: Any) -> ClipSet:
    """The set that `pipeline` stands for: a live pipeline, a name, a saved pipeline's folder, or a folder of media.

    Args:
        pipeline: as of `measure`.
        kind: "image" or "video"; None for what it makes by itself.
        num: samples.
        options: of `GeneratedSet`.

    Raises:
        ValueError: a folder with fewer than 20 samples, or a name that is not known.
    """
    if isinstance(pipeline, str | Path):
        folder = Path(pipeline)
        if folder.is_dir() and not (folder / "model_index.json").exists():
            return _samples(folder, kind, num)
        options["name"] = folder.resolve().name if folder.is_dir() else str(pipeline)
        pipeline = open_pipeline(pipeline)
        pipeline.set_progress_bar_config(disable=True)
    return GeneratedSet(pipeline, kind or default_kind(pipeline), num, **options)


def default_kind(pipeline: Any) -> str:
    """What a pipeline makes by itself."""
    length = getattr(pipeline, "default_num_frames", None)
    if length is None:
        length = 2 if "Video" in type(pipeline).__name__ else 1
    return "video" if length > 1 else "image"


def real_set(
    real: str | Path, like: ClipSet, *, size: int | None = None, first: int = 0, split: str = "test"
) -> ClipSet:
    """Real clips of the kind and shape of `like`, as many unless `size` says otherwise.

    Raises:
        ValueError: ProbeWorld has no pictures of that shape.
    """
    length, height, width = like.shape
    size = size or like.size
    if str(real) != "probeworld":
        return FolderSet(real, like.kind, num_frames=length, resolution=(height, width), size=size)
    if height != width:
        raise ValueError(f"samples must be square to be compared with ProbeWorld, got {height}x{width}")
    return WorldSet(like.kind, size, split=split, resolution=height, first=first, num_frames=length)


def _samples(folder: Path, kind: str | None, num: int) -> FolderSet:
    if kind is None:
        raise ValueError(f'kind must be "image" or "video" for a folder of samples, got None for {folder}')
    found = FolderSet(folder, kind, size=num)
    if found.size < 20:
        raise ValueError(f"{folder} must hold at least 20 samples, got {found.size}")
    return found


@lru_cache(maxsize=2)
def shared_network(name: str) -> FeatureNetwork:
    """A network, opened once."""
    return open_network(name)


def _real(
    real: str,
    like: ClipSet,
    split: str,
    network: str,
    cache_dir: str | Path | None,
    progress: Callable[[int], object] | None,
) -> tuple[np.ndarray, np.ndarray]:
    """Vectors of the real set and of another as large, for the floor."""
    options: dict[str, Any] = {"cache_dir": cache_dir, "progress": progress}
    if real != "probeworld":
        found = embed(real_set(real, like, size=2 * like.size), shared_network(network), **options)
        if len(found) < 40:
            raise ValueError(f"{real} must hold at least 40 real samples, half of them for the floor, got {len(found)}")
        mixed = found[np.random.default_rng(0).permutation(len(found))]
        return mixed[: len(mixed) // 2], mixed[len(mixed) // 2 : len(mixed) // 2 * 2]
    key = (like.kind, split, like.size, like.shape, network)
    if key not in _WORLD:
        sets = [real_set(real, like, first=first, split=split) for first in (0, like.size)]
        first, second = (embed(one, shared_network(network), **options) for one in sets)
        _WORLD[key] = first, second
    return _WORLD[key]


_WORLD: dict[tuple, tuple[np.ndarray, np.ndarray]] = {}
"""Vectors of ProbeWorld, of this process: a few hundred kilobytes a network."""
