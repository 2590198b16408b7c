# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Training one readout on the frozen features of one backbone, at one layer and noise level."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import torch
from torch import nn

from ..data.sample import CLASS_LABELS
from .autoencoder import replace_folder
from .config import option, parse_config, to_dict
from .entry import run_entry
from .loop import Batch, Run, build, chosen_copy, fit, leave, make_accelerator, write_summary
from .loop_config import LoopConfig
from .probe_features import open_probeworld
from .probe_streams import open_published, per_video
from .stream import IndexStream, derive_seed

if TYPE_CHECKING:
    from ..probes.readout import Readout

PROBEWORLD = "probeworld"
TRAINING_NAME = "training.json"
TASK_NAMES = [*CLASS_LABELS, "depth", "camera_pose", "point_tracks", "box_tracks"]


@dataclass
class ProbeTrainConfig(LoopConfig):
    """Settings of `train_probe`."""

    output_dir: str = option("runs/probe", "folder for config, log, checkpoints and probe/")
    task: str = option("object", "what to read out", choices=TASK_NAMES)
    backbone: str = option("v-walt", "v-walt, i-walt, a floor (pixels, latents, random), or a pipeline folder")
    layer: float = option(0.75, "block: relative depth in (0, 1], or an index if whole and not 1")
    timestep: int = option(100, "noise level in [0, 999]; ignored by backbones that take none")
    reading: str = option("auto", "how a WALT reads a video", choices=["auto", "video", "stack", "stride", "frames"])
    data: str = option(PROBEWORLD, "probeworld, or a name of `hf-vdrep data list`")
    data_root: str | None = option(None, "folder of a published set")
    data_options: dict[str, Any] = field(
        default_factory=dict, metadata={"help": "how a published set is read: num_frames, stride, fps, columns, ..."}
    )
    eval_data_options: dict[str, Any] = field(
        default_factory=dict, metadata={"help": "over data_options, to evaluate: segments, views; views are averaged"}
    )
    train_split: str = option("train", "split of a published set to train on, such as train/fit")
    eval_split: str | None = option(
        None, "and to evaluate on; default: validation, or test where no other is published"
    )
    resolution: int = option(64, "height and width of the clips, pixels")
    train_clips: int = option(2000, "clips (or pictures) to train on; a smaller set is taken whole")
    eval_clips: int = option(400, "clips to evaluate on")
    cache_dir: str | None = option(None, "where features live; default: cache/ beside output_dir")
    readout: dict[str, Any] = field(default_factory=dict, metadata={"help": "options of the readout, such as width"})
    cpu: bool = option(True, "readouts train on the CPU, where their features, draws and metrics are")
    steps: int = option(400, "optimiser steps")
    batch_size: int = option(32, "samples per step")
    lr: float = option(1e-3, "peak learning rate")
    warmup_steps: int = option(20, "steps of linear warm-up")
    ema_decay: float = option(0.98, "decay of the weight average that is saved")
    eval_every: int = option(200, "steps between validations; 0: only at the end")
    save_every: int = option(200, "steps between checkpoints; 0: only at the end")


class ProbeObjective(nn.Module):
    """A task's loss over a readout; what it draws at random depends on the step alone."""

    def __init__(self, task: Any, readout: nn.Module) -> None:
        super().__init__()
        self.task, self.readout = task, readout

    def forward(self, batch: Batch) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
        """`batch` holds `features` (B, T', H', W', C) standardised, `labels` and the `draw` seed."""
        draw = torch.Generator().manual_seed(batch["draw"])
        return self.task.loss(self.readout, batch["features"], batch["labels"], draw), {}


class ProbeTask:
    """Batches of cached features with labels, and the task's metric on the validation split."""

    def __init__(
        self, config: ProbeTrainConfig, task: Any, train: Any, validation: Any, looks: Sequence[str] = ()
    ) -> None:
        self.config, self.task, self.train, self.validation, self.looks = config, task, train, validation, looks
        self.stream = IndexStream(len(train), config.batch_size, seed=config.seed)

    def batch(self, step: int, part: int, parts: int) -> Batch:
        """See `loop.Task`."""
        rows = self.stream.indices(step)[part::parts]
        # Tracks are drawn clip by clip, so parts must not repeat each other; depth draws once for the whole batch.
        drawn_apart = (part,) if part and self.task.name == "point_tracks" else ()
        draw = derive_seed("probe", self.config.seed, step, *drawn_apart)
        features, labels = self.train.read(rows), self.train.take(rows)
        return {"features": features, "labels": labels, "draw": draw, "ids": rows.tolist(), "items": len(rows)}

    def evaluate(self, model: nn.Module) -> dict[str, float]:
        """The figures of the task's `evaluate` module on the validation split."""
        from ..metrics.loading import load
        from ..probes.fit import predict

        metric = load(self.task.metric)
        columns = predict(self.task, model, self.validation)
        if self.looks:
            columns = per_video(columns, self.looks)
        metric.add_batch(**columns)
        return {name: float(value) for name, value in metric.compute().items() if isinstance(value, (int, float))}


def train_probe(config: ProbeTrainConfig) -> dict[str, float]:
    """Train a readout and save `output_dir/probe/`.

    Returns:
        The final validation figures, which also stand in `summary.json`.

    Raises:
        ValueError: a setting out of range, an unknown backbone or data set, a task that the set has no labels for, an
            accelerator asked for.
    """
    from ..probes.registry import get_task

    accelerator = make_accelerator(config)
    config.check(accelerator.num_processes * config.accumulation)
    if accelerator.device.type != "cpu":
        raise ValueError(f"cpu must be true for a probe, got false with an accelerator at hand ({accelerator.device})")
    task = get_task(config.task)
    open_parts = open_probeworld if config.data == PROBEWORLD else open_published
    with accelerator.main_process_first():
        parts = open_parts(config, task)
    train, validation = parts.train, parts.validation
    torch.manual_seed(derive_seed("weights", config.seed))
    readout = task.make(train, **{**parts.options, **config.readout})
    for data in (train, validation):
        task.check_labels(readout, data)
    shape, statistics = train.feature_shape, cast("Readout", readout).statistics
    train = train.standardised(torch.float32, statistics=statistics)
    run = build(config, ProbeObjective(task, readout), readout, accelerator)

    def save_results(figures: dict[str, float]) -> None:
        saved = chosen_copy(run)
        if saved is not None:
            finish(run, cast("Readout", saved), shape, figures, parts.classes)

    probe_task = ProbeTask(config, task, train, validation, parts.looks)
    figures = fit(run, probe_task, save_results, results=("summary.json", "probe"))
    leave(accelerator)
    return figures


def finish(
    run: Run, saved: Readout, shape: tuple[int, ...], figures: dict[str, float], classes: Sequence[str] = ()
) -> None:
    """Save the chosen readout as a folder of its own, and beside it how it was trained and what it reached."""
    from .plots import plot_log

    config: Any = run.config
    about = {**to_dict(config), "feature_shape": list(shape), **figures}
    if classes:
        about["classes"] = list(classes)

    def write(folder: Path) -> None:
        saved.save_pretrained(folder)
        (folder / TRAINING_NAME).write_text(json.dumps(about, indent=1) + "\n")

    replace_folder(run.folder / "probe", write)
    write_summary(run.folder, {"steps": run.step, "seconds": round(run.seconds, 1), **figures})
    plot_log(run.folder / "log.jsonl", run.folder / "loss.png", title=f"{config.task} on {config.backbone}")


def load_probe(folder: str | Path, data: Any) -> Readout:
    """The readout of a `probe/` folder, in evaluation mode.

    Args:
        folder: what `train_probe` saved.
        data: a `ProbeData` of the same backbone, layer and task, to hold the shapes against.

    Raises:
        ValueError: the folder is not a probe, or the features do not fit it.
    """
    from ..probes.readout import Readout

    try:
        about = json.loads((Path(folder) / TRAINING_NAME).read_text())
        readout = Readout.from_pretrained(folder)
    except (OSError, ValueError) as error:
        raise ValueError(f"folder must hold a trained probe, got {folder} ({error})") from error
    if list(data.feature_shape[1:]) != about["feature_shape"][1:]:
        raise ValueError(f"features must be {about['feature_shape'][1:]} per sample, got {data.feature_shape[1:]}")
    return readout


def main(argv: Sequence[str] | None = None) -> int:
    """Command line of `scripts/train_probe.py`."""
    description = "Train one readout on frozen features of ProbeWorld clips or of a published data set."
    return run_entry(train_probe, lambda args: parse_config(ProbeTrainConfig, args, description=description), argv)
