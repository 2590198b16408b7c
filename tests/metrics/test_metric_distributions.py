# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Frechet distance, kernel distance, precision and recall against closed forms."""

import itertools

import numpy as np
import pytest
from scipy.linalg import sqrtm
from scipy.spatial.distance import cdist

from hf_vdrep.metrics import frechet_distance, kernel_distance, precision_recall
from hf_vdrep.metrics.kernel import unbiased_mmd

MEASURES = [frechet_distance, kernel_distance, precision_recall]


@pytest.fixture
def features():
    rng = np.random.default_rng(0)
    return rng.normal(size=(40, 6)) @ rng.normal(size=(6, 6)), rng.normal(0.3, 1.2, size=(30, 6))


def test_frechet_of_two_lines_is_that_of_two_normals():
    """In one dimension: (m1 - m2)^2 + (s1 - s2)^2, s with N - 1."""
    first, second = np.array([[1.0], [2.0], [6.0]]), np.array([[0.0], [4.0]])
    # Means 3 and 2; variances 14 / 2 = 7 and 8 / 1 = 8.
    expected = 1 + (np.sqrt(7) - np.sqrt(8)) ** 2
    assert frechet_distance(first, second) == pytest.approx(expected, rel=1e-12)


def test_frechet_divides_by_n_minus_1_and_not_by_n():
    """Trap: some FVDs divide by N. Two points 2 apart have variance 2, not 1; three at one place have none."""
    assert frechet_distance(np.array([[-1.0], [1.0]]), np.zeros((3, 1))) == pytest.approx(2)


def test_frechet_agrees_with_the_matrix_square_root(features):
    """The definition, with scipy's sqrtm, where covariances have full rank."""
    first, second = features
    c1, c2 = np.cov(first, rowvar=False), np.cov(second, rowvar=False)
    gap = first.mean(0) - second.mean(0)
    expected = gap @ gap + np.trace(c1 + c2 - 2 * sqrtm(c1 @ c2).real)
    assert frechet_distance(first, second) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("samples", [2, 3, 20, 300])
def test_frechet_of_a_scaled_and_shifted_set_is_closed_form_with_few_samples_too(samples):
    """Y = s X + b: |(s - 1) mu + b|^2 + (s - 1)^2 tr C. With 2 samples in 64 dimensions the covariances have rank 1."""
    rng = np.random.default_rng(samples)
    first, shift = rng.normal(size=(samples, 64)), rng.normal(size=64)
    second = 1.7 * first + shift
    gap = 0.7 * first.mean(0) + shift
    expected = gap @ gap + 0.49 * first.var(axis=0, ddof=1).sum()
    assert frechet_distance(first, second) == pytest.approx(expected, rel=1e-10)


def test_frechet_of_covariances_in_separate_spaces_has_no_overlap():
    """Samples along x against samples along y: the traces add."""
    line = np.array([-1.0, 0.0, 1.0])
    first, second = np.stack([line, 0 * line], 1), np.stack([0 * line, 2 * line], 1)
    assert frechet_distance(first, second) == pytest.approx(1 + 4)


def test_frechet_is_in_double_precision_whatever_comes_in():
    """Far from the origin, float32 sums would lose the variance altogether."""
    rng = np.random.default_rng(0)
    first = (1000 + rng.normal(size=(50, 4))).astype(np.float32)
    moved = first + np.float32(0.5)
    assert frechet_distance(first, moved) == pytest.approx(1.0, rel=1e-3)


def test_kernel_distance_of_two_points_is_closed_form():
    """All samples equal: (a^2 + 1)^3 + (b^2 + 1)^3 - 2 (ab + 1)^3 in one dimension."""
    a, b = 0.7, -1.3
    found = kernel_distance(np.full((3, 1), a), np.full((4, 1), b))
    assert found["kernel_distance"] == pytest.approx((a * a + 1) ** 3 + (b * b + 1) ** 3 - 2 * (a * b + 1) ** 3)
    assert found["kernel_distance_std"] == 0


def test_kernel_distance_against_pairs_written_out(features):
    """Gretton et al. 2012, eq. 3."""
    first, second = features

    def kernel(x, y):
        return (x @ y / 6 + 1) ** 3

    within = [np.mean([kernel(x, y) for x, y in itertools.permutations(rows, 2)]) for rows in (first, second)]
    across = np.mean([kernel(x, y) for x in first for y in second])
    assert kernel_distance(first, second)["kernel_distance"] == pytest.approx(sum(within) - 2 * across)


def test_kernel_distance_is_unbiased():
    """The mean over all splits of one set into two halves is 0 for an estimator without bias, for any set."""
    rows = np.random.default_rng(1).normal(size=(6, 2))
    everyone = set(range(6))
    found = []
    for chosen in itertools.combinations(range(6), 3):
        found.append(unbiased_mmd(rows[list(chosen)], rows[sorted(everyone - set(chosen))]))
    assert min(found) < 0 < max(found)
    assert np.mean(found) == pytest.approx(0, abs=1e-12)


def test_kernel_distance_over_subsets_centres_on_that_of_the_whole(features):
    """A U-statistic's mean over subsets is that of the whole set."""
    first, second = features
    whole = kernel_distance(first, second)["kernel_distance"]
    drawn = kernel_distance(first, second, subsets=400, subset_size=15)
    assert abs(drawn["kernel_distance"] - whole) < 4 * drawn["kernel_distance_std"] / 20
    again = kernel_distance(first, second, subsets=400, subset_size=15)
    other = kernel_distance(first, second, subsets=400, subset_size=15, seed=1)
    assert drawn == again != other


def test_precision_and_recall_of_equal_sets_are_one(features):
    first, _ = features
    assert precision_recall(first, first) == {"precision": 1.0, "recall": 1.0}
    repeated = np.ones((9, 4)) * 0.1
    assert precision_recall(repeated, repeated) == {"precision": 1.0, "recall": 1.0}


def test_one_mode_out_of_two_is_precise_but_recalls_half():
    rng = np.random.default_rng(0)
    near, far = rng.normal(size=(50, 3)), rng.normal(100, 1, size=(50, 3))
    found = precision_recall(near, np.concatenate([near, far]))
    assert found == {"precision": 1.0, "recall": 0.5}
    other = precision_recall(np.concatenate([near, far]), near)
    assert other == {"precision": 0.5, "recall": 1.0}
    assert precision_recall(near, far) == {"precision": 0.0, "recall": 0.0}


@pytest.mark.parametrize("neighbours", [1, 3, 5])
def test_precision_and_recall_against_balls_written_out(features, neighbours):
    """Kynkaanniemi et al. 2019, eq. 1 and 2."""
    first, second = features

    def share(samples, manifold):
        radii = np.sort(cdist(manifold, manifold), axis=1)[:, neighbours]
        return np.mean([(np.linalg.norm(manifold - x, axis=1) <= radii).any() for x in samples])

    found = precision_recall(first, second, neighbours=neighbours)
    assert found == pytest.approx({"precision": share(first, second), "recall": share(second, first)})


def test_a_sample_on_the_rim_is_within():
    """On a line at 0, 1, 2, 3 with k = 1 every radius is 1: 4 is in, 4.01 is not."""
    line = np.arange(4.0)[:, None]
    assert precision_recall(np.array([[4.0], [4.01]]), line, neighbours=1)["precision"] == 0.5


@pytest.mark.parametrize("measure", MEASURES)
def test_the_order_of_the_samples_has_no_part(measure, features):
    """To the last bit, and for the drawn subsets of the kernel distance too."""
    first, second = features
    options = {"subsets": 5, "subset_size": 8} if measure is kernel_distance else {}
    shuffled = np.random.default_rng(3).permutation(40)
    assert measure(first[shuffled], second[::-1], **options) == measure(first, second, **options)


@pytest.mark.parametrize(("measure", "least"), [(frechet_distance, 2), (kernel_distance, 2), (precision_recall, 4)])
def test_too_few_samples_are_refused_on_either_side(measure, least):
    enough, few = np.eye(5)[:least], np.eye(5)[: least - 1]
    measure(enough, enough)
    with pytest.raises(ValueError, match=f"predictions must hold at least {least} samples, got {least - 1}"):
        measure(few, enough)
    with pytest.raises(ValueError, match="references must hold at least"):
        measure(enough, few)


@pytest.mark.parametrize("measure", MEASURES)
def test_bad_features_are_named(measure):
    good = np.random.default_rng(0).normal(size=(6, 3))
    bad = np.where(np.eye(6, 3) > 0, np.nan, good)
    with pytest.raises(ValueError, match="predictions must be finite"):
        measure(bad, good)
    with pytest.raises(ValueError, match="references must be finite"):
        measure(good, bad)
    with pytest.raises(ValueError, match=r"\(N, D\) and \(M, D\) with the same D, got \(6, 3\) and \(6, 2\)"):
        measure(good, good[:, :2])


def test_arguments_out_of_range_are_refused():
    good = np.random.default_rng(0).normal(size=(6, 3))
    with pytest.raises(ValueError, match="subset_size at least 2, got 100 and 1"):
        kernel_distance(good, good, subset_size=1)
    with pytest.raises(ValueError, match="neighbours must be at least 1, got 0"):
        precision_recall(good, good, neighbours=0)
