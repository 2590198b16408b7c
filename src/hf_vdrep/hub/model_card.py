# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""The card of a WALT, from its folder's configs, its training's record and the committed comparison."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from huggingface_hub import ModelCardData

from ..models.compression import sides, spatial_ratio, temporal_ratio
from ..models.folder import read_json, weights_of
from ..models.safetensors_header import read_header
from .cards import render, table
from .kept import Kept
from .record import TrainingRecord
from .results import RESULTS_NAME, TaskScore, model_index

TAGS = ["hf_vdrep", "walt", "video", "representation-learning", "diffusion"]
PROBEWORLD = (
    "[ProbeWorld](https://huggingface.co/datasets/{dataset}), rendered clips of a procedural world with exact labels; "
    "the {split} split, without its labels."
)
_WORLD_LIMITS = (
    "Trained on one synthetic world, in low resolution: features of photographs and of other films are out of "
    "distribution, and what holds for this model need not hold for large ones. The world holds no people; some of its "
    "surfaces show photographs that scikit-image bundles."
)
_NEEDS = {
    "low_res_scale": "the clip to enlarge",
    "frame_conditioning": "the frames to go on from",
    "text_dim": "a prompt",
}
# By those words, of images and of video; the Hub has no name for video from nothing.
_PIPELINES = {
    "the clip to enlarge": ("image-to-image", "video-to-video"),
    "the frames to go on from": ("image-to-image", "image-to-video"),
    "a prompt": ("text-to-image", "text-to-video"),
}
_OTHER_LIMITS = "What is out of its training data is out of distribution; samples may repeat biases of that data."


@dataclass(frozen=True)
class WaltShape:
    """Sizes of a WALT, read from the configs of its folder.

    Attributes:
        video: whether it was trained on clips together.
        frames, height, width: of the clips it was made for, pixels.
        steps, grid: latent steps, and (rows, columns) of its tokens.
        layers, channels, heads: of the denoiser.
        latents: channels of a latent.
        parameters: of the denoiser and of the tokenizer.
        needs: what a call must be given beside noise; None where nothing.
    """

    video: bool
    frames: int
    height: int
    width: int
    steps: int
    grid: tuple[int, int]
    layers: int
    channels: int
    heads: int
    latents: int
    parameters: tuple[int, int]
    needs: str | None = None

    @classmethod
    def read(cls, folder: Path) -> WaltShape:
        """Of a checked model folder."""
        vae, denoiser = read_json(folder / "vae/config.json"), read_json(folder / "transformer/config.json")
        rows, columns = sides(denoiser["sample_size"])
        patch, ratio = denoiser["patch_size"], spatial_ratio(vae)
        return cls(
            video=denoiser.get("objective") == "video",
            frames=1 + (denoiser["sample_frames"] - 1) * temporal_ratio(vae),
            height=rows * ratio,
            width=columns * ratio,
            steps=denoiser["sample_frames"],
            grid=(rows // patch, columns // patch),
            layers=denoiser["num_layers"],
            channels=denoiser["num_attention_heads"] * denoiser["attention_head_dim"],
            heads=denoiser["num_attention_heads"],
            latents=denoiser["in_channels"],
            parameters=(_count(folder, "transformer"), _count(folder, "vae")),
            needs=next((words for key, words in _NEEDS.items() if denoiser.get(key)), None),
        )

    def rows(self) -> list[list[str]]:
        """For a table."""
        clip = f"{self.frames} frames of {self.height} x {self.width}"
        tokens = f"{self.steps} x {self.grid[0]} x {self.grid[1]}"
        return [
            ["clips", clip],
            ["objective", "clips, all latents of one attended to together" if self.video else "single frames"],
            ["denoiser", f"{self.layers} blocks, width {self.channels}, {self.heads} heads"],
            ["denoiser's parameters", f"{self.parameters[0] / 1e6:.2f} M"],
            ["tokenizer's parameters", f"{self.parameters[1] / 1e6:.2f} M"],
            ["tokens of a clip", f"{tokens}, latents of {self.latents} channels"],
        ]


def _count(folder: Path, component: str) -> int:
    headers = [read_header(file) for file in set(weights_of(folder, component).values())]
    return sum(math.prod(entry["shape"]) for header in headers for entry in header.values())


def model_card(
    repo_id: str,
    shape: WaltShape,
    record: TrainingRecord,
    found: list[TaskScore],
    dataset: str,
    beside: str = "",
    checkpoints: Sequence[Kept] = (),
    at: Kept | None = None,
) -> str:
    """The README.md of a pushed WALT.

    Args:
        repo_id: where it goes.
        shape: its sizes.
        record: of its training.
        found: its probes' scores.
        dataset: Hub id of ProbeWorld.
        beside: table of every system of the comparison; none without scores.
        checkpoints: kept along the training, on branches of their own.
        at: the one that this card belongs to; None for the trained model.
    """
    name = repo_id.rsplit("/", 1)[-1]
    return render(
        "model.md",
        _front_matter(name, shape, record, found, dataset),
        name=name,
        repo_id=repo_id,
        **_names(shape),
        facts=table(["", ""], shape.rows()),
        data=data_words(record, dataset),
        training=_training_words(record, at),
        table=score_table(found) if found else "",
        beside=beside,
        checkpoints=table(["revision", "weights after", "of the training"], _checkpoint_rows(checkpoints)),
        first=checkpoints[0].revision if checkpoints else "",
        at=at,
        pin=f', revision="{at.revision}"' if at else "",
        results_name=RESULTS_NAME,
        limits=_WORLD_LIMITS if record.data in ("", "probeworld") else _OTHER_LIMITS,
    )


def _checkpoint_rows(checkpoints: Sequence[Kept]) -> list[list[str]]:
    return [[f"`{kept.revision}`", kept.words, kept.share] for kept in checkpoints]


def _names(shape: WaltShape) -> dict[str, Any]:
    return {
        **{name: getattr(shape, name) for name in ("video", "frames", "height", "width", "steps", "needs")},
        **{"num_layers": shape.layers, "width_features": shape.channels},
        **{"grid_height": shape.grid[0], "grid_width": shape.grid[1]},
        "tokens": shape.steps * shape.grid[0] * shape.grid[1],
    }


def _front_matter(
    name: str, shape: WaltShape, record: TrainingRecord, found: list[TaskScore], dataset: str
) -> ModelCardData:
    task = _PIPELINES.get(shape.needs or "", ("unconditional-image-generation",) * 2)
    return ModelCardData(
        # What others' data allow is not for this package to say.
        license="apache-2.0" if record.data in ("", "probeworld") else None,
        library_name="diffusers",
        pipeline_tag=task[shape.video],
        tags=TAGS,
        datasets=[dataset] if found or record.data == "probeworld" else None,
        model_name=name,
        eval_results=model_index(found, dataset) if found else None,
    )


def data_words(record: TrainingRecord, dataset: str) -> str:
    """What a model was trained on, in a sentence."""
    if not record.config:
        return "Not recorded with this model."
    split = record.config.get("train_split", "train")
    if record.data == "probeworld":
        return PROBEWORLD.format(dataset=dataset, split=split)
    return f"`{record.data}`, the {split} split."


def _training_words(record: TrainingRecord, at: Kept | None) -> str:
    rows = record.rows() if at is None else [["steps", at.words], *record.settings()]
    if not rows:
        return ""
    curve = (
        "\n![Training curve](training/loss.png)\n" if record.folder and (record.folder / "loss.png").is_file() else ""
    )
    where = "\nAll settings and the log lie in `training/`.\n" if record.folder else ""
    return f"{table(['', ''], rows, right=1)}{curve}{where}"


def score_table(found: list[TaskScore]) -> str:
    """One row a task, with the interval and where it was read."""
    rows = [[score.title, score.unit, score.shown, score.cell] for score in found]
    return table(["task", "metric", "score [95 % interval]", "read from"], rows)
