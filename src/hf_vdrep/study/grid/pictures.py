# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""PCA and the brick wall: pictures of what the twins' features follow, and one figure of each for the rows."""

from __future__ import annotations

import dataclasses
import json
import time
from pathlib import Path

from ...data.media_write import atomic_output, write_png
from ..compare.rows import config_hash, package_versions
from .cells import Source
from .config import StudyConfig
from .measure import FORMAT, describe, fingerprint_of
from .rows import StudyRow, write_shard
from .run import Outcome, Workshop

FOLDER = "pictures"


def run(config: StudyConfig, shop: Workshop, outcome: Outcome) -> None:
    """Draw each example that is not there yet."""
    outcome.measured[config.name] = outcome.found[config.name] = 0
    if shop.share.rank:
        return
    known = {row.config_hash for row in shop.rows() if row.study == config.name}
    examples = list(config.options.get("examples", ["brick-wall", "probeworld"]))
    shop.list_cells(config.name, (_key(config, example) for example in examples))
    with shop.bar(len(examples), f"{config.name}: examples", "clip") as bar:
        for example in examples:
            key = _key(config, example)
            path = shop.folder / FOLDER / f"{example}.png"
            if key in known and path.exists():
                outcome.found[config.name] += 1
            else:
                path.parent.mkdir(parents=True, exist_ok=True)
                write_shard(shop.folder, _draw(config, example, key, path), f"{config.name}-{key}")
                outcome.measured[config.name] += 1
            bar.update()


def _key(config: StudyConfig, example: str) -> str:
    settings = [config.layers[0], config.timesteps[0], config.seed, config.resolution, config.options]
    models = [fingerprint_of(_source(config, spec)) for spec in config.backbones]
    versions = package_versions()["torch"]
    return config_hash({"format": FORMAT, "example": example, "is": settings, "of": models, "torch": versions})


def _source(config: StudyConfig, spec: str) -> Source:
    return Source(spec, None, "block", config.timesteps[0], "clip")


def _draw(config: StudyConfig, example: str, key: str, path: Path) -> list[StudyRow]:
    """Write the contact sheet; returns a row per model: how much its features change from step to step."""
    from ..inspect_clip import inspect_clip
    from ..inspect_dense import Tap
    from ..inspect_examples import EXAMPLES, make_example
    from ..inspect_models import open_models
    from ..panels_sheet import contact_sheet

    begin = time.perf_counter()
    tap = Tap(config.layers[0], config.timesteps[0], config.seed, int(config.options.get("draws", 4)), 4)
    clip = make_example(example, 17, 8.0, config.resolution)
    shown = make_example(example, 17, 8.0, 256).frames
    found = inspect_clip(clip, open_models(config.backbones), tap, title=EXAMPLES[example], pictures=shown)
    with atomic_output(path) as temporary:
        write_png(temporary, contact_sheet(found, dpi=int(config.options.get("dpi", 110))))
    seconds = round(time.perf_counter() - begin, 3)
    rows = []
    for spec, view in zip(config.backbones, found.views, strict=True):
        change = view.change[1:].float()
        about = {"example": example, "spread": float(change.std()), "explained": [float(x) for x in view.explained]}
        rows.append(
            StudyRow(
                study=config.name,
                kind="pictures",
                task=example,
                dataset=example,
                split="test",
                **describe(_source(config, spec), view.layer),
                metric=f"mean_change of {spec}",
                value=float(change.mean()),
                n=1,
                config_hash=key,
                primary=False,
                wall_time=seconds,
                other=json.dumps(about),
            )
        )
    return [dataclasses.replace(row, frame_order="forward") for row in rows]
