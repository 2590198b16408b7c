# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""What the shipped readouts say about a clip."""

from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import torch

from ..backbones.base import Backbone
from ..models.shipped import PAIR
from ..probes.dense import sub_grid
from ..study.shipped_probes import ShippedProbe, open_probe
from .catalogue import title_of
from .deadline import Deadline
from .footage import FRAMES, Footage
from .shelf import Shelf

CLASS_TASKS = {"object": "What is in it", "action_motion": "How it moves"}
ASKED = 16
"""Points followed from frame 0, on a grid of so many rows and columns."""
_DEPTH_EVERY = 4  # pixels: the grid that the readout is scored on
_SHOWN_CLASSES = 5


@dataclass(frozen=True)
class ProbeView:
    """What one model's readouts say; where one is missing, `missing` says why.

    Attributes:
        classes: task -> (class, probability), the likeliest first.
        depth: float32 (T, h, w) metres.
        boxes: float32 (K, T, 4), x1, y1, x2, y2 in [0, 1] of the boxes that the clip's labels hold; K may be 0.
        tracks: float32 (N, T, 2), x, y in [0, 1] of the points of `query_points`.
        visible: bool (N, T).
        places: task -> where the readout reads, in words.
        missing: task -> a sentence.
    """

    classes: dict[str, list[tuple[str, float]]] = field(default_factory=dict)
    depth: torch.Tensor | None = None
    boxes: torch.Tensor | None = None
    tracks: torch.Tensor | None = None
    visible: torch.Tensor | None = None
    places: dict[str, str] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)


def query_points() -> torch.Tensor:
    """Points of frame 0 that are followed: float32 (N, 2), x, y in [0, 1], row by row."""
    middles = (torch.arange(ASKED) + 0.5) / ASKED
    return torch.stack(torch.meshgrid(middles, middles, indexing="xy"), -1).flatten(0, 1)


def probe_view(shelf: Shelf, name: str, footage: Footage, deadline: Deadline) -> ProbeView:
    """Ask every readout that `name` has."""
    found: dict[str, Any] = {"classes": {}, "places": {}, "missing": {}}
    for task in (*CLASS_TASKS, "depth", "point_tracks", "box_tracks"):
        deadline.check()
        probe = _probe(name, task)
        why = _missing(name, task, probe, footage)
        if probe is None or why:
            found["missing"][task] = why
            continue
        found["places"][task] = _place(probe)
        _ask(shelf, probe, footage, found)
    return ProbeView(**found)


def _ask(shelf: Shelf, probe: ShippedProbe, footage: Footage, found: dict[str, Any]) -> None:
    backbone = shelf.open(probe.twin, reading=probe.reading)
    clips = footage.frames[None]
    if probe.task == "depth":
        found["depth"] = _depth(probe, probe.features(clips, backbone))
    elif probe.task == "box_tracks":
        known = footage.truth.get("boxes")
        found["boxes"] = torch.zeros(0, FRAMES, 4) if known is None else _follow(probe, backbone, footage, known[:, 0])
    elif probe.task == "point_tracks":
        said = probe.predict(backbone, clips, points=query_points()[None])
        found["tracks"], found["visible"] = said["tracks"][0].float(), said["visible"][0]
    else:
        shares = probe.predict(backbone, clips)["probabilities"][0]
        top = shares.topk(min(_SHOWN_CLASSES, len(shares)))
        pairs = zip(top.indices.tolist(), top.values.tolist(), strict=True)
        found["classes"][probe.task] = [(probe.classes[index], share) for index, share in pairs]


def follow_box(shelf: Shelf, name: str, footage: Footage, box: tuple[float, ...]) -> tuple[torch.Tensor | None, str]:
    """Where a model's readout follows a box of frame 0: float32 (T, 4), or None and a sentence that says why not.

    Args:
        shelf: the models.
        name: of the model.
        footage: a clip.
        box: x1, y1, x2, y2 in [0, 1].
    """
    probe = _probe(name, "box_tracks")
    why = _missing(name, "box_tracks", probe, footage)
    if probe is None or why:
        return None, why
    backbone = shelf.open(probe.twin, reading=probe.reading)
    return _follow(probe, backbone, footage, torch.tensor([box]))[0], ""


def _follow(probe: ShippedProbe, backbone: Backbone, footage: Footage, boxes: torch.Tensor) -> torch.Tensor:
    """Boxes (K, 4) of frame 0 through the clip: float32 (K, T, 4)."""
    if not len(boxes):
        return torch.zeros(0, len(footage.frames), 4)
    return probe.predict(backbone, footage.frames[None], boxes=boxes[None])["boxes"][0].float()


@torch.no_grad()
def _depth(probe: ShippedProbe, values: torch.Tensor) -> torch.Tensor:
    """Metres at every fourth pixel, as the readout is scored: all pixels would take 16 times as long."""
    side = 64
    _, pixels = sub_grid(side, side, _DEPTH_EVERY, (_DEPTH_EVERY // 2, _DEPTH_EVERY // 2))
    readout: Any = probe.readout
    found = readout(values, pixels, torch.arange(FRAMES), standardised=True)
    return found[0].float().exp().unflatten(-1, (side // _DEPTH_EVERY, side // _DEPTH_EVERY))


@lru_cache(maxsize=32)
def _probe(name: str, task: str) -> ShippedProbe | None:
    if name not in PAIR:
        return None
    try:
        return open_probe(name, task)
    except ValueError:  # a package without its readouts still compares features
        return None


def _missing(name: str, task: str, probe: ShippedProbe | None, footage: Footage) -> str:
    if probe is None:
        return f"No readout has been trained on {title_of(name)}; the twins I-WALT and V-WALT have them."
    if task != "object" and len(footage.frames) != FRAMES:
        return f"The readout needs a clip of {FRAMES} frames; this has {len(footage.frames)}."
    return ""


def _place(probe: ShippedProbe) -> str:
    return f"block {probe.layer + 1}, noise {probe.timestep}"
