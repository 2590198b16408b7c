# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Which places of the batches hold pictures: a fixed ratio, the same for every number of processes."""

import numpy as np


def picture_places(fraction: float, step: int, batch_size: int, run: int = 1) -> np.ndarray:
    """bool (batch_size,): the places of step `step` that hold pictures.

    All places of a training stand in one row, batch after batch; of its runs of `run` places, every (1/fraction)-th
    holds pictures. Runs as long as there are lanes let every lane give pictures and clips in the same ratio.

    Args:
        fraction: share of pictures, in [0, 1].
        step: of the optimiser, from 0.
        batch_size: over all processes.
        run: places of the same kind in a row.
    """
    runs = np.arange(step * batch_size, (step + 1) * batch_size) // run
    return pictures_before(fraction, runs + 1) > pictures_before(fraction, runs)


def pictures_before(fraction: float, runs: np.ndarray) -> np.ndarray:
    """How many of the first runs hold pictures."""
    # The small term keeps 10 x 0.1 from being 0.999...
    return np.floor(runs * fraction + 1e-6).astype(np.int64)
