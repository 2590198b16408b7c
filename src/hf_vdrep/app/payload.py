# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""A comparison as the JSON value that the player draws."""

from typing import Any

import numpy as np
import torch

from . import sprites
from .catalogue import title_of
from .footage import Footage
from .model_view import Features
from .probe_view import ASKED, CLASS_TASKS, ProbeView
from .similarity import pack

CHANGE_COLOURS, DEPTH_COLOURS, SIMILARITY_COLOURS = "magma", "cividis_r", "viridis"
_READINGS = {
    "video": "reads the whole clip at once",
    "stack": "reads each latent step as an image",
    "stride": "reads every 4th frame as an image",
    "frames": "reads each frame as an image",
    "image": "reads one image",
}
_SITES = {
    "block": "",
    "norm": ", before its attention",
    "middle": ", before its MLP",
    "attention": ", its attention",
    "mlp": ", its MLP",
}


def base_payload(footage: Footage) -> dict[str, Any]:
    """What does not depend on the models."""
    return {
        "key": footage.key,
        "title": footage.title,
        "note": footage.note,
        "fps": footage.fps,
        "frames": len(footage.frames),
        "seen": list(footage.frames.shape[1:3]),
        "pictures": sprites.photographs(footage.pictures),
        "similarityTable": sprites.colour_table(SIMILARITY_COLOURS),
        "tables": {name: sprites.colour_table(name) for name in (CHANGE_COLOURS, DEPTH_COLOURS)},
        "models": [],
        "ready": False,
    }


def model_payload(
    name: str, features: Features, colours: torch.Tensor, share: float, change_limit: float
) -> dict[str, Any]:
    """What the page draws of one model's features."""
    packed = pack(features.values)
    return {
        "name": name,
        "title": title_of(name),
        "words": features_words(features, share),
        "steps": features.steps.tolist(),
        "colours": sprites.maps(colours),
        "change": sprites.scalar_maps(features.change(), 0.0, change_limit, CHANGE_COLOURS),
        "similarity": {
            "grid": list(packed.grid),
            "values": sprites.encode(packed.values.numpy()),
            "scales": sprites.encode(packed.scales.numpy().astype("<f4")),
        },
    }


def change_limit(features: list[Features]) -> float:
    """Top of the scale of change that the models share: the 99.5 % quantile, at least 0.25."""
    seen = [f.change()[1:].flatten() for f in features]
    moving = torch.cat(seen) if seen else torch.zeros(0)
    if not moving.numel():
        return 1.0
    return max(0.25, float(moving.sort().values[round(0.995 * (len(moving) - 1))]))


def features_words(features: Features, share: float) -> str:
    """Where the features come from, on one line."""
    parts = [
        f"block {features.layer + 1} of {features.num_layers}{_SITES.get(features.site, f', {features.site}')}",
        "no noise" if features.timestep is None else f"noise {features.timestep}",
        _READINGS.get(features.reading, features.reading),
        f"colours hold {100 * share:.0f} % of the variance",
    ]
    if features.positioned:
        parts.append("position left in")
    return " · ".join(part for part in parts if part)


def probes_payload(views: list[ProbeView], footage: Footage) -> list[dict[str, Any]]:
    """What the page draws of each model's readouts, on scales that the models share."""
    near, far = depth_range([view.depth for view in views if view.depth is not None], footage)
    return [
        {
            "classes": _classes(view, footage),
            "depth": None if view.depth is None else sprites.scalar_maps(view.depth, near, far, DEPTH_COLOURS),
            "tracks": _tracks(view),
            "boxes": None if view.boxes is None else corners(view.boxes),
            "places": view.places,
            "missing": view.missing,
        }
        for view in views
    ]


def truth_payload(views: list[ProbeView], footage: Footage) -> dict[str, Any] | None:
    """The true depth of a clip of the embedded world; None where nothing is known."""
    depth = footage.truth.get("depth")
    if depth is None:
        return None
    near, far = depth_range([view.depth for view in views if view.depth is not None], footage)
    known = torch.where(depth > 0, depth, float("nan"))
    boxes = footage.truth.get("boxes")
    return {
        "depth": sprites.scalar_maps(known, near, far, DEPTH_COLOURS),
        "boxes": [] if boxes is None else corners(boxes),
    }


def corners(boxes: torch.Tensor) -> list[Any]:
    """Boxes (..., 4) as lists, to a ten-thousandth of the frame."""
    return (boxes.double() * 10_000).round().div(10_000).tolist()


def depth_range(found: list[torch.Tensor], footage: Footage) -> tuple[float, float]:
    """Metres at both ends of the colour scale: all but the nearest and the farthest per cent."""
    truth = footage.truth.get("depth")
    every = [*found, *([] if truth is None else [truth[truth > 0]])]
    if not every:
        return 0.0, 1.0
    ordered = torch.cat([depth.flatten().float() for depth in every]).sort().values
    low, high = (float(ordered[round(q * (len(ordered) - 1))]) for q in (0.01, 0.99))
    return low, high


def _classes(view: ProbeView, footage: Footage) -> list[dict[str, Any]]:
    from ..study.compare.tasks import STUDY_TASKS

    rows = []
    for task, title in CLASS_TASKS.items():
        truth = footage.truth.get(task)
        rows.append(
            {
                "task": task,
                "title": title,
                "shares": view.classes.get(task, []),
                "truth": None if truth is None else STUDY_TASKS[task].classes[truth],
            }
        )
    return rows


def _tracks(view: ProbeView) -> dict[str, Any] | None:
    if view.tracks is None or view.visible is None:
        return None
    # Sixteen bits over [-1, 2]: 0.00005 of the frame's width.
    whole = ((view.tracks.clamp(-1, 2) + 1) / 3 * 65535).round().numpy().astype("<u2")
    return {
        "grid": ASKED,
        "points": sprites.encode(whole),
        "visible": sprites.encode(view.visible.numpy().astype(np.uint8)),
    }
