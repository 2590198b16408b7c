# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
import math

import pytest
import torch

from hf_vdrep.probes.losses import depth_loss, point_track_loss
from hf_vdrep.probes.outputs import PointTracks

SURE = 30.0


def tracks_at(offset_pixels: float, visible_logit: float = SURE, certain_logit: float = SURE):
    """One visible track over 4 frames, every prediction off by so many pixels of 256 along x."""
    truth = torch.full((1, 1, 4, 2), 0.5)
    off = truth + torch.tensor([offset_pixels / 256, 0.0])
    logits = torch.full((1, 1, 4), visible_logit), torch.full((1, 1, 4), certain_logit)
    return PointTracks(off, *logits), truth, torch.ones(1, 1, 4, dtype=torch.bool)


@pytest.mark.parametrize(("pixels", "huber"), [(0.0, 0.0), (2.0, 2.0), (4.0, 8.0), (10.0, 4 * (10 - 2))])
def test_position_is_huber_in_pixels_of_256(pixels, huber):
    """papers.md 8.3: delta 4 px, weight 0.05; quadratic inside, linear outside."""
    loss = point_track_loss(*tracks_at(pixels))["position"]
    assert loss.item() == pytest.approx(0.05 * huber, abs=1e-5)


@pytest.mark.parametrize(("pixels", "huber"), [(0.5, 0.5), (1.0, 2.0), (4.0, 4 * (4 - 0.5))])
def test_a_smaller_delta_keeps_the_slope_of_large_errors(pixels, huber):
    loss = point_track_loss(*tracks_at(pixels), huber_delta=1.0)["position"]
    assert loss.item() == pytest.approx(0.05 * huber, abs=1e-5)


def test_certainty_means_within_six_pixels():
    """MooG's sign: the logit is positive where the position is right."""
    for pixels, target in ((5.9, 1), (6.1, 0)):
        right = point_track_loss(*tracks_at(pixels, certain_logit=SURE if target else -SURE))["certainty"]
        wrong = point_track_loss(*tracks_at(pixels, certain_logit=-SURE if target else SURE))["certainty"]
        assert right.item() < 1e-6
        assert wrong.item() == pytest.approx(SURE, rel=1e-4)


def test_the_certainty_target_carries_no_gradient():
    found, truth, visible = tracks_at(5.0)
    positions = found.positions.requires_grad_()
    loss = point_track_loss(PointTracks(positions, found.visible, found.certain), truth, visible)["certainty"]
    assert not loss.requires_grad


def test_hidden_points_teach_visibility_alone():
    found, truth, visible = tracks_at(50.0, visible_logit=-SURE)
    parts = point_track_loss(found, truth, ~visible)
    assert parts["loss"].item() == pytest.approx(0, abs=1e-6)
    wrong = point_track_loss(tracks_at(50.0)[0], truth, ~visible)["visibility"]
    assert wrong.item() == pytest.approx(SURE, rel=1e-4)


def test_hidden_positions_of_any_kind_leave_the_loss_finite():
    """Labels may hold anything where the point is hidden."""
    found, truth, visible = tracks_at(0.0)
    visible[..., 2:] = False
    truth[:, :, 2:] = float("nan")
    loss = point_track_loss(PointTracks(found.positions.requires_grad_(), *found[1:]), truth, visible)["loss"]
    loss.backward()
    assert torch.isfinite(loss)
    assert torch.isfinite(found.positions.grad).all()


def test_masked_tracks_do_not_count():
    found, truth, visible = tracks_at(8.0)
    both = PointTracks(*[torch.cat([part, part]) for part in found])
    mask = torch.tensor([True, False])[:, None, None]
    double = point_track_loss(both, torch.cat([truth, truth]), torch.cat([visible, visible]), mask=mask)
    torch.testing.assert_close(double["loss"], point_track_loss(found, truth, visible)["loss"])


def test_visible_rule_is_the_product_of_both_probabilities():
    """papers.md 8.3: sigmoid(visible) * sigmoid(certain) > 0.5."""
    logits = torch.tensor([[[10.0, 10.0, 0.1, 1.0]]]), torch.tensor([[[10.0, -10.0, 10.0, 0.5]]])
    found = PointTracks(torch.zeros(1, 1, 4, 2), *logits)
    assert found.said_visible().tolist() == [[[True, False, True, False]]]


def test_depth_loss_is_the_log_ratio_over_valid_pixels():
    """For a scaled depth the loss is |log s|, whatever the depth."""
    depth = torch.tensor([[1.0, 2.0, 0.0, 12.0]])
    predicted = torch.tensor([[math.log(2.0), math.log(4.0), 5.0, 5.0]])
    assert depth_loss(predicted, depth).item() == pytest.approx(math.log(2))


def test_depth_loss_without_valid_pixels_is_zero():
    predicted = torch.zeros(1, 3, requires_grad=True)
    loss = depth_loss(predicted, torch.zeros(1, 3))
    loss.backward()
    assert loss.item() == 0
    assert torch.isfinite(predicted.grad).all()
