# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Values of every sample of the rows behind a point."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..rows import StudyRow


def stacked(rows: Sequence[StudyRow]) -> np.ndarray | None:
    """(seeds, samples); None where the rows keep none, or not the same samples."""
    sizes = {len(row.per_sample) for row in rows}
    if len(sizes) != 1 or 0 in sizes:
        return None
    values = np.stack([row.per_sample for row in rows])
    return values if np.isfinite(values).all(axis=0).any() else None
