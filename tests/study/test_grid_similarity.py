# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Linear CKA with the unbiased estimator, against its definition."""

import itertools

import numpy as np
import pytest

from hf_vdrep.study.grid.cka import gram, jackknife, linear_cka, unbiased_hsic


def features(rows: int, columns: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((rows, columns))


def test_hsic_is_the_u_statistic_over_all_quadruples():
    """Song et al. 2012, eq. 4: mean of K_ij (L_ij + L_qr - 2 L_iq) over distinct i, j, q, r."""
    first, second = features(6, 3), features(6, 2, seed=1)
    k, l = (x @ x.T for x in (first - first.mean(0), second - second.mean(0)))  # noqa: E741
    quadruples = list(itertools.permutations(range(6), 4))
    expected = np.mean([k[i, j] * (l[i, j] + l[q, r] - 2 * l[i, q]) for i, j, q, r in quadruples])
    assert unbiased_hsic(gram(first), gram(second)) == pytest.approx(expected)


def test_rotation_shift_and_scale_change_nothing_and_equal_features_give_one():
    """Kornblith et al. 2019, section 2."""
    values = features(20, 5)
    turn, _ = np.linalg.qr(features(5, 5, seed=2))
    assert linear_cka(values, 3.0 * values @ turn + 7.0) == pytest.approx(1.0)


def test_independent_features_give_about_zero_however_many_dimensions():
    """Nguyen et al. 2021, section 3: the biased estimator tends to 1 with more dimensions than samples."""
    found = [linear_cka(features(24, 200, seed), features(24, 300, seed + 100)) for seed in range(20)]
    assert abs(np.mean(found)) < 0.02


def test_one_shared_dimension_of_two_gives_one_half():
    """HSIC(X, Y) = 1, HSIC(X, X) = HSIC(Y, Y) = 2 for X = [a, b], Y = [a, c] with independent a, b, c."""
    a, b, c = features(600, 3).T
    assert linear_cka(np.stack([a, b], 1), np.stack([a, c], 1)) == pytest.approx(0.5, abs=0.08)


def test_the_mean_of_pseudo_values_is_the_jackknife_estimate():
    first, second = gram(features(32, 4)), gram(features(32, 4) + features(32, 4, seed=3))
    whole, pseudo = jackknife(first, second, groups=8)
    assert pseudo.shape == (8,) and pseudo.mean() == pytest.approx(whole, abs=0.05)


def test_too_few_samples_and_other_samples_are_refused():
    with pytest.raises(ValueError, match="N of at least 4, got \\(3, 2\\)"):
        gram(features(3, 2))
    with pytest.raises(ValueError, match="same samples, got 5 and 6"):
        linear_cka(features(5, 2), features(6, 2))
    with pytest.raises(ValueError, match="leave at least 4 of 6 samples"):
        jackknife(gram(features(6, 2)), gram(features(6, 2)), groups=2)
