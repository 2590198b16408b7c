# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
import numpy as np
import pytest

from hf_vdrep.metrics.classification import class_balanced, per_class_mean, top_k_accuracy_scores, top_k_correct


def test_top_k_against_sorting():
    rng = np.random.default_rng(0)
    scores, labels = rng.normal(size=(50, 7)), rng.integers(0, 7, 50)
    for k in (1, 3, 7):
        expected = [label in np.argsort(-row)[:k] for row, label in zip(scores, labels, strict=True)]
        np.testing.assert_array_equal(top_k_correct(scores, labels, k), expected)


def test_constant_scores_are_never_right():
    """A broken model that says the same for all must not score by the order of its columns."""
    assert not top_k_correct(np.zeros((4, 3)), np.array([0, 1, 2, 0]), 1).any()


def test_per_class_mean_weighs_classes_not_samples():
    assert per_class_mean(np.array([1, 1, 1, 0]), np.array([0, 0, 0, 1])) == 0.5


def test_aggregate_names_each_k():
    scores = np.array([[0.1, 0.9, 0.0], [0.5, 0.3, 0.2]])
    report = top_k_accuracy_scores(scores, np.array([1, 1]), (1, 2))
    assert report == {"top_1": 0.5, "top_2": 1.0, "per_class_mean": 0.5}


def test_labels_out_of_range_are_refused():
    with pytest.raises(ValueError, match=r"labels must lie in \[0, 2\]"):
        top_k_correct(np.zeros((1, 3)), np.array([3]))


def test_labels_that_are_not_classes_are_refused():
    for label in (-1, 3, 255):
        with pytest.raises(ValueError, match=rf"labels must lie in \[0, 2\], got {label}"):
            top_k_correct(np.zeros((1, 3)), np.array([label]))
    with pytest.raises(ValueError, match="labels must be integers, got float64"):
        top_k_correct(np.zeros((1, 3)), np.array([np.nan]))


def test_scores_that_are_not_finite_are_refused():
    """A diverged readout must not pass for a bad one."""
    for value in (np.nan, np.inf):
        with pytest.raises(ValueError, match="scores must be finite"):
            top_k_correct(np.array([[0.0, value]]), np.array([0]))


def test_k_at_or_above_the_classes_is_always_right_and_below_one_refused():
    assert top_k_correct(np.zeros((2, 3)), np.array([0, 2]), 5).all()
    with pytest.raises(ValueError, match="k must be at least 1, got 0"):
        top_k_correct(np.zeros((2, 3)), np.array([0, 2]), 0)


def test_a_tie_within_the_k_highest_is_right_for_every_one_of_them():
    scores = np.array([[0.5, 0.5, 0.1, 0.0]])
    assert not top_k_correct(scores, np.array([0]), 1).any()
    for label in (0, 1):
        assert top_k_correct(scores, np.array([label]), 2).all()


def test_class_balanced_samples_average_to_the_mean_over_classes():
    """N / (C n_y): with a long tail, one right sample of a rare class weighs as many of a frequent one."""
    rng = np.random.default_rng(0)
    labels = rng.choice(4, 200, p=[0.8, 0.15, 0.04, 0.01])
    correct = rng.random(200) < 0.6
    expected = np.mean([correct[labels == c].mean() for c in np.unique(labels)])
    assert class_balanced(correct, labels).mean() == pytest.approx(expected)
    assert per_class_mean(correct, labels) == pytest.approx(expected)
    assert abs(correct.mean() - expected) > 0.01


def test_no_samples_have_no_accuracy(recwarn):
    report = top_k_accuracy_scores(np.zeros((0, 3)), np.zeros(0, int))
    assert all(np.isnan(value) for value in report.values())
    assert not recwarn.list
