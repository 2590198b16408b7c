# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Properties that both recurrent readouts share."""

import pytest
import torch
from torch import nn

from hf_vdrep.probes import RecurrentBoxReadout, RecurrentPointReadout
from hf_vdrep.probes.glance import bilinear_weights

SPANS = torch.tensor([[0, 1], [1, 5], [5, 9]])
SMALL = {"width": 16, "num_heads": 2, "match_width": 8, "time_mode": "nearest"}


def readout(kind: str, **options) -> nn.Module:
    return {"points": RecurrentPointReadout, "boxes": RecurrentBoxReadout}[kind](6, SPANS, 9, **{**SMALL, **options})


def scrambled(kind: str) -> nn.Module:
    torch.manual_seed(0)
    module = readout(kind)
    for parameter in module.parameters():
        nn.init.normal_(parameter, std=0.3)
    return module


def queries(kind: str, count: int, batch: int = 1) -> torch.Tensor:
    draw = torch.Generator().manual_seed(1)
    points = torch.rand(batch, count, 2, generator=draw)
    return points if kind == "points" else torch.cat([points * 0.5, points * 0.5 + 0.3], -1)


@pytest.fixture(params=["points", "boxes"])
def kind(request) -> str:
    return request.param


def test_untrained_tracks_stand_still(kind):
    asked = queries(kind, 5, batch=2)
    found = readout(kind)(torch.randn(2, 3, 4, 4, 6), asked)[0]
    torch.testing.assert_close(found, asked[:, :, None].expand(-1, -1, 9, -1))


def test_tracks_do_not_see_the_future(kind):
    """Predict, look, correct: frame f rests on features up to f."""
    model, values, asked = scrambled(kind), torch.randn(1, 3, 4, 4, 6), queries(kind, 5)
    other = values.clone()
    other[:, 2] = torch.randn(4, 4, 6)
    change = (model(values, asked)[0] - model(other, asked)[0]).abs().amax((0, 1, 3))
    assert (change[:5] == 0).all()
    assert (change[5:] > 1e-5).all()


def test_tracks_do_not_see_each_other(kind):
    model, values, asked = scrambled(kind), torch.randn(2, 3, 4, 4, 6), queries(kind, 5, batch=2)
    torch.testing.assert_close(model(values, asked[:, 1:3])[0], model(values, asked)[0][:, 1:3], rtol=1e-4, atol=1e-4)


def test_the_place_of_a_token_matters(kind):
    """Frozen features need not carry position: the readout must tell where a token stands."""
    model, values, asked = scrambled(kind), torch.randn(1, 3, 4, 4, 6), queries(kind, 5)
    assert (model(values, asked)[0] - model(values.flip(3), asked)[0]).abs().max() > 1e-4


def test_wrong_steps_are_named(kind):
    with pytest.raises(ValueError, match="values must have 3 steps, got 4"):
        readout(kind)(torch.zeros(1, 4, 2, 2, 6), queries(kind, 1))


def test_wrong_widths_are_named(kind):
    with pytest.raises(ValueError, match="width must be a multiple of num_heads, got 16 and 3"):
        readout(kind, num_heads=3)


def test_saved_readouts_answer_the_same(kind, tmp_path):
    model, values, asked = scrambled(kind).eval(), torch.randn(1, 3, 4, 4, 6), queries(kind, 3)
    model.save_pretrained(tmp_path)
    again = type(model).from_pretrained(tmp_path)
    assert again.config == model.config
    assert torch.equal(again(values, asked)[0], model(values, asked)[0])


def test_queries_outside_the_frame_have_finite_answers_and_gradients(kind):
    """Labels reach out of [0, 1] when a point leaves the frame; boxes may be empty."""
    model = scrambled(kind)
    asked = torch.tensor([[[-0.4, 1.7], [5.0, -5.0]]])
    if kind == "boxes":
        asked = torch.tensor([[[-0.2, -0.3, -0.1, -0.1], [0.4, 0.4, 0.4, 0.4]]])
    model(torch.randn(1, 3, 4, 4, 6), asked)[0].sum().backward()
    grads = [parameter.grad for parameter in model.parameters() if parameter.grad is not None]
    assert all(torch.isfinite(grad).all() for grad in grads)


def test_bilinear_weights_equal_torchs_grid_sample():
    maps = torch.randn(1, 3, 4, 5)
    points = torch.rand(1, 7, 2) * 1.4 - 0.2
    grid = points[:, None] * 2 - 1
    expected = nn.functional.grid_sample(maps, grid, padding_mode="border", align_corners=False)[0, :, 0].T
    torch.testing.assert_close((bilinear_weights(points, 4, 5) @ maps.flatten(2).mT)[0], expected)


def test_without_tracks_nothing_is_answered(kind):
    assert readout(kind)(torch.randn(2, 3, 4, 4, 6), queries(kind, 0, batch=2))[0].shape[:3] == (2, 0, 9)
