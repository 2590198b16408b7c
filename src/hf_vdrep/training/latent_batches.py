# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Where a denoiser's clean latents come from, batch by batch: a pool, a stream, or a cache on disk."""

from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np


@dataclass(frozen=True)
class CleanLatents:
    """The clean latents of some places of a batch.

    Attributes:
        ids: of the samples.
        stacks: bool (n,): which places hold stacks of F images instead of a clip.
        video: float32 (n_v, c, F, h, w), the clips in the order of their places.
        images: float32 (n_s, F, c, 1, h, w), the stacks.
        extra: further entries of the batch: `position`, `skipped`, `labels` (one mapping for each place).
    """

    ids: list[Any]
    stacks: np.ndarray
    video: np.ndarray
    images: np.ndarray
    extra: dict[str, Any] = field(default_factory=dict)


class LatentSource(Protocol):
    """Gives the latents of a batch's places."""

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """(c, F, h, w) of a clip."""
        ...

    def fingerprint(self) -> str | None:
        """Hex digits of the training data; None where the latents themselves are at hand."""
        ...

    def draw(self, step: int, part: int, parts: int) -> CleanLatents:
        """Places `part::parts` of step `step`."""
        ...
