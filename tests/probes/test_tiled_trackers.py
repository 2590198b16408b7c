# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""4DS's trackers without a recurrence."""

import pytest
import torch

from hf_vdrep.probes import FitConfig, ProbeData, TiledBoxReadout, TiledPointReadout, fit_readout, predict
from hf_vdrep.probes.box_task import box_task
from hf_vdrep.probes.track_task import track_task

SPANS = torch.tensor([[0, 1], [1, 5], [5, 9]])
KINDS = {"points": TiledPointReadout, "boxes": TiledBoxReadout}
BOX = [0.2, 0.2, 0.6, 0.7]


def queries(kind: str, count: int) -> torch.Tensor:
    return torch.rand(1, count, 2) if kind == "points" else torch.tensor(BOX).expand(1, count, 4)


@pytest.fixture(params=list(KINDS))
def kind(request) -> str:
    return request.param


def test_untrained_tiles_say_that_nothing_moves(kind):
    asked = queries(kind, 3)
    found = KINDS[kind](6, SPANS, 9, width=16)(torch.randn(1, 3, 4, 4, 6), asked)[0]
    torch.testing.assert_close(found, asked[:, :, None].expand(-1, -1, 9, -1))


def test_a_tile_answers_for_two_frames_and_the_last_may_be_cut():
    """papers.md 8.3: 8 tiles of 2 frames for 16; 17 frames need a ninth."""
    spans = torch.stack([torch.arange(17), torch.arange(17) + 1], 1)
    assert TiledPointReadout(6, spans[:16], 16, width=16).tile_embedding.shape == (8, 16)
    assert TiledPointReadout(6, spans, 17, width=16).tile_embedding.shape == (9, 16)
    assert TiledBoxReadout(6, spans[:16], 16, width=16).tile_embedding.shape == (1, 16)
    found = TiledPointReadout(6, spans, 17, width=16)(torch.randn(2, 17, 2, 2, 6), torch.rand(2, 5, 2))
    assert [part.shape[:3] for part in found] == [(2, 5, 17)] * 3


def test_frames_of_one_tile_differ_and_tiles_differ(kind):
    """A trained head says different things for different frames of one tile, and one embedding for each tile."""
    torch.manual_seed(0)
    model = KINDS[kind](6, SPANS, 9, width=16, frames_per_tile=3)
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    found = model(torch.randn(1, 3, 4, 4, 6), queries(kind, 1))[0][0, 0]
    assert torch.cdist(found, found).add(torch.eye(9)).min() > 1e-4


def test_boxes_keep_their_corners_in_order():
    torch.manual_seed(0)
    model = TiledBoxReadout(6, SPANS, 9, width=16)
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=1.0)
    found = model(torch.randn(1, 3, 4, 4, 6), queries("boxes", 5)).boxes
    assert (found[..., :2] <= found[..., 2:]).all()


def test_saved_tiles_answer_the_same(kind, tmp_path):
    model = KINDS[kind](6, SPANS, 9, width=16).eval()
    torch.nn.init.normal_(model.head[0].weight)
    model.save_pretrained(tmp_path)
    values, asked = torch.randn(1, 3, 4, 4, 6), queries(kind, 2)
    assert torch.equal(KINDS[kind].from_pretrained(tmp_path)(values, asked)[0], model(values, asked)[0])


def test_tiles_of_no_frame_are_named():
    with pytest.raises(ValueError, match="frames_per_tile must be at least 1, got 0"):
        TiledPointReadout(6, SPANS, 9, frames_per_tile=0)


def shifted(count: int, seed: int, told: bool) -> ProbeData:
    """Everything moves with the clip, and the features tell by how much, or are noise."""
    draw = torch.Generator().manual_seed(seed)
    shift = (torch.rand(count, 1, 1, 2, generator=draw) - 0.5) * 0.6
    path = shift * torch.linspace(0, 1, 5)[:, None]
    tracks = 0.3 + 0.4 * torch.rand(count, 8, 1, 2, generator=draw) + path
    boxes = torch.cat([tracks[:, :3] - 0.15, tracks[:, :3] + 0.15], -1)
    features = torch.randn(count, 5, 2, 2, 16, generator=draw) * (0.1 if told else 1.0)
    if told:
        waves = torch.cat([(path * 4).sin(), (path * 4).cos()], -1).squeeze(1)[:, :, None, None]
        features[..., :8] += torch.cat([waves, -waves], -1)
    labels = {"tracks": tracks, "visible": torch.ones(count, 8, 5, dtype=torch.bool)}
    labels |= {"boxes": boxes, "present": torch.ones(count, 3, 5, dtype=torch.bool)}
    return ProbeData(features, labels, torch.arange(5)[:, None] + torch.tensor([0, 1]), 5)


@pytest.mark.parametrize("told", [True, False])
def test_tiles_read_the_truth_where_it_stands_and_not_from_noise(kind, told):
    """Oracle features: a tenth of the static guess's error; noise: no better than the static guess."""
    task = track_task(kind=TiledPointReadout) if kind == "points" else box_task(kind=TiledBoxReadout)
    train, test = shifted(256, 0, told), shifted(48, 1, told)
    config = FitConfig(steps=120 if told else 30, batch_size=16, learning_rates=(3e-3,))
    options = {"width": 32, "num_heads": 4, "octaves": 4}
    columns = predict(task, fit_readout(task, train, test, config=config, options=options).best.readout, test)
    error = abs(columns["predictions"] - columns["references"]).mean()
    static = abs(columns["references"] - columns["references"][:, :, :1]).mean()
    assert error < 0.15 * static if told else error > 0.9 * static
