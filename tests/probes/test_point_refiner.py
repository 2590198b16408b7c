# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""The reference's point tracker: sampling, look-ups, and being carried along."""

import pytest
import torch

from hf_vdrep.probes.point_refiner import PointRefiner, _apart, look_up, sample_maps


def refiner(**options) -> PointRefiner:
    torch.manual_seed(0)
    return PointRefiner((4, 6), 5, 3, width=16, match_width=8, **options).eval()


def maps(batch: int = 1) -> tuple[list[torch.Tensor], torch.Tensor]:
    draw = torch.Generator().manual_seed(0)
    single = [torch.randn(batch, 3, side, side, width, generator=draw) for side, width in ((16, 4), (8, 6))]
    return single, torch.randn(batch, 3, 8, 8, 5, generator=draw)


def test_maps_are_sampled_at_pixel_centres():
    """Point (j + 0.5) / W is column j."""
    values = torch.arange(12.0).view(1, 3, 4, 1)
    points = torch.tensor([[[1.5 / 4, 2.5 / 3]]])
    assert sample_maps(values, points).item() == pytest.approx(9.0, abs=1e-4)


def test_look_ups_are_windows_around_points_and_zero_outside():
    volume = torch.arange(1.0, 13.0).view(1, 1, 1, 3, 4)
    seen = look_up(volume, torch.tensor([[[[1.5 / 4, 2.5 / 3]]]]))[0, 0, 0].view(7, 7)
    assert seen[3, 3].item() == pytest.approx(10.0, abs=1e-4)
    assert seen[2, 4].item() == pytest.approx(7.0, abs=1e-4)
    assert (seen[4:] == 0).all()
    between = look_up(volume, torch.tensor([[[[2.0 / 4, 2.5 / 3]]]]))[0, 0, 0].view(7, 7)
    assert between[3, 3].item() == pytest.approx(10.5, abs=1e-4)


def test_untrained_tracker_stands_still():
    single, moving = maps()
    points = torch.rand(1, 4, 2)
    found = refiner()(single, moving, points)
    assert len(found) == 3
    torch.testing.assert_close(found[-1].positions, points[:, :, None].expand(-1, -1, 3, -1))


def test_points_are_carried_by_the_velocity_where_they_are():
    """A velocity that is the same everywhere adds up frame by frame."""
    model, (single, moving) = refiner(), maps()
    model.velocity[-1].bias.data = torch.tensor([0.8, -0.4])
    points = torch.full((1, 2, 2), 0.5)
    places = model.carry(single[0], moving, points)
    expected = 0.5 + torch.arange(3.0)[:, None] * torch.tensor([0.05, -0.025])
    torch.testing.assert_close(places, expected[None, :, None].expand(1, 3, 2, 2))


def test_tracks_do_not_see_each_other():
    model, (single, moving) = refiner(), maps(2)
    for layer in (model.move, model.velocity[-1]):
        torch.nn.init.normal_(layer.weight)
    points = torch.rand(2, 5, 2)
    whole, part = model(single, moving, points)[-1], model(single, moving, points[:, 1:3])[-1]
    torch.testing.assert_close(part.positions, whole.positions[:, 1:3], rtol=1e-3, atol=1e-4)


def test_pixels_of_a_cell_lie_side_by_side():
    """Channels of a cell hold its four pixels, row after row."""
    cells = torch.arange(16.0).view(1, 1, 2, 2, 4)
    expected = torch.tensor([[0.0, 1, 4, 5], [2, 3, 6, 7], [8, 9, 12, 13], [10, 11, 14, 15]])
    torch.testing.assert_close(_apart(cells)[0, 0, ..., 0], expected)


def test_points_outside_the_frame_have_finite_answers():
    model, (single, moving) = refiner(), maps()
    found = model(single, moving, torch.tensor([[[-3.0, 0.5], [9.0, -9.0]]]))
    assert all(torch.isfinite(part).all() for part in found[-1])
