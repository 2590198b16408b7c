# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
import numpy as np
import pytest

from hf_vdrep.metrics.classification import per_class_mean, top_k_accuracy_scores, top_k_correct


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
