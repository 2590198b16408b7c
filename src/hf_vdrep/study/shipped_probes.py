# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Trained readouts of the shipped twins: what a clip shows, asked of frozen features.

Each folder is a readout's own (`Readout.save_pretrained`) with `training.json` beside it, which says on which block,
noise level and reading it was trained and what it reached; `hf_vdrep.study.compare.export` makes them from a finished
comparison.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from ..models import shipped
from ..probes.dense import sub_grid
from ..probes.readout import Readout
from ..training.probe import TRAINING_NAME

if TYPE_CHECKING:
    from ..backbones.base import Backbone

ROOT = Path(shipped.__file__).resolve().parent.parent / "assets" / "walt-tiny" / "probes"
PROBE_TASKS = ("object", "action_motion", "depth", "point_tracks", "box_tracks")


@dataclass(frozen=True)
class ShippedProbe:
    """A trained readout and where it reads.

    Attributes:
        readout: in evaluation mode.
        task: its name.
        twin: "i-walt" or "v-walt", whose features it reads.
        layer: block index.
        timestep: noise level in [0, 999].
        reading: how a clip reaches I-WALT; None is the backbone's own way.
        seed: of the noise.
        about: all of `training.json`, test scores included.
    """

    readout: Readout
    task: str
    twin: str
    layer: int
    timestep: int
    reading: str | None
    seed: int = 0
    about: dict[str, Any] = field(default_factory=dict, repr=False)

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the classes, in the order of the probabilities; empty where the task has none."""
        from .compare.tasks import STUDY_TASKS

        return STUDY_TASKS[self.task].classes

    @cached_property
    def backbone(self) -> Backbone:
        """The shipped twin, set to the reading that the readout was trained on."""
        from ..backbones.registry import open_backbone

        return open_backbone(self.twin, **({"video_as": self.reading} if self.reading else {}))

    def features(self, clips: torch.Tensor, backbone: Backbone | None = None) -> torch.Tensor:
        """Features as the readout takes them, (B, T', H', W', C).

        Args:
            clips: uint8 (B, T, H, W, 3); tasks of single images read the middle frame.
            backbone: instead of the shipped one, for another pair of the same shape.
        """
        if clips.dtype != torch.uint8 or clips.ndim != 5 or clips.shape[-1] != 3:
            raise ValueError(f"clips must be uint8 (B, T, H, W, 3), got {clips.dtype} {tuple(clips.shape)}")
        backbone = backbone or self.backbone
        if self._reads_image:
            middle = clips.shape[1] // 2
            clips = clips[:, middle : middle + 1]
        ids = [f"shown-{row}" for row in range(len(clips))]
        with torch.no_grad():
            inputs = backbone.prepare(clips)
            (found,) = backbone.extract(
                inputs, sample_ids=ids, layers=[self.layer], timesteps=[self.timestep], seed=self.seed
            )
            return self.readout.standardise(found.values.float())

    def predict(
        self,
        backbone: Backbone | None,
        clips: torch.Tensor,
        *,
        points: torch.Tensor | None = None,
        boxes: torch.Tensor | None = None,
    ) -> dict[str, torch.Tensor]:
        """What the readout says about clips.

        Args:
            backbone: None for the shipped one.
            clips: uint8 (B, T, H, W, 3).
            points: for point tracks, (B, N, 2) x, y in frame 0, in [0, 1].
            boxes: for box tracks, (B, K, 4) x1, y1, x2, y2 in frame 0, in [0, 1].

        Returns:
            Classes: `probabilities` (B, K). Depth: `depth` (B, T, H, W) metres. Point tracks: `tracks` (B, N, T, 2)
            and `visible` (B, N, T) bool. Box tracks: `boxes` (B, K, T, 4).

        Raises:
            ValueError: clips of another form, or a query that the task needs and did not get.
        """
        needed = {"point_tracks": ("points", points), "box_tracks": ("boxes", boxes)}.get(self.task)
        if needed and needed[1] is None:
            raise ValueError(f"{needed[0]} must be given for {self.task}, got None")
        values = self.features(clips, backbone)
        with torch.no_grad():
            if self.task == "depth":
                return {"depth": self._depth(values, clips)}
            readout: Any = self.readout
            if self.task == "point_tracks":
                found = readout(values, points, standardised=True)
                return {"tracks": found.positions, "visible": found.said_visible()}
            if self.task == "box_tracks":
                return {"boxes": readout(values, boxes, standardised=True).boxes.float().clamp(0, 1)}
            return {"probabilities": readout(values, standardised=True).float().softmax(-1)}

    def _depth(self, values: torch.Tensor, clips: torch.Tensor) -> torch.Tensor:
        frames, height, width = clips.shape[1:4]
        _, pixels = sub_grid(height, width, 1)
        readout: Any = self.readout
        found = [readout(values, pixels, torch.tensor([frame]), standardised=True) for frame in range(frames)]
        return torch.cat(found, dim=1).float().exp().unflatten(-1, (height, width))

    @property
    def _reads_image(self) -> bool:
        from ..probes.registry import get_task

        return get_task(self.task).reads == "image"


def open_probe(twin: str, task: str, *, root: Path = ROOT) -> ShippedProbe:
    """A shipped readout.

    Args:
        twin: "i-walt" or "v-walt".
        task: one of `PROBE_TASKS`.
        root: folder of `<twin>/<task>/`.

    Raises:
        ValueError: no such readout.
    """
    folder = root / twin / task
    try:
        about = json.loads((folder / TRAINING_NAME).read_text())
    except (OSError, ValueError) as error:
        known = sorted(f"{path.parent.parent.name}/{path.parent.name}" for path in root.glob(f"*/*/{TRAINING_NAME}"))
        raise ValueError(f"twin and task must name one of {known or 'none found'}, got {twin}/{task}") from error
    where = {name: about[name] for name in ("layer", "timestep", "reading", "seed")}
    return ShippedProbe(Readout.from_pretrained(folder), task, twin, **where, about=about)
