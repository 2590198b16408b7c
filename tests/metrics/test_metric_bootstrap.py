# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
import time

import numpy as np
import pytest

from hf_vdrep.metrics.bootstrap import error_gain, error_reduction, gain, paired_bootstrap


def test_gain_formulae_on_the_papers_example():
    """papers.md 4.1: +60 % of an error is E_V = 0.625 E_I in one form, 0.40 E_I in the other."""
    assert gain(0.5, 0.84) == pytest.approx(68.0)
    assert error_gain(1.0, 0.625) == pytest.approx(60.0)
    assert error_reduction(1.0, 0.4) == pytest.approx(60.0)


def test_a_constant_difference_is_certain():
    """Pairing: where every sample differs by the same amount, resampling changes nothing."""
    values = np.random.default_rng(0).random(200)
    found = paired_bootstrap(values, values + 0.1)
    assert found.difference.low == pytest.approx(0.1)
    assert found.difference.high == pytest.approx(0.1)
    assert found.difference.excludes_zero


def test_interval_matches_the_standard_error():
    """For a mean the percentile interval tends to +-1.96 standard errors."""
    rng = np.random.default_rng(1)
    first = rng.normal(size=800)
    second = first + rng.normal(0.02, 0.5, size=800)
    found = paired_bootstrap(first, second)
    half = 1.96 * (second - first).std() / np.sqrt(800)
    assert found.difference.high - found.difference.low == pytest.approx(2 * half, rel=0.04)
    assert found.difference.estimate == pytest.approx((second - first).mean())


def test_gain_interval_matches_the_delta_method():
    """Var(V/I) ~ Var(V - r I) / (n I^2)."""
    rng = np.random.default_rng(2)
    first = rng.uniform(0.5, 1.5, 2000)
    second = 1.1 * first + rng.normal(0, 0.2, 2000)
    ratio = second.mean() / first.mean()
    half = 196 * (second - ratio * first).std() / np.sqrt(2000) / first.mean()
    found = paired_bootstrap(first, second)
    assert found.gain.estimate == pytest.approx(100 * (ratio - 1))
    assert found.gain.high - found.gain.low == pytest.approx(2 * half, rel=0.05)


def test_the_same_seed_gives_the_same_interval_and_another_a_close_one():
    rng = np.random.default_rng(3)
    first, second = rng.random((2, 50))
    once, again = paired_bootstrap(first, second, seed=5), paired_bootstrap(first, second, seed=5)
    other = paired_bootstrap(first, second, seed=6)
    assert once == again
    assert other.difference.low == pytest.approx(once.difference.low, abs=0.02)


def test_readout_seeds_widen_the_interval():
    """Seeds that disagree are a source of uncertainty that clips alone would hide."""
    rng = np.random.default_rng(4)
    clips = rng.random(400)
    agreeing = np.stack([clips, clips, clips])
    disagreeing = np.stack([clips - 0.1, clips, clips + 0.1])
    narrow, wide = (paired_bootstrap(clips, seeds) for seeds in (agreeing, disagreeing))
    assert narrow.difference.high - narrow.difference.low < 1e-9
    assert wide.difference.high - wide.difference.low > 0.1
    assert wide.difference.estimate == pytest.approx(0, abs=1e-12)


def test_samples_without_a_value_leave_in_pairs():
    first, second = np.array([1.0, np.nan, 3.0, 4.0]), np.array([2.0, 2.0, np.nan, 5.0])
    found = paired_bootstrap(first, second, resamples=100)
    assert found.count == 2
    assert found.difference.estimate == pytest.approx(1.0)


def test_mismatched_samples_are_refused():
    with pytest.raises(ValueError, match="same samples"):
        paired_bootstrap(np.ones(3), np.ones(4))
    with pytest.raises(ValueError, match="no sample"):
        paired_bootstrap(np.full(3, np.nan), np.ones(3))


def test_ten_thousand_resamples_of_a_thousand_clips_are_fast():
    rng = np.random.default_rng(5)
    first, second = rng.random((2, 1000))
    began = time.process_time()
    paired_bootstrap(first, second)
    assert time.process_time() - began < 1.0  # 0.15 s on an idle core
