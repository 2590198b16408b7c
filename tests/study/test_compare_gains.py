# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Relative gain and certainty (design: The ten tasks), in closed form."""

import types

import numpy as np
import pytest

from hf_vdrep.study.compare.aggregate import relative_gains
from hf_vdrep.study.compare.results import Gain

SETTING = types.SimpleNamespace(config=types.SimpleNamespace(resamples=500, seed=0))


def test_a_score_three_halves_as_high_on_every_clip_is_a_gain_of_fifty_without_doubt():
    image = np.array([[0.2, 0.4, 0.6]])
    gain, other = relative_gains(image, 1.5 * image, True, SETTING)
    assert other is None and gain.form == "100·(V/I − 1)"
    np.testing.assert_allclose([gain.value, gain.low, gain.high], 50)


def test_an_error_of_four_fifths_is_a_fifth_less_and_a_quarter_the_other_way_round():
    image = np.array([[0.1, 0.2, 0.4]])
    gain, other = relative_gains(image, 0.8 * image, False, SETTING)
    np.testing.assert_allclose([gain.value, gain.low, gain.high], 20)
    np.testing.assert_allclose([other.value, other.low, other.high], 25)


def test_twins_that_answer_alike_are_undecided():
    values = (np.arange(100) % 3 == 0).astype(float)[None]
    gain, _ = relative_gains(values, values, True, SETTING)
    assert (gain.value, gain.low, gain.high) == (0, 0, 0)
    assert gain.winner is None


def test_pairing_sees_a_difference_that_single_intervals_hide():
    """Clips differ far more than the twins: each score alone is uncertain by half of it, the gain is not."""
    rng = np.random.default_rng(0)
    image = rng.uniform(0.1, 1.9, (1, 50))
    gain, _ = relative_gains(image, image + 0.02, True, SETTING)
    assert gain.winner == "v-walt"
    assert gain.high - gain.low < 1


def test_seeds_that_disagree_widen_the_interval():
    clips = np.full((1, 50), 0.5)
    same = np.concatenate([clips, clips, clips])
    spread = np.concatenate([clips - 0.2, clips, clips + 0.2])
    assert relative_gains(same, same * 1.1, True, SETTING)[0].winner == "v-walt"
    assert relative_gains(spread, spread * 1.1, True, SETTING)[0].winner is None


def test_no_gain_over_a_twin_that_scores_nothing():
    assert relative_gains(np.zeros((1, 8)), np.ones((1, 8)), True, SETTING) == (None, None)


@pytest.mark.parametrize(("low", "high", "winner"), [(1, 2, "v-walt"), (-2, -1, "i-walt"), (-1, 1, None), (0, 1, None)])
def test_a_win_is_an_interval_without_zero(low, high, winner):
    assert Gain("", 0.5, low, high).winner == winner
