# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Whether the noise levels of a batch go through the model one after the other or in one pass.

One pass keeps a GPU busier; on a CPU a larger batch can fall out of the cache and be slower. So a trial decides.
"""

import time
from collections.abc import Callable, Sequence
from typing import Any

import torch

from ..backbones.base import Backbone
from ..backbones.feature_map import FeatureMap

# A trial costs three batches: not worth it for fewer than so many.
FEWEST_BATCHES = 12
_TURNS = 2

Maps = list[FeatureMap]


class LevelReader:
    """Features of a batch at several noise levels.

    Args:
        backbone: the frozen model.
        stacking: "on", "off", or "auto": as the trial on the first batch says.
        seed: of the noise.
        batches: still to come; the trial is only made for many.
        clock: that times the trial.

    Attributes:
        stacked: what was decided; None before the trial.
    """

    def __init__(
        self,
        backbone: Backbone,
        stacking: str,
        seed: int,
        batches: int,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self.backbone, self.seed, self.clock = backbone, seed, clock
        self.stacked: bool | None = None
        if stacking == "off" or not backbone.can_stack:
            self.stacked = False
        elif stacking == "on":
            self.stacked = True
        elif batches < FEWEST_BATCHES:
            self.stacked = False

    def read(
        self, inputs: Any, sample_ids: Sequence[str], layers: Sequence[int], timesteps: Sequence[int | None]
    ) -> Maps:
        """One feature map per timestep and layer, timestep-major."""
        options: dict[str, Any] = {
            "sample_ids": sample_ids,
            "layers": layers,
            "timesteps": timesteps,
            "seed": self.seed,
        }
        if len(timesteps) > 1 and self.stacked is None:
            return self._try(inputs, options)
        run = self.backbone.extract_stacked if self.stacked and len(timesteps) > 1 else self.backbone.extract
        return run(inputs, **options)

    def _try(self, inputs: Any, options: dict[str, Any]) -> Maps:
        """Time both in turn, the first turn to warm up, and keep the faster."""
        ways = (self.backbone.extract, self.backbone.extract_stacked)
        took = [0.0, 0.0]
        maps: list[Maps] = [[], []]
        for _ in range(_TURNS):
            for place, run in enumerate(ways):
                start = self._now()
                maps[place] = run(inputs, **options)
                took[place] = self._now() - start
        self.stacked = took[1] < took[0]
        return maps[self.stacked]

    def _now(self) -> float:
        if self.backbone.device.type == "cuda":
            torch.cuda.synchronize(self.backbone.device)
        return self.clock()
