# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Box tracks: shapes, loss, and what the task asks for."""

import dataclasses
import math

import numpy as np
import pytest
import torch

from hf_vdrep.probes import BoxTracks, ProbeData, get_task
from hf_vdrep.probes.box_losses import box_track_loss
from hf_vdrep.probes.box_shapes import centred, corners, generalised_iou
from hf_vdrep.probes.box_task import box_task
from hf_vdrep.probes.fit import FitConfig, fit_readout, predict

WHOLE = [0.0, 0.0, 1.0, 1.0]


def painted_giou(a: list[float], b: list[float], cells: int = 64) -> float:
    """Areas counted on a raster; exact for boxes whose corners lie on it."""
    line = (np.arange(cells) + 0.5) / cells
    x, y = np.meshgrid(line, line)

    def mask(box):
        return (x > box[0]) & (x < box[2]) & (y > box[1]) & (y < box[3])

    hull = mask([min(a[0], b[0]), min(a[1], b[1]), max(a[2], b[2]), max(a[3], b[3])]).sum()
    union = (mask(a) | mask(b)).sum()
    return (mask(a) & mask(b)).sum() / union - (hull - union) / hull


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ([0.125, 0.25, 0.5, 0.75], [0.25, 0.25, 0.75, 1.0]),
        ([0.0, 0.0, 0.25, 0.25], [0.5, 0.75, 1.0, 1.0]),
        (WHOLE, [0.25, 0.25, 0.5, 0.5]),
    ],
)
def test_generalised_iou_equals_counted_areas(a, b):
    """arXiv 1902.09630."""
    assert generalised_iou(torch.tensor(a), torch.tensor(b)).item() == pytest.approx(painted_giou(a, b), abs=1e-6)


def test_generalised_iou_at_its_ends():
    same = torch.tensor([0.1, 0.2, 0.4, 0.9])
    assert generalised_iou(same, same).item() == pytest.approx(1)
    point, other = torch.tensor([0.2, 0.2, 0.2, 0.2]), torch.tensor([0.7, 0.8, 0.7, 0.8])
    assert generalised_iou(point, other).item() == pytest.approx(-1)
    assert generalised_iou(point, point).item() == 0


def test_centre_and_size_come_back_as_corners():
    boxes = torch.tensor([0.1, 0.2, 0.5, 0.8])
    torch.testing.assert_close(centred(boxes), torch.tensor([0.3, 0.5, 0.4, 0.6]))
    torch.testing.assert_close(corners(centred(boxes)), boxes)
    turned = corners(torch.tensor([0.3, 0.5, -0.4, -0.6]))
    assert (turned[:2] <= turned[2:]).all()


def test_loss_is_smooth_l1_and_half_of_what_giou_lacks():
    """papers.md 8.3: smooth-L1 x 1 + GIoU x 0.5; two frames, one off by 0.1 in x2."""
    truth = torch.tensor([[[[0.2, 0.2, 0.6, 0.6]] * 2]])
    found = truth.clone()
    found[..., 1, 2] += 0.1
    parts = box_track_loss(BoxTracks(found, None), truth, torch.ones(1, 1, 2, dtype=torch.bool))
    assert parts["corners"].item() == pytest.approx((0.1 - 0.01) / 2, abs=1e-6)
    assert parts["giou"].item() == pytest.approx(0.5 * (1 - 0.4 / 0.5) / 2, abs=1e-6)
    assert parts["loss"].item() == pytest.approx(sum(parts[name].item() for name in ("corners", "giou")))


def test_absent_frames_and_masked_objects_carry_no_loss():
    truth, found = torch.rand(1, 3, 4, 2).repeat(1, 1, 1, 2), torch.rand(1, 3, 4, 4)
    present = torch.ones(1, 3, 4, dtype=torch.bool)
    present[0, 0, 2] = False
    mask = torch.tensor([True, True, False])[None, :, None]
    wild = truth.clone()
    wild[0, 0, 2] = float("nan")
    wild[0, 2] = float("inf")
    found.requires_grad_()
    loss = box_track_loss(BoxTracks(found, None), wild, present, mask=mask)["loss"]
    loss.backward()
    assert math.isfinite(loss.item())
    assert torch.isfinite(found.grad).all()
    assert (found.grad[0, 2] == 0).all() and (found.grad[0, 0, 2] == 0).all()
    assert found.grad[0, 1].abs().sum() > 0


def test_boxes_without_area_leave_loss_and_gradient_finite():
    """Clipped to the frame, a box may keep no area; a prediction may shrink to a point."""
    empty = torch.tensor([[[[0.3, 0.0, 0.3, 0.4], [0.0, 0.0, 0.0, 0.0]]]])
    for start in (empty.clone(), torch.full_like(empty, 0.5)):
        found = start.requires_grad_()
        loss = box_track_loss(BoxTracks(found, None), empty, torch.ones(1, 1, 2, dtype=torch.bool))["loss"]
        loss.backward()
        assert math.isfinite(loss.item()) and torch.isfinite(found.grad).all()


def test_no_object_gives_no_loss():
    nothing = torch.zeros(2, 3, 4, dtype=torch.bool)
    found = torch.rand(2, 3, 4, 4, requires_grad=True)
    parts = box_track_loss(BoxTracks(found, torch.zeros(2, 3, 4)), torch.rand(2, 3, 4, 4), nothing, mask=nothing)
    parts["loss"].backward()
    assert parts["loss"].item() == 0
    assert (found.grad == 0).all()


def test_presence_is_cross_entropy_over_what_counts():
    present = torch.tensor([[[True, False]]])
    found = BoxTracks(torch.zeros(1, 1, 2, 4), torch.tensor([[[2.0, 2.0]]]))
    parts = box_track_loss(found, torch.zeros(1, 1, 2, 4), present)
    assert parts["presence"].item() == pytest.approx((math.log(1 + math.exp(-2)) + math.log(1 + math.exp(2))) / 2, 1e-5)


def gliding(count: int, seed: int, told: bool) -> ProbeData:
    """Boxes that glide and grow; the features tell each clip's shift and growth, or are noise."""
    draw = torch.Generator().manual_seed(seed)
    time = torch.linspace(0, 1, 5)
    shift = (torch.rand(count, 1, 1, 2, generator=draw) - 0.5) * 0.4
    grow = (torch.rand(count, 1, 1, 1, generator=draw) - 0.5) * 0.3
    centre = 0.3 + 0.4 * torch.rand(count, 3, 1, 2, generator=draw) + shift * time[:, None]
    size = 0.3 + grow * time[:, None]
    boxes = torch.cat([centre - size / 2, centre + size / 2], -1)
    truth = (torch.cat([shift, grow], -1) * time[:, None]).squeeze(1)[:, :, None, None].expand(-1, -1, 4, 4, -1) * 6
    features = 0.2 * torch.randn(count, 5, 4, 4, 16, generator=draw)
    if told:
        waves = torch.cat([truth.sin(), truth.cos()], -1)
        features[..., :12] = torch.cat([waves, -waves], -1)
    else:
        features = torch.randn(count, 5, 4, 4, 16, generator=draw)
    present = torch.ones(count, 3, 5, dtype=torch.bool)
    present[::3, 0, 0] = False
    present[1::3, 1, 3] = False
    return ProbeData(features, {"boxes": boxes, "present": present}, torch.arange(5)[:, None] + torch.tensor([0, 1]), 5)


def mean_iou(columns: dict[str, np.ndarray]) -> float:
    """Over the frames after the first where the object is there, of the objects that could be asked for."""
    a, b = columns["predictions"], columns["references"].clip(0, 1)
    sides = np.minimum(a[..., 2:], b[..., 2:]) - np.maximum(a[..., :2], b[..., :2])
    overlap = sides.clip(0).prod(-1)
    union = (a[..., 2:] - a[..., :2]).prod(-1) + (b[..., 2:] - b[..., :2]).prod(-1) - overlap
    counts = columns["present"] & columns["present"][:, :, :1] & (np.arange(5) > 0)
    return float((overlap / union)[counts].mean())


def test_boxes_are_read_where_they_move_and_not_from_noise():
    """On oracle features near-perfect, on noise no better than boxes that stand still."""
    config = FitConfig(steps=600, batch_size=16, learning_rates=(5e-3,), bf16=False)
    options = {"width": 32, "num_heads": 2, "match_width": 8}
    task, score = box_task(), {}
    for told in (True, False):
        train, test = gliding(384, 0, told), gliding(64, 1, told)
        asked = config if told else dataclasses.replace(config, steps=60)
        fit = fit_readout(task, train, test, config=asked, options=options)
        columns = predict(task, fit.best.readout, test)
        score[told] = mean_iou(columns)
    still = {**columns, "predictions": columns["references"][:, :, :1].repeat(5, 2).clip(0, 1)}
    assert score[True] > 0.96
    assert score[False] < mean_iou(still) + 0.03


def test_absent_objects_are_asked_for_past_the_end():
    data = gliding(3, 0, True)
    task = get_task("box_tracks")
    columns = predict(task, task.make(data, width=16, num_heads=2).eval(), data)
    assert columns["query_frames"].tolist() == [[5, 0, 0], [0, 0, 0], [0, 0, 0]]
    assert columns["predictions"].shape == columns["references"].shape == (3, 3, 5, 4)
    assert (columns["predictions"] >= 0).all() and (columns["predictions"] <= 1).all()


def test_clips_without_any_object_are_trained_on_and_predicted():
    data = gliding(16, 0, True)
    data.labels["present"][:] = False
    fit = fit_readout(
        get_task("box_tracks"),
        data,
        data,
        config=FitConfig(steps=2, batch_size=8, learning_rates=(1e-3,)),
        options={"width": 16, "num_heads": 2},
    )
    assert fit.best.train_loss == 0
    assert all(torch.isfinite(parameter).all() for parameter in fit.best.readout.parameters())
