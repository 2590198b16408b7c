# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Each readout reads the truth where the features hold it, and nothing where they hold noise.

The truth is painted into a few channels as pairs of sines and their negatives, amid channels of noise: every token then
has the same mean and variance, so that standardising it takes nothing away.
"""

import dataclasses

import numpy as np
import pytest
import torch

from hf_vdrep.metrics.tracking import tracking_scores
from hf_vdrep.probes import FitConfig, ProbeData, fit_readout, get_task, predict
from hf_vdrep.probes.depth_task import depth_task
from hf_vdrep.probes.track_task import track_task

FRAMES, GRID, CHANNELS = 5, 4, 16
SPANS = torch.stack([torch.arange(FRAMES), torch.arange(FRAMES) + 1], 1)


def paint(truth: torch.Tensor, seed: int) -> torch.Tensor:
    """(N, T, H, W, k) -> features (N, T, H, W, CHANNELS) that hold it."""
    features = 0.2 * torch.randn(*truth.shape[:-1], CHANNELS, generator=torch.Generator().manual_seed(seed))
    waves = torch.cat([(truth * 2).sin(), (truth * 2).cos()], -1)
    features[..., : 2 * waves.shape[-1]] = torch.cat([waves, -waves], -1)
    return features


def data(truth: torch.Tensor | None, labels: dict, seed: int) -> ProbeData:
    count = len(next(iter(labels.values())))
    shape = (count, FRAMES, GRID, GRID, CHANNELS)
    noise = torch.randn(shape, generator=torch.Generator().manual_seed(seed))
    return ProbeData(noise if truth is None else paint(truth, seed), labels, SPANS, FRAMES)


def classes(count: int, seed: int) -> tuple[torch.Tensor, dict]:
    """Four classes, said by one token of each clip."""
    draw = torch.Generator().manual_seed(seed)
    label = torch.randint(4, (count,), generator=draw)
    truth = torch.zeros(count, FRAMES, GRID, GRID, 1)
    place = torch.randint(GRID * GRID, (count,), generator=draw)
    truth.view(count, FRAMES, -1)[torch.arange(count), 2, place] = 0.4 + 0.5 * label.float()
    return truth, {"action_motion": label}


def planes(count: int, seed: int) -> tuple[torch.Tensor, dict]:
    """Tilted planes whose log-depth moves with time; the features hold it at the centre of each cell."""
    draw = torch.Generator().manual_seed(seed)
    tilt = (torch.rand(count, 3, 1, 1, 1, generator=draw) - 0.5) * 0.8
    line = (torch.arange(32.0) + 0.5) / 32 - 0.5
    time = torch.linspace(-1, 1, FRAMES)[None, :, None, None]
    log_depth = 1 + tilt[:, 0] * line + tilt[:, 1] * line[:, None] + tilt[:, 2] * time
    cells = torch.nn.functional.avg_pool2d(log_depth, 8)
    return cells[..., None], {"depth": log_depth.exp()}


def affine_motions(count: int, seed: int) -> tuple[torch.Tensor, dict]:
    """Points carried by a field of displacements; the features hold it at the centre of each cell. A fifth hides."""
    draw = torch.Generator().manual_seed(seed)
    shift = (torch.rand(count, 1, 2, generator=draw) - 0.5) * 0.5
    zoom = (torch.rand(count, 1, 1, generator=draw) - 0.5) * 0.4
    time = torch.linspace(0, 1, FRAMES)
    start = 0.1 + 0.8 * torch.rand(count, 12, 2, generator=draw)
    line = (torch.arange(float(GRID)) + 0.5) / GRID
    cells = torch.stack(torch.meshgrid(line, line, indexing="xy"), -1).flatten(0, 1)[None]

    def moved(points: torch.Tensor) -> torch.Tensor:
        return (shift + zoom * (points - 0.5))[:, :, None] * time[:, None]

    field = moved(cells).transpose(1, 2).unflatten(2, (GRID, GRID))
    hidden = torch.rand(count, 1, 1, generator=draw) < 0.2
    visible = ~(hidden & (time > 0.6)).expand(-1, 12, -1)
    told = torch.where(visible[:, 0, :, None, None, None], 0.0, 1.0).expand(-1, -1, GRID, GRID, 1)
    tracks = start[:, :, None] + moved(start)
    return torch.cat([field * 4, told], -1), {"tracks": tracks, "visible": visible}


def turns(count: int, seed: int) -> tuple[torch.Tensor, dict]:
    """Cameras that turn about one axis and move; the last step's tokens hold angle and way."""
    draw = torch.Generator().manual_seed(seed)
    told = torch.rand(count, 4, generator=draw) - 0.5
    cos, sin = told[:, 0].cos(), told[:, 0].sin()
    pose = torch.eye(3, 4).expand(count, FRAMES, -1, -1).clone()
    pose[:, -1, 0, 0], pose[:, -1, 0, 2], pose[:, -1, 2, 0], pose[:, -1, 2, 2] = cos, sin, -sin, cos
    pose[:, -1, :, 3] = told[:, 1:]
    truth = torch.zeros(count, FRAMES, GRID, GRID, 4)
    truth[:, -1] = told[:, None, None]
    return truth, {"pose": pose}


def outcome(task, make, config: FitConfig, painted: bool, options: dict) -> dict[str, np.ndarray]:
    (truth, labels), (test_truth, test_labels) = make(512, 0), make(64, 1)
    train = data(truth if painted else None, labels, 2)
    test = data(test_truth if painted else None, test_labels, 3)
    found = fit_readout(task, train, test, config=config, options=options)
    return predict(task, found.best.readout, test)


def right(columns: dict[str, np.ndarray]) -> float:
    return float((columns["predictions"].argmax(1) == columns["references"]).mean())


def test_classes_are_read_where_they_stand_and_not_from_noise():
    task = get_task("action_motion")
    config = FitConfig(steps=150, batch_size=32, learning_rates=(1e-2,))
    options = {"width": 32, "num_heads": 4}
    assert right(outcome(task, classes, config, True, options)) > 0.9
    assert right(outcome(task, classes, dataclasses.replace(config, steps=60), False, options)) < 0.45


def test_depth_is_read_where_it_stands_and_not_from_noise():
    task = depth_task(train_stride=8, eval_stride=8, train_frames=3, eval_every=2)
    config = FitConfig(steps=150, batch_size=16, learning_rates=(1e-2,))
    options = {"width": 32, "num_heads": 2, "num_blocks": 1}

    def abs_rel(columns: dict[str, np.ndarray]) -> float:
        return float(np.abs(columns["predictions"] / columns["references"] - 1).mean())

    constant = float(np.abs(np.e / planes(64, 1)[1]["depth"].numpy() - 1).mean())
    assert abs_rel(outcome(task, planes, config, True, options)) < 0.25 * constant
    assert abs_rel(outcome(task, planes, dataclasses.replace(config, steps=40), False, options)) > 0.7 * constant


def test_tracks_are_read_where_they_move_and_not_from_noise():
    """At 4 x 4 cells a pixel of 256 is 1/64 of a cell: the Average Jaccard of the metric itself, near 1."""
    task = track_task(train_tracks=12)
    config = FitConfig(steps=600, batch_size=16, learning_rates=(1e-2,), bf16=False)
    options = {"width": 32, "num_heads": 2, "num_blocks": 1}

    def jaccard(columns: dict[str, np.ndarray]) -> float:
        return float(np.nanmean(tracking_scores(*columns.values())["average_jaccard"]))

    painted = outcome(task, affine_motions, config, True, options)
    static = painted["references"][:, :, :1].repeat(FRAMES, 2)
    still = jaccard({**painted, "predictions": static, "predicted_visible": np.ones_like(painted["visible"])})
    assert jaccard(painted) > 0.88
    assert (painted["predicted_visible"] == painted["visible"]).mean() > 0.98
    assert jaccard(outcome(task, affine_motions, dataclasses.replace(config, steps=40), False, options)) < still + 0.05


def end_points(columns: dict[str, np.ndarray]) -> float:
    """Mean distance of the corners of [-5, 5] x [-5, 5] x [0, 10] under the two poses (papers.md section 10)."""
    corners = np.array(np.meshgrid([-5, 5], [-5, 5], [0, 10])).reshape(3, -1)
    error = columns["predictions"] - columns["references"]
    return float(np.linalg.norm(error[:, :, :3] @ corners + error[:, :, 3:], axis=1).mean())


def test_the_camera_is_read_where_it_stands_and_not_from_noise():
    task = get_task("camera_pose")
    config = FitConfig(steps=120, batch_size=64, learning_rates=(1e-2,))
    options = {"width": 32, "num_heads": 4, "num_queries": 2}
    truth = torch.cat([labels["pose"][:, -1] for _, labels in (turns(512, 0), turns(64, 1))])
    mean = truth[:512].mean(0).expand(64, -1, -1).numpy()
    constant = end_points({"predictions": mean, "references": truth[512:].numpy()})
    assert end_points(outcome(task, turns, config, True, options)) < 0.1 * constant
    assert end_points(outcome(task, turns, dataclasses.replace(config, steps=40), False, options)) > 0.9 * constant


def placed_planes(count: int, seed: int) -> tuple[torch.Tensor, dict]:
    """Planes whose tokens also hold where they stand, as a backbone with positions would tell."""
    truth, labels = planes(count, seed)
    line = (torch.arange(float(GRID)) + 0.5) / GRID - 0.5
    place = torch.stack([line.expand(GRID, GRID), line[:, None].expand(GRID, GRID)], -1)
    return torch.cat([truth - 1, place.expand(count, FRAMES, -1, -1, -1)], -1), labels


FORMS: dict[str, tuple[int, dict]] = {
    "source": (150, {"num_heads": 2, "head_width": 16, "mlp_width": 64, "num_blocks": 2, "octaves": 2}),
    "patches": (400, {"width": 32, "num_heads": 4, "patch": [1, 8, 8]}),
    "linear": (120, {}),
}


@pytest.mark.parametrize("form", sorted(FORMS))
def test_other_forms_of_the_dense_readout_read_depth_and_invent_none(form):
    task = depth_task(train_stride=8, eval_stride=8, train_frames=3, eval_every=2)
    steps, sizes = FORMS[form]
    options = {"readout": form, **sizes}
    config = FitConfig(steps=steps, batch_size=16, learning_rates=(1e-2,), bf16=False)

    def abs_rel(columns: dict[str, np.ndarray]) -> float:
        return float(np.abs(columns["predictions"] / columns["references"] - 1).mean())

    constant = float(np.abs(np.e / planes(64, 1)[1]["depth"].numpy() - 1).mean())
    assert abs_rel(outcome(task, placed_planes, config, True, options)) < 0.25 * constant
    assert abs_rel(outcome(task, planes, dataclasses.replace(config, steps=30), False, options)) > 0.7 * constant
