# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""A pool of training clips, rendered once and read through a memory map by every run that wants the same clips."""

import hashlib
import json
import os
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from tqdm.auto import tqdm

from .disk_arrays import new_array


class ClipSource(Protocol):
    """What a pool is rendered from; `ProbeWorld` is one."""

    def render_batch(self, indices: Any) -> torch.Tensor:
        """uint8 (B, T, H, W, 3) of the clips with these indices."""
        ...


def open_pool(source: ClipSource, size: int, folder: Path, *, name: str, workers: int = 0) -> np.ndarray:
    """Clips 0..size-1 of a source as a read-only memory-mapped uint8 array (size, T, H, W, 3).

    Rendered on first use, then read from `folder`; the file's name carries a hash of the source's settings.

    Args:
        source: deterministic by index.
        size: clips, at least 1.
        folder: where pools live.
        name: for humans, e.g. the split.
        workers: extra processes that render; 0 renders here.
    """
    if size < 1:
        raise ValueError(f"pool size must be at least 1, got {size}")
    path = folder / f"clips-{name}-{size}-{source_key(source)}.npy"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name(f".{path.name}.{os.getpid()}")
        try:
            _render(source, size, temporary, workers)
            os.replace(temporary, path)
        finally:
            temporary.unlink(missing_ok=True)
    return np.load(path, mmap_mode="r")


def source_key(source: Any) -> str:
    """Ten hex digits of everything that decides what a source renders: its class, settings and first clip."""
    settings = {k: v for k, v in sorted(vars(source).items()) if isinstance(v, (str, int, float, bool, tuple))}
    settings["config"] = str(getattr(source, "config", ""))
    # The first clip stands for the renderer's code, which has no version number of its own.
    first = np.ascontiguousarray(_clips(source, [0]))
    text = json.dumps([type(source).__qualname__, settings], default=str, sort_keys=True)
    return hashlib.sha256(text.encode() + first.tobytes()).hexdigest()[:10]


def _render(source: ClipSource, size: int, path: Path, workers: int, chunk: int = 32) -> None:
    shape = _clips(source, [0]).shape[1:]
    pool = new_array(path, np.uint8, (size, *shape))
    chunks = [list(range(start, min(start + chunk, size))) for start in range(0, size, chunk)]
    with tqdm(total=size, desc="rendering clips", unit="clip", disable=_quiet()) as bar:
        for indices, clips in _rendered(source, chunks, workers):
            pool[indices[0] : indices[-1] + 1] = clips
            bar.update(len(indices))
    pool.flush()


_worker_source: ClipSource | None = None


def _rendered(source: ClipSource, chunks: list[list[int]], workers: int) -> Iterator[tuple[list[int], np.ndarray]]:
    if workers < 1:
        for indices in chunks:
            yield indices, _clips(source, indices)
        return
    # Spawned, not forked: a forked child would inherit torch's thread pool in an unknown state.
    context = get_context("spawn")
    with ProcessPoolExecutor(workers, mp_context=context, initializer=_start_worker, initargs=(source,)) as executor:
        yield from zip(chunks, executor.map(_render_in_worker, chunks), strict=True)


def _start_worker(source: ClipSource) -> None:
    # Sent once per process: a source may carry megabytes of textures.
    global _worker_source
    torch.set_num_threads(1)
    _worker_source = source


def _render_in_worker(indices: list[int]) -> np.ndarray:
    assert _worker_source is not None
    return _clips(_worker_source, indices)


def _clips(source: ClipSource, indices: list[int]) -> np.ndarray:
    return np.asarray(source.render_batch(indices))


def _quiet() -> bool:
    return os.environ.get("HF_HUB_DISABLE_PROGRESS_BARS", "").upper() in {"1", "ON", "YES", "TRUE"}
