# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Readings of clips by trained networks: closed forms, and what damage does to them."""

import math

import numpy as np
import pytest
import torch

from hf_vdrep.study.generation.consistency import consistency, diversity
from hf_vdrep.study.generation.readings import ReferenceReadings, class_numbers, grid_points, jitter, track_numbers
from hf_vdrep.study.generation.sets import ClipSet, WorldSet


class Scrambled(ClipSet):
    """Frames of real clips in a wrong order."""

    name, kind, key = "scrambled", "video", "scrambled"

    def __init__(self, clips: torch.Tensor) -> None:
        self.size = len(clips)
        self.values = clips[:, torch.randperm(17, generator=torch.Generator().manual_seed(0))]

    def clips(self, indices):
        return self.values[list(indices)]


def test_what_changes_steadily_has_no_jitter():
    time = torch.arange(6.0)
    assert torch.equal(jitter((3 * time + 1)[None]), torch.zeros(1, 4))
    assert torch.equal(jitter((time**2)[None]), torch.full((1, 4), 2.0))


def test_entropy_and_confidence_of_known_distributions():
    numbers = class_numbers("x", torch.tensor([[1.0, 0, 0, 0], [0.25] * 4]))
    torch.testing.assert_close(numbers["x.entropy"], torch.tensor([0.0, 1.0]), atol=1e-6, rtol=0)
    assert numbers["x.confidence"].tolist() == [1.0, 0.25]


def test_diversity_is_one_for_sure_and_balanced_classes_and_zero_for_one_class():
    """Mutual information of a uniform one-to-one code is log K; of a constant, 0."""
    assert diversity(np.eye(4)) == pytest.approx(1)
    assert diversity(np.eye(4)[[1, 1, 1]]) == pytest.approx(0, abs=1e-9)
    assert diversity(np.full((5, 4), 0.25)) == pytest.approx(0, abs=1e-9)
    halves = np.array([[0.5, 0.5, 0, 0], [0, 0, 0.5, 0.5]])
    assert diversity(halves) == pytest.approx(math.log(2) / math.log(4))


def test_track_numbers_of_a_moving_square():
    """A white square moves a pixel a frame; tracks that follow it keep their colour, tracks that stay do not."""
    clip = torch.zeros(1, 5, 32, 32, 3, dtype=torch.uint8)
    for frame in range(5):
        clip[:, frame, 10:16, 4 + 4 * frame : 10 + 4 * frame] = 255
    centre = torch.tensor([[(7 + 4 * frame) / 32, 13 / 32] for frame in range(5)])
    still = centre[:1].expand(5, 2)
    seen = torch.ones(1, 1, 5, dtype=torch.bool)
    follows = track_numbers(clip, {"tracks": centre[None, None], "visible": seen})
    stays = track_numbers(clip, {"tracks": still[None, None], "visible": seen})
    assert follows["colour_drift"].item() == pytest.approx(0, abs=1e-5) and follows["track_jitter"].item() < 1e-6
    assert stays["colour_drift"].item() > 0.7 and follows["visible"].item() == 1
    hidden = track_numbers(clip, {"tracks": still[None, None], "visible": ~seen})
    assert math.isnan(hidden["colour_drift"].item()) and hidden["visible"].item() == 0


def test_points_lie_within_the_frame():
    points = grid_points(2)
    assert points.shape == (2, 36, 2) and points.min() > 0 and points.max() < 1 and len(points[0].unique(dim=0)) == 36


def test_scrambled_clips_read_worse_than_real_ones_and_real_ones_like_real_ones():
    """Order is all that differs: depth and tracks jump."""
    readings = ReferenceReadings("video")
    clips = WorldSet("video", 16).clips(range(16))
    real, other, wrong = clips[:8], clips[8:], Scrambled(clips[:8]).values
    means = [
        {k: v.nanmean().item() for k, v in readings.named(readings.embed(x)).items()} for x in (real, other, wrong)
    ]
    for name in ("depth_jitter", "track_jitter"):
        assert means[2][name] > 1.5 * means[1][name], name
        assert abs(means[0][name] - means[1][name]) < 0.5 * (means[2][name] - means[1][name]), name


def test_intervals_hold_the_values_and_a_set_does_not_differ_from_itself():
    found = consistency(WorldSet("image", 6), WorldSet("image", 6), "image")
    for name, row in found.items():
        assert row["difference"]["low"] <= 0 <= row["difference"]["high"] and row["difference"]["value"] == 0
        if "diversity" not in name:  # of few samples, resampling lowers it
            assert row["generated"]["low"] <= row["generated"]["value"] <= row["generated"]["high"]


def test_images_are_read_by_their_classes_alone():
    names = ReferenceReadings("image").columns
    assert "object.confidence" in names and not any("jitter" in name for name in names)
    found = consistency(WorldSet("image", 4), WorldSet("image", 4), "image")
    assert set(found) == {
        f"{task}.{word}" for task in ("object", "scene") for word in ("confidence", "entropy", "diversity")
    }


@pytest.mark.slow
def test_trained_readouts_agree_with_the_reference_on_real_clips_more_than_chance():
    found = consistency(WorldSet("video", 8), WorldSet("video", 8, first=8), twins=("v-walt",))
    assert found["v-walt.object.agree"]["real"]["value"] > 0.3
    assert 0 <= found["v-walt.point_tracks.gap"]["real"]["value"] < 0.3
