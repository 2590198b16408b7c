# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""What can be known without seeing, or by looking at pixels only: the floor under every task, and the leaks.

The readout is ridge regression on the raw pixels of small frames. It is weak on purpose: where it beats chance, the
label lies open. One frame stands for the clip in two ways: its middle frame, and a frame at a time that is drawn per
clip. Shuffling the frames of a clip leaves all its pictures and takes their order.

By construction the middle frame says nothing about the motion, and no set of unordered frames tells a motion from its
reverse. The first and the last frame do say something: a thing that will move left stands further right.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor
from tqdm.auto import tqdm

from .classes import action_coarse_class, action_many_class, fine_class, scene_class
from .config import ProbeWorldConfig
from .scene import Scene
from .vocabulary import TASK_NAMES
from .world import ProbeWorld

SIDE, FRAMES = 16, 5
_GROUP = 128
_LABELS = {
    "object": lambda scene: int(scene.kind[0]),
    "scene": scene_class,
    "fine": fine_class,
    "action_coarse": action_coarse_class,
    "action_many": action_many_class,
    "action_motion": lambda scene: scene.motion,
}


@dataclasses.dataclass(frozen=True)
class Floor:
    """Accuracies in [0, 1] on one task.

    Attributes:
        task: its name; "reversal" is telling a motion from its reverse, given the pair.
        classes: how many.
        clips: scored.
        chance: of always naming the training set's most frequent class.
        middle, some: ridge on the middle frame, on a frame at a random time.
        shuffled, clip: ridge on the clip with its frames in random, in their true order.
        half_width: of the 95 % interval of `chance`.
    """

    task: str
    classes: int
    clips: int
    chance: float
    middle: float
    some: float
    shuffled: float
    clip: float
    half_width: float


@dataclasses.dataclass(eq=False)
class Views:
    """Small clips of one split: video float32 (N, T, H, W, 3) in [0, 1], and their scene graphs."""

    video: Tensor
    scenes: list[Scene]

    def take(self, rows: Sequence[int]) -> Views:
        """Some of the clips."""
        return Views(self.video[list(rows)], [self.scenes[row] for row in rows])


def small_views(split: str, size: int, config: ProbeWorldConfig, progress: bool = False) -> Views:
    """The first `size` clips of a split at `FRAMES` x `SIDE` x `SIDE`; the middle frame is the clip's own."""
    world = ProbeWorld(split, size, dataclasses.replace(config, num_frames=FRAMES, resolution=SIDE))
    starts = tqdm(range(0, size, _GROUP), desc=f"drawing {split}", unit="batch", disable=not progress)
    scenes = [world.scene(index) for index in range(size)]
    parts = [world.render_scenes(scenes[start : start + _GROUP]).video for start in starts]
    return Views(torch.cat(parts).float() / 255, scenes)


def ridge_operator(train: Tensor, test: Tensor, weight: float = 0.3) -> Tensor:
    """What ridge regression multiplies training targets by to answer on `test`: float64 (M, N).

    Args:
        train, test: inputs (N, ...) and (M, ...), flattened and centred on the training mean.
        weight: penalty as a part of the inputs' mean energy.
    """
    inputs, probe = (part.reshape(len(part), -1).double() for part in (train, test))
    mean = inputs.mean(0)
    inputs, probe = inputs - mean, probe - mean
    kernel = inputs @ inputs.T
    kernel.diagonal().add_(weight * kernel.diagonal().mean())
    return torch.linalg.solve(kernel, inputs @ probe.T).T


def ridge_accuracy(operator: Tensor, labels: np.ndarray, truth: np.ndarray, classes: int) -> float:
    """Accuracy of one-hot ridge regression from labels (N,) to truth (M,), both in [0, classes - 1]."""
    target = torch.nn.functional.one_hot(torch.from_numpy(labels), classes).double()
    offset = target.mean(0)
    answer = operator @ (target - offset) + offset
    return float((answer.argmax(1).numpy() == truth).mean())


def one_frame(video: Tensor, rng: np.random.Generator) -> Tensor:
    """One frame of each clip (N, H, W, 3) at a random time."""
    return video[torch.arange(len(video)), torch.from_numpy(rng.integers(video.shape[1], size=len(video)))]


def shuffled(video: Tensor, rng: np.random.Generator) -> Tensor:
    """The clips with their frames in random order."""
    order = torch.from_numpy(rng.permuted(np.tile(np.arange(video.shape[1]), (len(video), 1)), axis=1))
    return video[torch.arange(len(video))[:, None], order]


def ridge_views(train: Views, test: Views) -> dict[str, Tensor]:
    """Ridge operators of the four ways to look at a clip: the columns of `Floor`."""
    rng = np.random.default_rng(0)
    middle = train.video.shape[1] // 2
    pairs = {
        "middle": (train.video[:, middle], test.video[:, middle]),
        "some": (one_frame(train.video, rng), one_frame(test.video, rng)),
        "shuffled": (shuffled(train.video, rng), shuffled(test.video, rng)),
        "clip": (train.video, test.video),
    }
    return {name: ridge_operator(seen, unseen) for name, (seen, unseen) in pairs.items()}


def floor(task: str, operators: dict[str, Tensor], labels: np.ndarray, truth: np.ndarray, classes: int) -> Floor:
    """All columns of one row."""
    scores = {name: ridge_accuracy(operator, labels, truth, classes) for name, operator in operators.items()}
    chance = float((truth == np.bincount(labels, minlength=classes).argmax()).mean())
    half = 1.96 * np.sqrt(chance * (1 - chance) / len(truth))
    return Floor(task, classes, len(truth), chance, half_width=float(half), **scores)


def class_floors(train_size: int, test_size: int, config: ProbeWorldConfig, progress: bool = False) -> list[Floor]:
    """A row per classification task and one for telling a motion from its reverse.

    Args:
        train_size, test_size: clips drawn; the fine-grained task keeps its own part of them.
        config: the world; frames are drawn small.
    """
    sizes = {"train": train_size, "test": test_size}
    every = {split: small_views(split, size, config, progress) for split, size in sizes.items()}
    fine = {
        split: views.take(ProbeWorld(split, len(views.scenes), config).task_indices("fine"))
        for split, views in every.items()
    }
    operators = {name: ridge_views(views["train"], views["test"]) for name, views in (("all", every), ("fine", fine))}
    rows = []
    for task, label in _LABELS.items():
        views, name = (fine, "fine") if task == "fine" else (every, "all")
        labels, truth = (np.array([label(scene) for scene in part.scenes]) for part in views.values())
        rows.append(floor(task, operators[name], labels, truth, len(TASK_NAMES[task])))
    return [*rows, reversal(every["train"], every["test"])]


def reversal(train: Views, test: Views) -> Floor:
    """Is it the motion or its reverse, given which pair it is: one readout per pair, scores averaged over clips."""
    parts = []
    for pair in range(len(TASK_NAMES["action_motion"]) // 2):
        seen, unseen = (
            views.take([row for row, scene in enumerate(views.scenes) if scene.motion // 2 == pair])
            for views in (train, test)
        )
        labels, truth = (np.array([scene.motion % 2 for scene in part.scenes]) for part in (seen, unseen))
        parts.append(floor("reversal", ridge_views(seen, unseen), labels, truth, 2))
    clips = sum(part.clips for part in parts)
    columns = ("middle", "some", "shuffled", "clip")
    means = {name: sum(getattr(part, name) * part.clips for part in parts) / clips for name in columns}
    return Floor("reversal", 2, clips, 0.5, half_width=1.96 * 0.5 / clips**0.5, **means)
