# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Trained readouts that ship with the twins."""

import pytest
import torch

from hf_vdrep.data import ProbeWorld
from hf_vdrep.study.shipped_probes import PROBE_TASKS, open_probe


@pytest.fixture(scope="module")
def clips() -> torch.Tensor:
    return ProbeWorld("test", 24).render_batch(list(range(24)))


@pytest.mark.parametrize("twin", ["i-walt", "v-walt"])
def test_objects_are_named_far_above_chance(twin: str, clips: torch.Tensor):
    """Twelve classes: chance is 1/12, and both twins reach above 40 % on the test split."""
    world = ProbeWorld("test", 24)
    probe = open_probe(twin, "object")
    found = probe.predict(None, clips)["probabilities"]
    assert found.shape == (24, 12) == (24, len(probe.classes))
    torch.testing.assert_close(found.sum(-1), torch.ones(24))
    truth = torch.tensor([world[index]["object"] for index in range(24)])
    assert (found.argmax(-1) == truth).float().mean() > 0.25


@pytest.mark.parametrize("twin", ["i-walt", "v-walt"])
def test_depth_is_nearer_the_truth_than_one_distance_for_all(twin: str, clips: torch.Tensor):
    world = ProbeWorld("test", 24)
    truth = torch.stack([world[index]["depth"] for index in range(8)])
    depth = open_probe(twin, "depth").predict(None, clips[:8])["depth"]
    assert depth.shape == truth.shape
    known = truth > 0
    constant = truth[known].median()
    error = (depth[known] - truth[known]).abs() / truth[known]
    assert error.mean() < ((constant - truth[known]).abs() / truth[known]).mean()


def test_tracks_begin_where_they_are_asked_for(clips: torch.Tensor):
    points = torch.tensor([[[0.25, 0.5], [0.75, 0.4]]])
    found = open_probe("v-walt", "point_tracks").predict(None, clips[:1], points=points)
    assert found["tracks"].shape == (1, 2, 17, 2) and found["visible"].shape == (1, 2, 17)
    assert (found["tracks"][:, :, 0] - points).abs().max() < 0.1


def test_boxes_of_every_frame_lie_in_the_picture(clips: torch.Tensor):
    boxes = torch.tensor([[[0.2, 0.2, 0.5, 0.6]]])
    found = open_probe("i-walt", "box_tracks").predict(None, clips[:1], boxes=boxes)["boxes"]
    assert found.shape == (1, 1, 17, 4) and found.min() >= 0 and found.max() <= 1


@pytest.mark.parametrize("twin", ["i-walt", "v-walt"])
@pytest.mark.parametrize("task", PROBE_TASKS)
def test_a_probe_belongs_to_the_weights_that_ship(twin: str, task: str):
    """Features of other weights would mean something else to it."""
    probe = open_probe(twin, task)
    assert probe.about["revision"] == probe.backbone.fingerprint


def test_what_is_missing_is_named(clips: torch.Tensor):
    with pytest.raises(ValueError, match="points must be given for point_tracks"):
        open_probe("v-walt", "point_tracks").predict(None, clips[:1])
    with pytest.raises(ValueError, match=r"got x-walt/object"):
        open_probe("x-walt", "object")
    with pytest.raises(ValueError, match=r"clips must be uint8"):
        open_probe("v-walt", "object").predict(None, clips[:1].float())
