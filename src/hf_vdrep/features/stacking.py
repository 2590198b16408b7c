# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Whether the noise levels of a batch go through the model one after the other or in one pass.

One pass keeps a GPU busier; on a CPU a larger batch can fall out of the cache and be slower. So a trial decides.
"""

import time
import warnings
from collections.abc import Callable, Sequence
from typing import Any

import torch

from ..backbones.base import Backbone
from ..backbones.feature_map import FeatureMap

# A trial costs four batches: not worth it for fewer than so many.
FEWEST_BATCHES = 12
_TURNS = 2
# Relative difference of the two ways: rounding in float32, and in arithmetic of 8 or 11 bits.
_ROUNDING, _COARSE_ROUNDING = 1e-3, 3e-2

Maps = list[FeatureMap]


class LevelReader:
    """Features of a batch at several noise levels.

    Args:
        backbone: the frozen model.
        seed: of the noise.
        clock: that times the trial.
    """

    def __init__(self, backbone: Backbone, seed: int, clock: Callable[[], float] = time.perf_counter) -> None:
        self.backbone, self.seed, self.clock = backbone, seed, clock

    def read(
        self, inputs: Any, sample_ids: Sequence[str], layers: Sequence[int], timesteps: Sequence[int | None]
    ) -> Maps:
        """One feature map per timestep and layer, timestep-major; several timesteps in one pass."""
        run = self.backbone.extract_stacked if len(timesteps) > 1 else self.backbone.extract
        return run(inputs, sample_ids=sample_ids, layers=layers, timesteps=timesteps, seed=self.seed)

    def prefers_one_pass(
        self, inputs: Any, sample_ids: Sequence[str], layers: Sequence[int], timesteps: Sequence[int | None]
    ) -> bool:
        """Time both ways in turn, the first turn to warm up; False too where one pass has no room or errs."""
        options: dict[str, Any] = {
            "sample_ids": sample_ids,
            "layers": layers,
            "timesteps": timesteps,
            "seed": self.seed,
        }
        took = [0.0, 0.0]
        maps: list[Maps] = [[], []]
        try:
            for _ in range(_TURNS):
                for place, run in enumerate((self.backbone.extract, self.backbone.extract_stacked)):
                    start = self._now()
                    maps[place] = run(inputs, **options)
                    took[place] = self._now() - start
        except torch.OutOfMemoryError:
            return False
        return took[1] < took[0] and self._agree(*maps)

    def _agree(self, apart: Maps, stacked: Maps) -> bool:
        """Whether the two differ by rounding alone, as they do for every family that the table lets stack."""
        coarse = torch.is_autocast_enabled(self.backbone.device.type)
        for one, other in zip(apart, stacked, strict=True):
            exact = one.values.float()
            off = float((exact - other.values.float()).norm() / exact.norm().clamp(min=1e-12))
            bound = _COARSE_ROUNDING if coarse or one.values.dtype != torch.float32 else _ROUNDING
            if not off <= bound:
                warnings.warn(
                    f"noise levels go one after the other: in one pass {self.backbone.name} gives features at layer "
                    f"{one.layer}, timestep {one.timestep} that are off by {off:.1e}",
                    stacklevel=2,
                )
                return False
        return True

    def _now(self) -> float:
        if self.backbone.device.type == "cuda":
            torch.cuda.synchronize(self.backbone.device)
        return self.clock()
