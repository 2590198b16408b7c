# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Vectors of a set of clips, kept by the set and the network."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from .networks import FeatureNetwork
from .sets import ClipSet
from .store import kept

BATCH = 32


def embed(
    clips: ClipSet,
    network: FeatureNetwork,
    *,
    cache_dir: str | Path | None = None,
    progress: Callable[[int], object] | None = None,
) -> np.ndarray:
    """float32 (size, D), batch after batch; what `cache_dir` holds is not computed again.

    Args:
        clips: the set.
        network: the feature network.
        cache_dir: keeps every batch's vectors; None keeps nothing.
        progress: called with the number of clips done.
    """
    found = []
    for first in range(0, clips.size, BATCH):
        indices = range(first, min(first + BATCH, clips.size))
        key = f"{clips.key} {network.key} {first} {len(indices)}" if cache_dir else ""
        folder = Path(cache_dir) / "features" if cache_dir else None
        found.append(kept(folder, key, lambda rows=indices: _embed(clips.clips(rows), network)))  # type: ignore
        if progress:
            progress(len(indices))
    return torch.cat(found).numpy()


def _embed(clips: torch.Tensor, network: FeatureNetwork) -> torch.Tensor:
    return torch.cat([network.embed(part).cpu() for part in clips.split(network.batch_size)])
