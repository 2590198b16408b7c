# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""What the end-to-end reference and trained readouts see in a clip, as named numbers, a row for each clip.

A clip need have no labels: class probabilities say how sure a network is, and second differences over time and colours
along tracks say whether what it sees hangs together.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import cached_property

import torch
import torch.nn.functional as F

from ...data.probeworld.vocabulary import TASK_NAMES
from ...probes import EndToEndReference, load_reference
from ..compare.reference import reference_revision, shipped_folder
from ..shipped_probes import ShippedProbe, open_probe
from .networks import FeatureNetwork

IMAGE_TASKS, VIDEO_TASKS = ("object", "scene"), ("object", "action_motion")
AGREEMENT_TASKS = ("object", "action_motion", "depth", "point_tracks")
GRID = 6
"""Points are followed from a grid of 6 x 6 in frame 0."""

_EPS = 1e-9


class Readings(FeatureNetwork):
    """Rows of named numbers instead of a feature vector.

    Attributes:
        columns: names, in the order of the columns.
    """

    columns: tuple[str, ...]
    batch_size = 8

    def named(self, rows: torch.Tensor) -> dict[str, torch.Tensor]:
        """(N, columns) by name."""
        return {name: rows[:, index] for index, name in enumerate(self.columns)}


class ReferenceReadings(Readings):
    """Of the shipped end-to-end reference.

    Columns: for each task of classes `TASK.confidence` (largest probability), `TASK.entropy` (over the logarithm of the
    number of classes, in [0, 1]) and `TASK.p0` …; for videos also `depth_jitter` (mean absolute second difference of
    log-depth over time), `track_jitter` (mean length of the second difference of visible tracks, in sides of the
    frame), `colour_drift` (mean absolute change of colour along visible tracks against frame 0, in [0, 1]) and
    `visible` (share of tracked points). NaN where no point is visible.
    """

    name = "reference"

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.tasks = IMAGE_TASKS if kind == "image" else VIDEO_TASKS
        self.model: EndToEndReference = load_reference(shipped_folder())
        names = [f"{task}.{word}" for task in self.tasks for word in ("confidence", "entropy")]
        names += ["depth_jitter", "track_jitter", "colour_drift", "visible"] if kind == "video" else []
        names += [f"{task}.p{place}" for task in self.tasks for place in range(len(TASK_NAMES[task]))]
        self.columns = tuple(names)

    @property
    def key(self) -> str:
        return f"readings-1-{self.kind}-{reference_revision()}"

    @torch.no_grad()
    def embed(self, clips: torch.Tensor) -> torch.Tensor:
        if self.kind == "image":
            logits = self.model.classify_images(clips[:, 0])
            found = {name: values.float().softmax(-1) for name, values in logits.items()}
            numbers: dict[str, torch.Tensor] = {}
        else:
            found = reference_answers(self.model, clips)
            numbers = {"depth_jitter": jitter(found["depth"].log()).mean((1, 2, 3)), **track_numbers(clips, found)}
        for task in self.tasks:
            numbers |= class_numbers(task, found[task].float())
        return torch.stack([numbers[name].float() for name in self.columns], 1)


class AgreementReadings(Readings):
    """How far the readouts trained on a twin's frozen features agree with the reference.

    Columns: `object.agree` and `action_motion.agree` (1 where both name the same class), `depth.gap` (mean absolute
    difference of log-depth), `point_tracks.gap` (mean distance in sides of the frame, of points that both see).

    Args:
        twin: "i-walt" or "v-walt".
        tasks: of `AGREEMENT_TASKS`.
    """

    def __init__(self, twin: str, tasks: Sequence[str] = AGREEMENT_TASKS) -> None:
        self.name, self.tasks = twin, tuple(tasks)
        self.probes: dict[str, ShippedProbe] = {task: open_probe(twin, task) for task in self.tasks}
        self.model: EndToEndReference = load_reference(shipped_folder())
        self.columns = tuple(f"{task}.{'gap' if task in ('depth', 'point_tracks') else 'agree'}" for task in self.tasks)

    @cached_property
    def key(self) -> str:  # type: ignore[override]
        from ...backbones.fingerprint import fingerprint

        weights = fingerprint({task: probe.readout for task, probe in self.probes.items()}, {})
        backbone = next(iter(self.probes.values())).backbone.fingerprint
        return f"agreement-1-{self.tasks}-{backbone}-{weights}-{reference_revision()}"

    @torch.no_grad()
    def embed(self, clips: torch.Tensor) -> torch.Tensor:
        reference, points = reference_answers(self.model, clips), grid_points(len(clips))
        columns = []
        for task, probe in self.probes.items():
            said = probe.predict(None, clips, **({"points": points} if task == "point_tracks" else {}))
            columns.append(_agreement(task, said, reference))
        return torch.stack([column.float() for column in columns], 1)


def reference_answers(model: EndToEndReference, clips: torch.Tensor) -> dict[str, torch.Tensor]:
    """All that the reference says, asked for a grid of points."""
    boxes = torch.tensor([0.25, 0.25, 0.75, 0.75]).expand(len(clips), 1, 4)
    return model.predict(clips, grid_points(len(clips)), boxes)


def grid_points(count: int) -> torch.Tensor:
    """(count, GRID * GRID, 2) x, y in [0, 1], away from the rim."""
    line = (torch.arange(GRID) + 0.5) / GRID
    points = torch.stack(torch.meshgrid(line, line, indexing="xy"), -1).flatten(0, 1)
    return points.expand(count, -1, 2).clone()


def class_numbers(task: str, probabilities: torch.Tensor) -> dict[str, torch.Tensor]:
    """Confidence, entropy and the probabilities (B, K) themselves, as columns (B,)."""
    entropy = -(probabilities * probabilities.clamp_min(_EPS).log()).sum(1) / math.log(probabilities.shape[1])
    named = {f"{task}.p{place}": column for place, column in enumerate(probabilities.unbind(1))}
    return {f"{task}.confidence": probabilities.amax(1), f"{task}.entropy": entropy, **named}


def jitter(values: torch.Tensor) -> torch.Tensor:
    """Absolute second difference over dimension 1 (time): (B, T, …) to (B, T - 2, …); 0 for what changes steadily."""
    return (values[:, 2:] - 2 * values[:, 1:-1] + values[:, :-2]).abs()


def track_numbers(clips: torch.Tensor, found: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Jitter, colour drift and visible share of tracks (B, N, T, 2) with `visible` (B, N, T)."""
    tracks, visible = found["tracks"].float(), found["visible"]
    bends = (tracks[:, :, 2:] - 2 * tracks[:, :, 1:-1] + tracks[:, :, :-2]).norm(dim=-1)
    seen = visible[:, :, 2:] & visible[:, :, 1:-1] & visible[:, :, :-2]
    colours = _colours(clips, tracks)
    drift = (colours[:, :, 1:] - colours[:, :, :1]).abs().mean(-1)
    return {
        "track_jitter": _masked_mean(bends, seen),
        "colour_drift": _masked_mean(drift, visible[:, :, 1:]),
        "visible": visible.float().mean((1, 2)),
    }


def _colours(clips: torch.Tensor, tracks: torch.Tensor) -> torch.Tensor:
    """Colours in [0, 1] of 3 x 3 pixels around every point of the tracks: (B, N, T, 3)."""
    frames = clips.flatten(0, 1).permute(0, 3, 1, 2).float() / 255
    frames = F.avg_pool2d(F.pad(frames, (1, 1, 1, 1), mode="replicate"), 3, 1)
    places = tracks.transpose(1, 2).flatten(0, 1)[:, None] * 2 - 1
    found = F.grid_sample(frames, places, mode="bilinear", padding_mode="border", align_corners=False)
    return found[:, :, 0].unflatten(0, tracks.shape[:1] + tracks.shape[2:3]).permute(0, 3, 1, 2)


def _agreement(task: str, said: Mapping[str, torch.Tensor], reference: Mapping[str, torch.Tensor]) -> torch.Tensor:
    if task == "depth":
        return (said["depth"].float().log() - reference["depth"].float().log()).abs().mean((1, 2, 3))
    if task == "point_tracks":
        apart = (said["tracks"].float() - reference["tracks"].float()).norm(dim=-1)
        return _masked_mean(apart, said["visible"] & reference["visible"])
    return said["probabilities"].argmax(1) == reference[task].argmax(1)


def _masked_mean(values: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """Means of all but the first dimension over `mask`; NaN where it is empty."""
    weights = mask.float().flatten(1)
    return (values.flatten(1) * weights).sum(1) / weights.sum(1)
